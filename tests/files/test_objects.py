"""Object columns are stored as parquet where every cell keeps its type, and pickled elsewhere."""

import datetime as dt
import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upath import UPath

from xingu.files.frames import parquet_obstacle, read_frame, write_frame, write_parquet


class Name(str):
    """A string of somebody's own."""


KINDS = {
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    "boolean": st.booleans(),
    "date": st.dates(),
    "time": st.times().map(lambda time: time.replace(fold=0)),
    "bytes": st.binary(max_size=3),
    "nothing": st.nothing(),
}
CHANGED = {
    "None and NaN": ["a", None, np.nan],
    "NaT": [dt.date(2024, 1, 1), pd.NaT],
    "numbers": [1, 2.5],
    "strings and bytes": ["a", b"a"],
    "booleans and strings": [True, "a"],
    "moments": [dt.datetime(2024, 1, 1), None],
    "times in a zone": [dt.time(1, tzinfo=dt.UTC), None],
    "times of the second fold": [dt.time(1, fold=1), None],
    "booleans of numpy": [np.True_, None],
    "a subclass of strings": [Name("a"), "b"],
    "half of a surrogate pair": ["\ud800"],
    "lists": [[1], None],
}


def round_trip(frame: pd.DataFrame, folder: UPath, suffix: str) -> None:
    written = write_frame(frame, folder, "frame", "open")
    assert written.file == f"frame{suffix}"
    back = read_frame(folder / written.file)
    pd.testing.assert_frame_equal(back, frame, check_index_type=True, check_column_type=True)
    for one, other in zip(back["cells"], frame["cells"], strict=True):
        assert (type(one), repr(one)) == (type(other), repr(other))
    back.iloc[:1, 0] = frame.iloc[-1:, 0].array  # its memory may be modified


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    cells=st.sampled_from(list(KINDS)).flatmap(
        lambda kind: st.sampled_from([None, np.nan]).flatmap(
            lambda missing: st.lists(KINDS[kind] | st.just(missing), max_size=6)
        )
    )
)
def test_cells_of_one_kind_with_one_kind_of_missing_cells_are_parquet(tmp_path, cells):
    frame = pd.DataFrame({"cells": pd.Series(cells, dtype=object), "n": range(len(cells))})
    round_trip(frame, UPath(tmp_path), ".parquet")


@pytest.mark.parametrize("kind", CHANGED)
def test_cells_that_parquet_would_change_are_pickled(tmp_path, kind):
    frame = pd.DataFrame({"cells": pd.Series(CHANGED[kind], dtype=object)})
    obstacle = parquet_obstacle(frame)
    assert obstacle == "the column 'cells' holds Python objects; cast it to text or numbers"
    round_trip(frame, UPath(tmp_path), ".pkl")


@pytest.mark.parametrize(
    ("index", "suffix"),
    [
        ([dt.date(2024, 1, 1), None], ".parquet"),
        ([b"a", b"b"], ".parquet"),
        ([None, True], ".pkl"),
        (["a", "b"], ".pkl"),
        ([dt.date(2024, 1, 1), b"b"], ".pkl"),
    ],
)
def test_an_index_of_objects_comes_back(tmp_path, index, suffix):
    frame = pd.DataFrame({"cells": [1, 2]}, index=pd.Index(index, dtype=object))
    round_trip(frame, UPath(tmp_path), suffix)


def test_a_frame_without_rows_and_columns_is_parquet(tmp_path):
    written = write_frame(pd.DataFrame(), UPath(tmp_path), "frame", "open")
    assert written.file == "frame.parquet"
    back = read_frame(UPath(tmp_path) / written.file)
    pd.testing.assert_frame_equal(back, pd.DataFrame(), check_column_type=True)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (pd.DataFrame({1: [1]}), "the names of its columns are not strings, or repeat"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the names of its columns are not strings"),
        (pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])), "several levels"),
        (pd.DataFrame({"a": [1]}, index=pd.Index([1], name=5)), "its index, 5, is not a string"),
        (pd.DataFrame({"a": pd.Categorical([1])}), "the column 'a' has the type category"),
        (pd.DataFrame({"a": [1]}, index=pd.period_range("2024", periods=1)), "its index has the"),
        (
            pd.DataFrame({"a": pd.to_datetime(["2024-01-01"]).as_unit("s")}),
            r"parquet changes it: .*datetime64\[ms\].*datetime64\[s\]",
        ),
    ],
)
def test_the_obstacle_names_what_parquet_changes(frame, reason):
    assert re.search(reason, str(parquet_obstacle(frame)))


def test_other_tools_read_objects_as_their_own_types():
    buffer = io.BytesIO()
    frame = pd.DataFrame({"d": pd.Series([dt.date(2024, 1, 2), None]), "b": [True, None]})
    write_parquet(frame, buffer)
    types = pd.read_parquet(buffer, dtype_backend="pyarrow").dtypes.astype(str).to_dict()
    assert types == {"d": "date32[day][pyarrow]", "b": "bool[pyarrow]"}
