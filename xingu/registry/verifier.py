"""A process that loads model packages as if it were on another machine: it sees no project.

It listens on a Unix socket and forks for each request, so that libraries are imported once. It is
forked from a process that has used neither threads nor OpenMP, or started anew. A request is a line
of JSON with the fields of `Request`; the answer is a JSON string, empty if all is well. The process
ends when the other end of its life line is closed, which happens when its owner ends.
"""

import gc
import json
import logging
import os
import pickle
import select
import signal
import socket
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pandas as pd
from upath import UPath

from xingu.model.provenance import library_versions
from xingu.provider.project_code import is_project_spec
from xingu.registry.package_code import read_code
from xingu.registry.packages import load_package

DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Request:
    """One package to load.

    Attributes:
        package: Local folder of the package.
        sample: File with a pickle of rows and the estimations that are expected; empty: none.
        folder: Empty folder, the current one meanwhile; the client removes it.
        model_class: Dotted name of the class of the Model.
        modules: Names of the modules in the package, which are hidden wherever they are installed.
        estimator: Module of the Estimator's class, to import once if it is of Xingu.
        seconds: Time after which the process of the attempt is killed.
    """

    package: str
    sample: str
    folder: str
    model_class: str
    modules: Sequence[str]
    estimator: str
    seconds: int


class InstalledOnly(MetaPathFinder):
    """Finds modules as the other finders do, but none of a project.

    Args:
        hidden: Names of modules that count as the project's wherever they are installed.
    """

    def __init__(self, hidden: Collection[str]) -> None:
        self._hidden = frozenset(hidden)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of an installed module.

        Raises:
            ModuleNotFoundError: If the module is the project's.
        """
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None and (fullname in self._hidden or is_project_spec(spec)):
                raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
            if spec is not None:
                return spec
        return None


def serve(address: str, life_line: int) -> None:
    """Answer requests until the life line is closed.

    Args:
        address: Path of the socket; it is created.
        life_line: File descriptor that becomes readable when its other end is closed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    _forget_project()
    library_versions()  # cached: every child needs them
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        while life_line not in select.select([listener, life_line], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                line = connection.makefile("r").readline()
                if line:
                    _answer(connection, Request(**json.loads(line)))
    with suppress(OSError):
        Path(address).unlink()


def _answer(connection: socket.socket, request: Request) -> None:
    if request.estimator.startswith("xingu."):
        with suppress(ImportError):
            import_module(request.estimator)
    if os.fork():
        return
    try:
        signal.alarm(request.seconds)
        logging.disable()
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        os.chdir(request.folder)
        connection.sendall(json.dumps(_attempt(request)).encode())
    finally:
        os._exit(0)


def _attempt(request: Request) -> str:
    """Load a package and estimate the sample; return what went wrong, empty if nothing did."""
    _hide(request.modules)
    try:
        module, _, name = request.model_class.rpartition(".")
        model = load_package(UPath(request.package), getattr(import_module(module), name))
        if not request.sample:
            return ""
        code = read_code(Path(request.package), request.package, "")
        payload = Path(request.sample).read_bytes()
        if code is None:
            rows, expected = pickle.loads(payload)
        else:
            with code.aliased():
                rows, expected = pickle.loads(payload)
        found = model.estimate(rows)
    except BaseException as error:  # noqa: BLE001 - also what ends a process
        return f"{type(error).__name__}: {error}"
    try:
        pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-6)
    except AssertionError:
        return DIFFERS
    return ""


def _forget_project() -> None:
    """Remove the project from this process: what is imported, and what can be imported.

    Folders without ``__init__.py`` in its packages go with them: their path needs the parent.
    """
    gone = {name for name, module in sys.modules.items() if _is_of_project(module)}
    below = tuple(f"{name}." for name in gone)
    for name in [name for name in sys.modules if name in gone or name.startswith(below)]:
        del sys.modules[name]
    sys.modules["__main__"] = ModuleType("__main__")
    sys.meta_path.insert(0, InstalledOnly(()))


def _hide(modules: Collection[str]) -> None:
    """Remove modules that count as the project's, although they are installed."""
    for name in modules:
        sys.modules.pop(name, None)
    sys.meta_path[0] = InstalledOnly(modules)


def _is_of_project(module: ModuleType) -> bool:
    spec = getattr(module, "__spec__", None)
    return spec is not None and is_project_spec(spec)


def main() -> None:
    """Serve at the address of the first argument; standard input is the life line."""
    for name in ("xingu.api", "xingu.estimators.lightgbm"):  # what most packages need
        with suppress(ImportError):
            import_module(name)
    serve(sys.argv[1], 0)
