"""The messages between the command and the process of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Command = Literal["train", "tune", "batch-predict", "default"]
"""A sub-command; ``default``: what the settings TRAIN and BATCH_PREDICT say."""

Message = dict[str, Any]
"""A message of the run, by its ``kind``.

``plan``: the `steps`, their `expected` seconds, number of `workers`, and `run_id`; ``news`` of a
step; ``end`` with the `document` of the run; ``error``: there was no run, with `text`, `code`,
`expected` (the text says all) and `trace`.
"""


@dataclass(frozen=True)
class Order:
    """The work of the process of a run; the settings are in its environment.

    Attributes:
        command: The sub-command.
        log: File that the output of the run goes to.
        options: Options of the run that have no setting; see `xingu.options.RunOptions`.
        partition: Partition of the batches: a key, ``FIRST..LAST`` or ``latest``; empty: batches
            with partitions are left out.
        changed: Train only DataProviders whose code has changed, and those that need them.
        base: Model storage that their code is compared with; empty: that of the settings.
    """

    command: Command
    log: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    partition: str = ""
    changed: bool = False
    base: str = ""


def schema_of(command: Command) -> str:
    """Return the name and version of the document that a command prints as JSON."""
    return f"xingu.{command.replace('default', 'train')}/1"
