"""State of a DataProvider: the attributes that its hooks have set.

Attributes are pickled directly after a hook, stored with the frame that the hook returned, and
restored on a new instance before the next hook, which may run in another process.
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
    """Pickled attributes of a DataProvider, and the train ids of its prerequisites.

    Attributes:
        payload: Pickle of a dict of attributes; empty if there are none.
        pre_reqs: Train ids by id of the prerequisite.
    """

    payload: bytes = b""
    pre_reqs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def capture(cls, provider: DataProvider, hook: str, pre_reqs: Mapping[str, str]) -> Self:
        """Capture the attributes of `provider` after `hook`.

        Args:
            provider: The DataProvider.
            hook: Name of the hook that ran last, for errors.
            pre_reqs: Train ids by id of the prerequisite.

        Raises:
            StateError: If an attribute cannot be pickled; the text names it.
        """
        return cls(_pickled(provider, gained_attributes(provider), hook), dict(pre_reqs))

    def restore(self, provider: DataProvider) -> None:
        """Set the attributes on `provider`."""
        provider.__setstate__(self.attributes())

    def attributes(self) -> dict[str, Any]:
        """Return new copies of the attributes."""
        return pickle.loads(self.payload) if self.payload else {}

    def with_gain(self, other: "ProviderState") -> "ProviderState":
        """Return this state updated with the attributes of `other`."""
        if not other.payload:
            return self
        return replace(
            self, payload=pickle.dumps({**self.attributes(), **other.attributes()}, protocol=5)
        )

    def gain_of(self, provider: DataProvider, hook: str) -> "ProviderState":
        """Return the attributes of `provider` added or changed since this state was restored.

        Raises:
            StateError: If such an attribute cannot be pickled; the text names it.
        """
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
    """A frame, and the state of the DataProvider after the hook that returned it."""

    frame: pd.DataFrame
    state: ProviderState


@dataclass(frozen=True, slots=True)
class PreparedSplits:
    """Sets of a split by name, and the state of the DataProvider after the split."""

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
                    f"be pickled ({error}), but attributes are stored with the data; create it "
                    "where it is used, or store what it is made from.",
                    dataprovider_id=provider.id,
                    attribute=name,
                ) from error
        raise StateError(
            f"{provider.id}.{hook}: its attributes cannot be pickled together ({whole})",
            dataprovider_id=provider.id,
        ) from whole
