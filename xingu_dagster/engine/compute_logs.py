"""Compute log manager: the output of steps in a file for the UI, and on the terminal.

Output goes straight into the file, so a killed step loses none of it, and a thread copies the file
to the terminal. Dagster's manager starts four processes for each step.
"""

import os
import shutil
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import UnsupportedOperation
from pathlib import Path
from threading import Event, Thread
from typing import Any, TextIO

from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.local_compute_log_manager import (
    IO_TYPE_EXTENSION,
    LocalComputeLogManager,
)
from dagster._serdes import ConfigurableClassData

SECONDS_BETWEEN_LOOKS = 0.1


class ComputeLogManager(LocalComputeLogManager):
    """Dagster's, except for how output is captured."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "ComputeLogManager":
        """Return the manager that `dagster.yaml` describes."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Generator[CapturedLogContext, None, None]:
        """Keep what is printed until the block ends."""
        streams = {ComputeIOType.STDOUT: sys.stdout, ComputeIOType.STDERR: sys.stderr}
        with ExitStack() as stack:
            for kind, stream in streams.items():
                path = self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[kind])
                stack.enter_context(_captured(stream, Path(path)))
            yield CapturedLogContext(log_key)
        Path(self.complete_artifact_path(log_key)).touch()


@contextmanager
def _captured(stream: TextIO, path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    try:
        terminal = os.dup(stream.fileno())
    except (UnsupportedOperation, AttributeError, ValueError):  # it is no file: a test, a notebook
        yield
        return
    ended = Event()
    copying = Thread(target=_copy, args=(path, terminal, ended), name="xingu-output", daemon=True)
    copying.start()
    try:
        with redirect_to_file(stream, str(path)):
            yield
    finally:
        ended.set()
        copying.join()


def _copy(path: Path, terminal: int, ended: Event) -> None:
    """Copy what is and what will be in the file, until `ended`."""
    with path.open("rb") as source, os.fdopen(terminal, "wb") as target:
        while True:
            last = ended.wait(SECONDS_BETWEEN_LOOKS)
            shutil.copyfileobj(source, target)
            target.flush()
            if last:
                return
