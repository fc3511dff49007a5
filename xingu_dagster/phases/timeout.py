"""End a step that takes longer than its DataProvider allows.

A signal interrupts the code of the step, also while it sleeps or waits. It is armed only while that
code runs, so that Dagster's own code is never interrupted. Compiled code that does not return to
Python ignores signals; if the process was started to execute steps, it ends itself after
`GRACE_SECONDS`, and the executor reports the step as failed.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from typing import Any, TypeVar

from xingu.errors import StepTimeoutError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

GRACE_SECONDS = 10.0


class _Expired(BaseException):
    """The interruption; no Exception, so that code that continues after a failure passes it on."""


def limited(results: Iterator[Result], seconds: float | None, step: str) -> Iterator[Result]:
    """Yield `results`, as long as the step has time left.

    Args:
        results: The generator that executes the step.
        seconds: Time limit of the step; None: none.
        step: Name of the step, for errors.

    Raises:
        StepTimeoutError: If the time has passed.
    """
    if seconds is None or not _can_interrupt(step):
        yield from results
        return
    deadline = time.monotonic() + seconds
    end: Any = object()
    while True:
        try:
            with _alarm(deadline, step):
                result = next(results, end)
        except _Expired:
            raise StepTimeoutError(
                f"{step} was stopped, because it took longer than its timeout of {seconds:g} s; "
                "raise `timeout` in the attribute `dagster` of the DataProvider, or make the step "
                "faster.",
                step=step, seconds=seconds,
            ) from None  # fmt: skip
        if result is end:
            return
        yield result


def _can_interrupt(step: str) -> bool:
    """Return whether signals reach this thread; a step elsewhere runs without a limit."""
    here = threading.current_thread() is threading.main_thread()
    if not (here and hasattr(signal, "setitimer")):
        logger.warning("%s: its timeout is not applied, because only the main thread of a process "
                       "that has POSIX signals can be interrupted", step)  # fmt: skip
        return False
    return True


@contextmanager
def _alarm(deadline: float, step: str) -> Iterator[None]:
    """Raise `_Expired` in the block at `deadline`; another timer of the process goes on later."""

    def expire(*_: object) -> None:
        raise _Expired

    def end_process() -> None:
        logger.error("%s does not end after its timeout, so its process does", step)
        os._exit(1)

    started = time.monotonic()
    left = max(deadline - started, 1e-3)
    killer = threading.Timer(left + GRACE_SECONDS, end_process)
    killer.daemon = True
    if parent_process() is not None:
        killer.start()
    handler = signal.signal(signal.SIGALRM, expire)
    other, interval = signal.setitimer(signal.ITIMER_REAL, left)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if other:
            rest = max(other - (time.monotonic() - started), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)
        killer.cancel()
