"""Comparison of the results of train hooks and batch hooks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.checks.catalog import built_in_checks
from xingu.checks.check import Declared
from xingu.checks.parity import (
    LARGE,
    different,
    for_batch,
    parity,
    recognized,
    replay_sample,
    unknown_rows,
)

FRAME = pd.DataFrame({"size": [1.0, 2.0, np.nan], "town": ["a", "b", None]}, index=[7, 8, 9])


def rows(count: int) -> pd.DataFrame:
    return pd.DataFrame({"a": np.zeros(count)})


# -- sample ---------------------------------------------------------------------------------------


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 200))
def test_a_sample_has_at_most_half_of_the_largest_source_and_all_of_the_others(one, other, limit):
    sample = replay_sample({"one": rows(one), "other": rows(other)}, limit)
    largest = "one" if one >= other else "other"
    sizes = {"one": one, "other": other}
    most = min(limit, max(1, sizes[largest] // 2))
    for name, size in sizes.items():
        assert len(sample[name]) == (min(size, most) if name == largest else size)


def test_a_sample_is_a_copy_and_the_same_each_time():
    frames = {"one": pd.DataFrame({"a": range(100)})}
    first, again = replay_sample(frames, 10), replay_sample(frames, 10)
    pd.testing.assert_frame_equal(first["one"], again["one"])
    first["one"]["a"] = -1
    assert frames["one"]["a"].min() == 0


def test_two_large_sources_and_no_source_give_a_reason():
    frames = {"one": rows(LARGE + 2), "other": rows(LARGE + 1)}
    assert replay_sample(frames, 10) == "'one' and 'other' are both too large to be replayed"
    assert replay_sample({}, 10) == "training reads no source"


@pytest.mark.parametrize(
    ("batch_sources", "names"),
    [(["a"], {"a"}), (["b", "a"], {"a", "b"}), ([], set())],
)
def test_sources_of_the_batch_are_those_of_the_same_name(batch_sources, names):
    assert set(for_batch({"a": FRAME, "b": FRAME}, batch_sources)) == names


def test_the_only_source_may_have_another_name():
    assert for_batch({"a": FRAME}, ["b"])["b"] is FRAME
    assert for_batch({"a": FRAME}, ["a", "c"]) == "the batch reads c, which training does not"


# -- comparison -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        FRAME,
        FRAME.assign(size=FRAME["size"] * (1 + 1e-9)),
        FRAME.astype({"size": "Float64"}),
        FRAME.astype({"town": "category"}),
        FRAME.astype({"town": "string"}),
    ],
    ids=["same", "rounded", "nullable", "category", "string"],
)
def test_equal_values_of_other_types_are_the_same(changed):
    assert different(FRAME, changed) == {}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"size": [1.0, 3.0, np.nan]}, {"size": [False, True, False]}),
        ({"size": [1.0, 2.0, 0.0]}, {"size": [False, False, True]}),
        ({"town": ["a", "b", "b"]}, {"town": [False, False, True]}),
        ({"town": [1, 2, 3]}, {"town": [True, True, True]}),
    ],
)
def test_rows_that_differ_are_marked_by_column(changes, found):
    marked = different(FRAME, FRAME.assign(**changes))
    assert {name: mask.to_list() for name, mask in marked.items()} == found


def test_rows_are_recognized_by_one_column_that_varies_and_is_equal():
    assert recognized(FRAME, FRAME.assign(size=0.0))
    assert not recognized(FRAME, FRAME.assign(size=0.0, town="c"))
    constant = FRAME.assign(size=1.0, town="a")
    assert not recognized(constant, constant)


# -- outcome --------------------------------------------------------------------------------------


def test_the_same_values_pass():
    outcome = parity(FRAME, FRAME.copy())
    assert outcome.passed
    assert outcome.figures == {"rows": 3, "columns different": 0}


@pytest.mark.parametrize(
    ("control", "relearned", "conclusive"),
    [
        (None, (), False),
        (FRAME, (), True),
        (FRAME.assign(size=5.0), (), False),
        (FRAME.drop(columns="size"), (), False),
        (FRAME.set_axis([1, 2, 3]), (), False),
        (None, ("mean",), True),
    ],
    ids=["unknown", "as before", "differs", "no column", "other rows", "learned again"],
)
def test_a_difference_is_conclusive_if_the_train_hooks_still_give_the_old_values(
    control, relearned, conclusive
):
    outcome = parity(FRAME, FRAME.assign(size=9.0), control, relearned)
    assert (outcome.passed, outcome.conclusive) == (False, conclusive)
    assert outcome.figures == {"rows": 3, "columns different": 1, "rows different": 3}
    assert outcome.rows[0] == {"column": "size", "row": "7", "train": 1.0, "batch": 9.0}


@given(st.integers(1, 40))
def test_examples_are_at_most_twenty_and_of_every_column_that_fits(columns):
    frame = pd.DataFrame({f"c{number}": range(30) for number in range(columns)})
    outcome = parity(frame, frame + 1)
    assert len(outcome.rows) <= 20
    assert len({row["column"] for row in outcome.rows}) == min(columns, 20)


def test_rows_that_cannot_be_matched_are_not_applicable():
    assert unknown_rows().passed
    assert "index" in unknown_rows().figures["not applicable"]


def test_parity_applies_to_providers_with_a_batch_and_is_deferred():
    check = built_in_checks()["batch_parity"]
    assert check.deferred
    assert [check.applies(Declared(batch, ())) for batch in (True, False)] == [True, False]
