"""Kill a process before a given change of the disk."""

import os
import signal
import sys

CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.replace")


def kill_before_change(number: int) -> None:
    """Kill this process before its change of the disk with this number, counted from 1."""
    count = 0

    def note(event: str, arguments: tuple) -> None:
        nonlocal count
        written = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if written or event in CHANGES:
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(note)
