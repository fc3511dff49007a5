"""Verify that a package loads and estimates in a process that does not see the project.

The process is `verifier`. A run has one for all its steps; other processes start one of their own
when they first save, which stays until they end.
"""

import atexit
import json
import logging
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from xingu.errors import PortabilityError
from xingu.model import Model
from xingu.provider.pickles import portable_pickle
from xingu.registry.package_code import read_code
from xingu.registry.packaged_code import original_name

logger = logging.getLogger(__name__)

VARIABLE = "XINGU_VERIFIER"
"""Environment variable with the address of the verifier of this run."""
START_SECONDS, ATTEMPT_SECONDS, ROWS = 60, 120, 3
_own: dict[int, str] = {}
"""Address of the verifier that this process has started, by process id: a fork has none."""


def verify_portable(model: Model, folder: Path) -> None:
    """Load a package in a process that does not see the project, and estimate a few rows there.

    If no such process can be had, or it takes too long, a warning is logged.

    Args:
        model: The Model; rows are taken from its `sets`.
        folder: Local folder of its package.

    Raises:
        PortabilityError: If the package does not load there, or estimates something else.
    """
    rows = next((frame.head(ROWS) for frame in model.sets.values() if len(frame)), None)
    expected = _estimate(model, rows)
    with tempfile.TemporaryDirectory(prefix="xingu-") as scratch:
        sample = Path(scratch) / "sample.pkl"
        if expected is not None:
            sample.write_bytes(portable_pickle((rows, expected)))
        empty = Path(scratch) / "empty"
        empty.mkdir()
        rows_file = str(sample) if expected is not None else ""
        try:
            problem = _ask(_request(model, folder, rows_file, empty))
        except OSError as error:
            text = "%s: the package is not verified: no process to load it in (%s)"
            logger.warning(text, model.id, error)
            return
    if problem == "differs":
        if not _equal(_estimate(model, rows), expected):
            return  # its estimations are never the same twice
        problem = f"its estimations of {ROWS} rows differ from those of the process that trained"
    if problem:
        raise PortabilityError(
            f"{model.id}: the model is not saved, because its package does not work without the "
            f"project: {problem}. Only imported modules of Python source travel with a model: "
            "declare what it needs in a module, keep other data in attributes of the "
            "DataProvider, or install it as a distribution. XINGU_VERIFY_PACKAGES=false saves "
            "without this check.",
            dataprovider_id=model.id,
        )


@contextmanager
def shared_verifier() -> Iterator[None]:
    """Fork a verifier that this process and all processes that it starts use.

    The caller must have used neither threads nor OpenMP.
    """
    from xingu.registry import verifier

    with tempfile.TemporaryDirectory(prefix="xingu-") as folder:
        address = str(Path(folder) / "verifier")
        read, write = os.pipe()
        process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(verifier, address, read, write), daemon=True
        )
        process.start()
        os.close(read)
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = address
        try:
            yield
        finally:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before
            os.close(write)
            process.terminate()
            process.join()


def _serve(verifier: Any, address: str, read: int, write: int) -> None:
    os.close(write)
    verifier.serve(address, read)


def _request(model: Model, folder: Path, sample: str, empty: Path) -> dict[str, Any]:
    from xingu.registry.verifier import Request

    code = read_code(folder, str(folder), "")
    estimator = original_name(type(model.estimator).__module__)
    modules = code.modules if code else []
    cls = next(cls for cls in type(model).__mro__ if cls.__module__.startswith("xingu."))
    name = f"{cls.__module__}.{cls.__qualname__}"
    return asdict(
        Request(str(folder), sample, str(empty), name, modules, estimator, 2 * ATTEMPT_SECONDS)
    )


def _ask(request: dict[str, Any]) -> str:
    """Return the problem that the verifier has found; empty if there is none.

    Raises:
        OSError: If there is no verifier, or it takes too long.
    """
    with _connected() as connection:
        connection.settimeout(ATTEMPT_SECONDS)
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = connection.makefile("rb").read()
    return json.loads(answer) if answer else "the process that loaded it died"


def _connected() -> socket.socket:
    shared = os.environ.get(VARIABLE)
    if shared:
        with suppress(OSError):
            return _connect(shared, time.monotonic() + 1)
    address = _own.get(os.getpid())
    if address is not None:
        with suppress(OSError):
            return _connect(address, time.monotonic() + START_SECONDS)
    return _start()


def _start() -> socket.socket:
    """Start a verifier of this process, and connect to it.

    Raises:
        OSError: If it does not start.
    """
    folder = tempfile.mkdtemp(prefix="xingu-")
    address = str(Path(folder) / "verifier")
    path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", "from xingu.registry.verifier import main; main()", address],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_stop, process, folder, os.getpid())
    connection = _connect(address, time.monotonic() + START_SECONDS, process)
    _own[os.getpid()] = address
    return connection


def _stop(process: subprocess.Popen[bytes], folder: str, owner: int) -> None:
    if os.getpid() == owner:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _connect(
    address: str, deadline: float, process: subprocess.Popen[bytes] | None = None
) -> socket.socket:
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            if time.monotonic() > deadline or (process and process.poll() is not None):
                raise
            time.sleep(0.02)
        else:
            return connection


def _estimate(model: Model, rows: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return estimations of `rows`; None if there are no rows, or they cannot be estimated."""
    if rows is None:
        return None
    try:
        return model.estimate(rows.copy())
    except Exception:  # the evaluation of the train reports it
        logger.debug("%s: the rows of a set cannot be estimated", model.id, exc_info=True)
        return None


def _equal(one: pd.DataFrame | None, other: pd.DataFrame | None) -> bool:
    return one is not None and other is not None and one.equals(other)
