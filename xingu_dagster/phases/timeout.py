"""End a step that takes longer than its DataProvider allows.

In the main thread a signal interrupts the code of the step, also while it sleeps or waits; in
another thread an exception does, once that code executes Python again. Both are armed only while
the code of the step runs, so that Dagster's own code is never interrupted. Compiled code that does
not return to Python cannot be interrupted; if the process was started to execute steps, it ends
itself after `GRACE_SECONDS`, and the executor reports the step as failed.
"""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from typing import Any, TypeVar

from xingu.errors import StepTimeoutError

Result = TypeVar("Result")

GRACE_SECONDS, AGAIN_SECONDS = 10.0, 5.0
EXIT_CODE = 124
"""Exit code of a process that ends itself, as that of the command `timeout`."""


class _Expired(BaseException):
    """The interruption; no Exception, so that code that continues after a failure passes it on."""


def limited(
    results: Iterator[Result], seconds: float | None, step: str, tell: Callable[[str], None]
) -> Iterator[Result]:
    """Yield `results`, as long as the step has time left.

    Args:
        results: The generator that executes the step.
        seconds: Time limit of the step; None: none.
        step: Name of the step, for errors.
        tell: Logs why the process ends itself, from any thread.

    Raises:
        StepTimeoutError: If the time has passed.
    """
    if seconds is None:
        yield from results
        return
    deadline = time.monotonic() + seconds
    end: Any = object()
    while True:
        try:
            with _alarm(deadline, step, tell):
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


@contextmanager
def _alarm(deadline: float, step: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Raise `_Expired` in the block at `deadline`."""

    def end_process() -> None:
        try:
            tell(f"{step} cannot be interrupted after its timeout, so its process ends.")
        finally:
            os._exit(EXIT_CODE)

    left = max(deadline - time.monotonic(), 1e-3)
    killer = threading.Timer(left + GRACE_SECONDS, end_process)
    killer.daemon = True
    if parent_process() is not None:
        killer.start()
    in_main = threading.current_thread() is threading.main_thread()
    interrupt = _by_signal if in_main and hasattr(signal, "setitimer") else _by_exception
    try:
        with interrupt(left):
            yield
    finally:
        killer.cancel()


@contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    """Interrupt the block by a signal; an alarm that was set before comes later."""

    def expire(*_: object) -> None:
        raise _Expired

    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, expire)
    # Again and again: Python ignores what is raised in a destructor, and that is where it may be.
    other, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if other:
            rest = max(other - (time.monotonic() - started), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)


@contextmanager
def _by_exception(seconds: float) -> Iterator[None]:
    """Interrupt the block, in any thread, before its next line of Python."""
    thread, lock, over = threading.get_ident(), threading.Lock(), threading.Event()

    def expire() -> None:
        with lock:  # so that it never reaches the thread after the block
            if not over.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(_Expired)
                )

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over.set()
        timer.cancel()
