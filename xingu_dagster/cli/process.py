"""The process of a run: the command draws progress while a child process imports Dagster and runs.

The child is forked before anything heavy is imported. It has a process group of its own, so that
Ctrl-C reaches the command alone, which passes it on. Messages come over one pipe.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from xingu_dagster.cli.order import Message, Order

POLL_SECONDS = 0.1
LOGS, KEPT_LOGS = (".xingu", "logs"), 50


def new_log(home: Path) -> Path:
    """Return a file for the output of a run, and remove the oldest ones."""
    folder = home.joinpath(*LOGS)
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.log"))[:-KEPT_LOGS]:
        with suppress(FileNotFoundError):
            old.unlink()
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"


class Child:
    """The child process of a run, and its messages.

    Args:
        order: What it does.
    """

    def __init__(self, order: Order) -> None:
        methods = multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context("fork" if "fork" in methods else "spawn")
        self._connection, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(theirs, order), name="xingu-run")
        self._signals = 0
        self._process.start()
        theirs.close()

    def messages(self) -> Iterator[Message | None]:
        """Yield messages until the child ends; None whenever it is silent for a moment."""
        with suppress(EOFError, OSError):
            while True:
                if self._connection.poll(POLL_SECONDS):
                    yield self._connection.recv()
                else:
                    yield None
        self._process.join()

    @property
    def interrupted(self) -> bool:
        """Whether a signal was passed on."""
        return self._signals > 0

    @property
    def exit_code(self) -> int | None:
        """Exit code of the process; negative: the signal that ended it."""
        return self._process.exitcode

    def interrupt(self) -> None:
        """Let the run be canceled; the third time, kill its processes."""
        self._signals += 1
        group = self._process.pid
        with suppress(ProcessLookupError, PermissionError):
            if group and self._signals < 3:
                os.kill(group, signal.SIGTERM)
            elif group:
                os.killpg(group, signal.SIGKILL)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Pass SIGINT and SIGTERM on to the child while the block runs."""
        before = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, lambda *_: self.interrupt())
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _work(connection: Connection, order: Order) -> None:
    """Run in the child process: send messages over `connection`, write output into the log."""
    with suppress(OSError):
        os.setpgid(0, 0)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.stdout.flush()
    sys.stderr.flush()
    output = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    # What captured the streams of this process, such as a test, is not there any more.
    sys.stdout, sys.stderr = (os.fdopen(os.dup(one), "w", buffering=1) for one in (1, 2))
    from xingu_dagster.cli.worker import work

    work(order, connection.send)
