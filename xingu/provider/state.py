"""State of a DataProvider: the attributes that its hooks have set.

Attributes are pickled directly after a hook, stored with the frame that the hook returned, and
restored on a new instance before the next hook, which may run in another process. They are pickled
one after the other by one pickler, so that an error names the attribute, and attributes that share
an object share it afterwards too.
"""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from xingu.errors import StateError, text_of
from xingu.provider.base import DataProvider, gained_attributes


@dataclass(frozen=True, slots=True)
class ProviderState:
    """Pickled attributes of a DataProvider, and the train ids of its prerequisites.

    Attributes:
        payload: A pickled header (the hook, the version of pandas, and names), then a pickle of
            each attribute; or one pickle of a dict of attributes. Empty if there are none.
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
        return cls(_pickled(f"{provider.id}.{hook}", gained_attributes(provider)), dict(pre_reqs))

    def restore(self, provider: DataProvider) -> None:
        """Set the attributes on `provider`.

        Raises:
            StateError: If an attribute cannot be unpickled; the text names it and its hook.
        """
        provider.__setstate__(self.attributes())

    def attributes(self) -> dict[str, Any]:
        """Return new copies of the attributes.

        Raises:
            StateError: If one cannot be unpickled; the text names it and its hook.
        """
        if not self.payload:
            return {}
        unpickler = pickle.Unpickler(io.BytesIO(self.payload))
        header = unpickler.load()
        if isinstance(header, dict):
            return header
        attributes, (where, written_by, names) = {}, header
        for name in names:
            try:
                attributes[name] = unpickler.load()
            except Exception as error:  # `__setstate__` of a class can raise anything
                raise _not_restored(where, name, written_by, error) from error
        return attributes

    def with_gain(self, other: "ProviderState") -> "ProviderState":
        """Return this state updated with the attributes of `other`."""
        if not other.payload:
            return self
        both = {**self.attributes(), **other.attributes()}
        return replace(self, payload=_pickled("hyperparameters", both))

    def gain_of(self, provider: DataProvider, hook: str) -> "ProviderState":
        """Return the attributes of `provider` added or changed since this state was restored.

        Raises:
            StateError: If such an attribute cannot be pickled; the text names it.
        """
        before, now = self.attributes(), gained_attributes(provider)
        where = f"{provider.id}.{hook}"
        gained = {
            name: value
            for name, value in now.items()
            if name not in before
            or _pickled(where, {name: value}) != _pickled(where, {name: before[name]})
        }
        return ProviderState(_pickled(where, gained))


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


def _pickled(where: str, attributes: Mapping[str, Any]) -> bytes:
    if not attributes:
        return b""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, protocol=5)
    pickler.dump((where, pd.__version__, tuple(attributes)))
    for name, value in attributes.items():
        try:
            pickler.dump(value)
        except Exception as error:  # `__reduce__` of a class can raise anything
            raise StateError(
                f"{where}: self.{name} is a {type(value).__name__}, which cannot be pickled "
                f"({text_of(error)}), but attributes are stored with the data; create it where it "
                "is used, or store what it is made from.",
                attribute=name,
            ) from error
    return file.getvalue()


def _not_restored(where: str, name: str, written_by: str, error: Exception) -> StateError:
    remedy = "create it where it is used, or store what it is made from"
    if written_by != pd.__version__:
        remedy = (
            f"it was written with pandas {written_by}, and {pd.__version__} is installed: install "
            f"pandas {written_by}, or materialize the asset again"
        )
    return StateError(
        f"{where}: self.{name} was pickled, but cannot be unpickled ({type(error).__name__}: "
        f"{text_of(error)}); {remedy}.",
        attribute=name,
    )
