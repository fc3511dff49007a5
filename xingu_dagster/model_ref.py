"""What the asset `<dp>/model` stores between phases: which package it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A saved Model by name, and the ids of the values that it was made from, by asset key."""

    dataprovider_id: str
    train_id: str
    values: Mapping[str, str] = field(default_factory=dict)
