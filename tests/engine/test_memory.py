"""A worker recalls the values of its earlier steps, unchanged, and only in a worker."""

from contextlib import suppress
from datetime import UTC, datetime

import pandas as pd
import pytest

from xingu.provider.state import PreparedFrame, PreparedSplits, ProviderState
from xingu.values import Facts, Record, Stored
from xingu_dagster.engine import memory

KEY = ("houses", "features")


def frame(rows: int = 3) -> pd.DataFrame:
    town = pd.Series(["north"] * rows, dtype="category")
    return pd.DataFrame({"size": range(rows), "name": ["a"] * rows, "town": town}, dtype=None)


@pytest.fixture
def worker():
    with memory.enabled(10_000):
        yield


def test_nothing_is_remembered_outside_a_worker():
    memory.remember(KEY, "1", frame())
    assert memory.recall(KEY, "1") is None


def test_nothing_is_left_after_a_worker_s_run():
    with memory.enabled(10_000):
        memory.remember(KEY, "1", frame())
        assert memory.recall(KEY, "1") is not None
    with memory.enabled(10_000):
        assert memory.recall(KEY, "1") is None


def test_a_value_is_found_by_its_key_and_its_id(worker):
    memory.remember(KEY, "1", frame())
    pd.testing.assert_frame_equal(memory.recall(KEY, "1"), frame())
    assert memory.recall(KEY, "2") is None
    assert memory.recall(("houses", "cleaned"), "1") is None


@pytest.mark.parametrize("shape", ["frame", "prepared", "splits", "mapping"])
def test_changes_in_place_reach_no_other_copy(worker, shape):
    state = ProviderState(b"pickled", {})
    made = {
        "frame": frame(),
        "prepared": PreparedFrame(frame(), state),
        "splits": PreparedSplits({"train": frame()}, state),
        "mapping": {"train": frame()},
    }[shape]

    def inner(value):
        value = getattr(value, "frames", getattr(value, "frame", value))
        return value["train"] if isinstance(value, dict) else value

    memory.remember(KEY, "1", made)
    for value in (made, memory.recall(KEY, "1")):  # the giver's own, and one that was recalled
        changed = inner(value)
        changed.loc[0, "size"] = 99
        changed["size"] += 1
        changed.index.name = "row"
        del changed["name"]
    again = memory.recall(KEY, "1")
    pd.testing.assert_frame_equal(inner(again), frame())
    assert inner(again).index.name is None
    assert getattr(again, "state", state) == state


def test_arrays_of_a_recalled_frame_cannot_change_the_kept_one(worker):
    memory.remember(KEY, "1", frame())
    sizes = memory.recall(KEY, "1")["size"]
    for array in (sizes.array, sizes.to_numpy()):
        with suppress(ValueError):  # the array is read-only
            array[0] = 99
    pd.testing.assert_frame_equal(memory.recall(KEY, "1"), frame())


def test_a_stored_value_is_recalled_with_its_record(worker):
    record = Record(
        value_id="1",
        run_id="run",
        kind="frame",
        written=datetime.now(UTC),
        data_version="v",
        frames={},
        bytes=1,
        facts=Facts(train_id="calm-fox"),
    )
    memory.remember(KEY, "1", Stored(frame(), record))
    again = memory.recall(KEY, "1")
    assert again.record == record
    pd.testing.assert_frame_equal(again.value, frame())


def test_cells_that_can_be_changed_are_not_remembered(worker):
    memory.remember(KEY, "1", pd.DataFrame({"lists": [[1], [2]]}))
    assert memory.recall(KEY, "1") is None


@pytest.mark.parametrize("value", [b"bytes", {"a": 1}, None, "text"])
def test_values_that_are_no_frames_are_not_remembered(worker, value):
    memory.remember(KEY, "1", value)
    assert memory.recall(KEY, "1") is None


def test_the_value_not_used_for_longest_is_dropped_when_the_memory_is_full():
    size = int(frame(100)[["size"]].memory_usage(deep=True).sum())
    with memory.enabled(2 * size + 10):
        for value_id in ("1", "2"):
            memory.remember(KEY, value_id, frame(100)[["size"]])
        memory.recall(KEY, "1")
        memory.remember(KEY, "3", frame(100)[["size"]])
        assert memory.recall(KEY, "2") is None
        assert memory.recall(KEY, "1") is not None
        assert memory.recall(KEY, "3") is not None


def test_a_value_larger_than_the_memory_is_not_remembered(worker):
    memory.remember(KEY, "1", frame())
    memory.remember(KEY, "2", frame(10_000))
    assert memory.recall(KEY, "2") is None
    assert memory.recall(KEY, "1") is not None
