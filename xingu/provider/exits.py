"""Treat the end of the process, when code of a project asks for it, as a failure of that code."""

import os
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_leave = os._exit
_guarded: Counter[int] = Counter()
"""Blocks of `no_silent_exit` that a thread is in."""
_changing = threading.Lock()


@contextmanager
def no_silent_exit() -> Iterator[None]:
    """Let `os._exit(0)` raise SystemExit in the block, because code 0 looks like a success.

    In a thread that is in no such block it ends the process, with code 1. Processes that are forked
    in a block end as they like. Several threads may be in such blocks.
    """
    global _leave
    process, thread = os.getpid(), threading.get_ident()

    def leave_visibly(status: int) -> None:
        if os.getpid() == process and status == 0:
            if threading.get_ident() in _guarded:
                raise SystemExit(0)
            status = 1
        _leave(status)

    with _changing:
        if not _guarded:
            _leave, os._exit = os._exit, leave_visibly  # type: ignore[assignment]
        _guarded[thread] += 1
    try:
        yield
    finally:
        with _changing:
            _guarded[thread] -= 1
            if not _guarded[thread]:
                del _guarded[thread]
            if not _guarded:
                os._exit = _leave


def place_of_exit(error: SystemExit) -> str:
    """Return file and line of the call that asked for the end of the process, and the code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next(frame for frame in reversed(frames) if frame.filename != __file__)
    return f"{place.filename}, line {place.lineno}, ends the process (code {error.code!r})"
