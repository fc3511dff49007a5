"""The server that the processes of a run's steps are forked from.

Its one idea: the server is itself a fork of the run's process, made when the run begins. By then
that process has imported everything, built the definitions and picked the job's assets, and no step
has to do any of that again.
"""

import gc
import multiprocessing
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from multiprocessing import forkserver, resource_tracker, util
from pathlib import Path
from typing import Any

from xingu_dagster.collector import without_collections


def start_fork_server(
    preloaded: Sequence[str], rehearse: Callable[[], None] = lambda: None
) -> None:
    """Start the server of `multiprocessing`, unless there is one; call it before the first step.

    Without effect where the platform has none. Where this process has threads, or Python is newer
    than what this was written for, the server starts as a new interpreter, as it always would.

    Args:
        preloaded: Modules that steps need.
        rehearse: What else this process does before it is forked.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(preloaded))
    if threading.active_count() > 1 or sys.version_info >= (3, 14):
        forkserver.ensure_running()
        return
    server: Any = forkserver._forkserver  # there is no public way to put a server in its place
    if server._forkserver_pid is not None:
        return
    with without_collections():
        for name in preloaded:
            import_module(name)
        rehearse()
    gc.freeze()  # a step's collector that looked at what is there would copy its pages
    _fork(server)


def _fork(server: Any) -> None:
    """Do what `ForkServer.ensure_running` does, with a fork in place of a new interpreter."""
    resource_tracker.ensure_running()
    with socket.socket(socket.AF_UNIX) as listener:
        address = str(Path(util.get_temp_dir()) / "fork-server")
        listener.bind(address)
        Path(address).chmod(0o600)
        listener.listen()
        # The server ends when every process that holds the write end has ended.
        alive_r, alive_w = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            os.close(alive_w)
            _serve(listener.fileno(), alive_r)
        os.close(alive_r)
    server._forkserver_address = address
    server._forkserver_alive_fd = alive_w
    server._forkserver_pid = pid


def _serve(listener: int, alive_r: int) -> None:
    try:
        forkserver.main(listener, alive_r, [])
    except Exception:  # noqa: BLE001 - nothing above may see it: all of that is another process
        traceback.print_exc()
    finally:
        os._exit(0)
