"""What a DataProvider has learned, as a value that travels with its data.

Its one idea: hooks set attributes on `self`; they are pickled right after the hook, stored with the
frame that the hook made, and restored on a new instance before the next hook.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from xingu.errors import StateError
from xingu.provider.base import DataProvider, gained_attributes


@dataclass(frozen=True, slots=True)
class ProviderState:
    """Attributes of a DataProvider, pickled, and the trains of its prerequisites, by id."""

    payload: bytes = b""
    pre_reqs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def capture(cls, provider: DataProvider, hook: str, pre_reqs: Mapping[str, str]) -> Self:
        """Return what `provider` knows after `hook`.

        Raises:
            StateError: If an attribute cannot be pickled; the message names it.
        """
        return cls(_pickled(provider, gained_attributes(provider), hook), dict(pre_reqs))

    def restore(self, provider: DataProvider) -> None:
        """Set the attributes on `provider`."""
        provider.__setstate__(self.attributes())

    def attributes(self) -> dict[str, Any]:
        """Return new copies of the attributes."""
        return pickle.loads(self.payload) if self.payload else {}

    def with_gain(self, other: "ProviderState") -> "ProviderState":
        """Return this state with the attributes of `other` added; the same name: `other` wins."""
        if not other.payload:
            return self
        return replace(
            self, payload=pickle.dumps({**self.attributes(), **other.attributes()}, protocol=5)
        )

    def gain_of(self, provider: DataProvider, hook: str) -> "ProviderState":
        """Return what `provider` has gained or changed since this state was restored on it."""
        before, now = self.attributes(), gained_attributes(provider)
        gained = {
            name: value
            for name, value in now.items()
            if name not in before
            or _pickled(provider, {name: value}, hook) != pickle.dumps({name: before[name]}, 5)
        }
        return ProviderState(_pickled(provider, gained, hook) if gained else b"")


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame, and what the DataProvider knew when it had made it."""

    frame: pd.DataFrame
    state: ProviderState


@dataclass(frozen=True, slots=True)
class PreparedSplits:
    """The sets of a split by name, and what the DataProvider knew when it had made them."""

    frames: Mapping[str, pd.DataFrame]
    state: ProviderState


def _pickled(provider: DataProvider, attributes: Mapping[str, Any], hook: str) -> bytes:
    try:
        return pickle.dumps(dict(attributes), protocol=5)
    except Exception as whole:
        for name, value in attributes.items():
            try:
                pickle.dumps(value, protocol=5)
            except Exception as error:
                raise StateError(
                    f"{provider.id}.{hook}: self.{name} is a {type(value).__name__}, which cannot "
                    f"be pickled and so cannot travel with the data ({error}); make it where it "
                    "is used, or keep what it was made from.",
                    dataprovider_id=provider.id,
                    attribute=name,
                ) from error
        raise StateError(
            f"{provider.id}.{hook}: its attributes cannot be pickled together ({whole})",
            dataprovider_id=provider.id,
        ) from whole
