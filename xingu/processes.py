"""Identify a process, so that another process can find out later whether it still runs.

A process id alone is not enough, because it is used again. The start time tells two processes of
one id apart, and the boot of the machine tells whether the id is of this boot at all. The state of
processes of other machines, or of other containers, is unknown.
"""

import json
import os
import socket
import subprocess
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Self

State = Literal["running", "ended", "unknown"]

_PROC = Path("/proc")
_ENDED = ("Z", "X")
"""States of a process that has ended and is not collected by its parent yet."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a machine.

    Attributes:
        host: Name of the machine or container.
        boot: Id of the boot of its kernel; empty: not known.
        space: Id of the container that process ids belong to; empty: not known.
        pid: Process id.
        started: Time of its start, as the operating system gives it; empty: not known.
    """

    host: str
    boot: str
    space: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Self:
        """Return this process."""
        pid = os.getpid()
        return cls(*_machine(), pid, _started(pid) or "")

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Return what `text` has written; None if it is empty or of another format."""
        try:
            return cls(**json.loads(text or ""))
        except (ValueError, TypeError):
            return None

    @property
    def text(self) -> str:
        """The process as JSON, for `parse`."""
        return json.dumps(asdict(self))

    @property
    def state(self) -> State:
        """Whether it runs; ``unknown``: it belongs to another machine or container."""
        host, boot, space = _machine()
        if self.host != host or not self.started:
            return "unknown"
        if self.boot != boot:
            return "ended"
        if self.space != space:
            return "unknown"
        return "running" if _started(self.pid) == self.started else "ended"

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@cache
def _machine() -> tuple[str, str, str]:
    """Return name, boot and container of this process."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = str((_PROC / "self/ns/pid").readlink())
    except OSError:
        boot = space = ""
    return socket.gethostname(), boot, space


def _started(pid: int) -> str | None:
    """Return the start time of a process of this machine; None if there is none that runs."""
    if (_PROC / "self/stat").exists():
        try:
            # The name of the program is in parentheses and may contain anything.
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            return None
        return None if fields[0] in _ENDED else fields[19]
    if os.name != "posix":
        return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or None
