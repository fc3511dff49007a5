"""The server that a step's process is forked from.

Its one idea: the process that executes a run has imported Dagster already, so the server is a fork
of it, and imports what is missing while the run is being set up.
"""

import multiprocessing
import os
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from multiprocessing import forkserver, resource_tracker, util
from pathlib import Path
from typing import Any

DEFINITIONS = "xingu_dagster.definitions"


def start_fork_server(preloaded: Sequence[str]) -> None:
    """Start the server of `multiprocessing`; a run then finds it warm.

    Without effect where the platform has none. Where this process has threads, or Python is newer
    than what this was written for, the server starts as a new interpreter, as it always would.

    Args:
        preloaded: What it imports.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(preloaded))
    if threading.active_count() == 1 and sys.version_info < (3, 14):
        _fork(preloaded)
    else:
        forkserver.ensure_running()


def _fork(preloaded: Sequence[str]) -> None:
    """Do what `ForkServer.ensure_running` does, with a fork in place of a new interpreter."""
    server: Any = forkserver._forkserver  # there is no public way to put a server in its place
    if server._forkserver_pid is not None:
        return
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
            _serve(listener.fileno(), alive_r, preloaded)
        os.close(alive_r)
    server._forkserver_address = address
    server._forkserver_alive_fd = alive_w
    server._forkserver_pid = pid


def _serve(listener: int, alive_r: int, preloaded: Sequence[str]) -> None:
    try:
        # This is called while the definitions are being imported for a command; the server needs
        # them whole, and executes no command.
        sys.modules.pop(DEFINITIONS, None)
        del sys.argv[1:]
        forkserver.main(listener, alive_r, preloaded)
    except Exception:  # noqa: BLE001 - nothing above may see it: all of that is another process
        traceback.print_exc()
    finally:
        os._exit(0)
