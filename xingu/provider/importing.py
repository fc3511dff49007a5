"""Import the files of DataProviders, and classes by their dotted names.

What goes wrong becomes an error that names the file. That includes a file that ends the process,
and a file whose import does not end: it is interrupted after a time limit. A call that blocks in C
is only interrupted in the main thread; elsewhere the log names the file.
"""

import ctypes
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from xingu.errors import DeclarationError, text_of
from xingu.provider.exits import no_silent_exit, place_of_exit

logger = logging.getLogger(__name__)


class _TooLong(BaseException):
    """The time limit was reached. Code that catches every Exception does not catch it."""


def import_object(dotted: str, problem: str, **facts: object) -> Any:
    """Return what a module has under the dotted name `dotted`.

    Args:
        dotted: Name of the module, and of the class or function in it.
        problem: Text of the error, without the cause.
        facts: Facts of the error.

    Raises:
        DeclarationError: If it cannot be imported.
    """
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise DeclarationError(
            f"{problem} ({error}); give its full dotted name.", **facts
        ) from error


def import_file(name: str, file: Path, seconds: float) -> ModuleType:
    """Import the module `name`, which must be `file`.

    Args:
        name: Dotted name of the module.
        file: Its absolute path.
        seconds: Time limit; 0: none.

    Raises:
        DeclarationError: If it cannot be imported, takes too long, or is another file.
    """
    try:
        with _time_limit(file, seconds), no_silent_exit():
            module = import_module(name)
    except _TooLong:
        raise DeclarationError(
            f"{file} cannot be imported: it has not ended after {seconds:g} s; move what takes "
            "long into hooks, or raise XINGU_IMPORT_SECONDS.",
            file=str(file),
        ) from None
    except SystemExit as error:
        raise DeclarationError(
            f"{file} cannot be imported: {place_of_exit(error)}", file=str(file)
        ) from error
    except Exception as error:
        raise DeclarationError(
            f"{file} cannot be imported: {type(error).__name__}: {text_of(error)}", file=str(file)
        ) from error
    if module.__file__ is None or Path(module.__file__).resolve() != file:
        raise DeclarationError(
            f"{file} is hidden by {module.__file__}, which is also called {name!r}; "
            "rename one of the folders.",
            file=str(file),
        )
    return module


@contextmanager
def _time_limit(file: Path, seconds: float) -> Iterator[None]:
    """Raise _TooLong in the block after `seconds`, and every second from then on."""
    if not seconds:
        yield
    elif threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        before = signal.signal(signal.SIGALRM, _raise_too_long)
        signal.setitimer(signal.ITIMER_REAL, seconds, 1)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    else:
        ended = threading.Event()
        watch = threading.Thread(
            target=_interrupt, args=(threading.get_ident(), ended, file, seconds), daemon=True
        )
        watch.start()
        try:
            yield
        finally:
            ended.set()
            watch.join()


def _raise_too_long(*_: object) -> None:
    raise _TooLong


def _interrupt(thread: int, ended: threading.Event, file: Path, seconds: float) -> None:
    if ended.wait(seconds):
        return
    logger.error("%s: its import has not ended after %g s", file, seconds)
    while not ended.is_set():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread), ctypes.py_object(_TooLong)
        )
        ended.wait(1)
