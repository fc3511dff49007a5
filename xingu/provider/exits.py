"""Treat the end of the process, when code of a project asks for it, as a failure of that code."""

import os
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_silent_exit() -> Iterator[None]:
    """Let `os._exit(0)` raise SystemExit in the block, because code 0 looks like a success.

    In another thread it ends the process, with code 1. Processes that are forked in the block end
    as they like.
    """
    leave, process, thread = os._exit, os.getpid(), threading.get_ident()

    def leave_visibly(status: int) -> None:
        if os.getpid() == process and status == 0:
            if threading.get_ident() == thread:
                raise SystemExit(0)
            status = 1
        leave(status)

    os._exit = leave_visibly  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = leave


def place_of_exit(error: SystemExit) -> str:
    """Return file and line of the call that asked for the end of the process, and the code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next(frame for frame in reversed(frames) if frame.filename != __file__)
    return f"{place.filename}, line {place.lineno}, ends the process (code {error.code!r})"
