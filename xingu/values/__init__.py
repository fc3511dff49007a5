"""The value store: values by asset key, with their records."""

from xingu.values.record import Facts, Key, Label, Record, Stored, partition_key
from xingu.values.store import ValueStore

__all__ = ["Facts", "Key", "Label", "Record", "Stored", "ValueStore", "partition_key"]
