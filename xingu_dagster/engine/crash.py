"""Find the line of the user's code in which a process has crashed, as by a segmentation fault.

The process of the run opens an unnamed file for each worker, which a forked one inherits.
"""

import faulthandler
import os
import re
import sys
from pathlib import Path
from typing import IO

import xingu

_FRAME = re.compile(r'  File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)')
_OTHERS = (
    *(str(Path(one).resolve()) for one in (sys.prefix, sys.base_prefix)),
    *(str(Path(xingu.__file__).parents[1] / name) + os.sep for name in ("xingu", "xingu_dagster")),
)
"""Beginnings of the paths of code that is not the user's."""


def report_crashes(report: int | None) -> None:
    """Let Python write the stack of this process to a file descriptor if it crashes."""
    if report is not None:
        faulthandler.enable(report, all_threads=False)


def place_of_crash(report: IO[str]) -> str:
    """Return the innermost line of the user's code in a report; empty if there is none."""
    report.seek(0)
    frames = [*_FRAME.finditer(report.read())]
    own = (frame for frame in frames if not frame["file"].startswith(_OTHERS))
    found = next(own, next(iter(frames), None))
    return "{function} ({file}, line {line})".format(**found.groupdict()) if found else ""
