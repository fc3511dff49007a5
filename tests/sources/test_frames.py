"""Rows of DB-API drivers and tables of Arrow drivers become equal frames."""

import datetime as dt
import json
from decimal import Decimal
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.sources.frames import from_arrow, from_rows

MOMENT = dt.datetime(2024, 1, 2, 3, 4, 5, 6)
IDENTIFIER = UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")


def rows_of(*columns):
    return list(zip(*columns, strict=True))


cells = {
    "integers": st.integers(-(2**53), 2**53),
    "floats": st.floats(allow_nan=False),
    "booleans": st.booleans(),
    "strings": st.text(st.characters(codec="utf-8"), max_size=3),
    "dates": st.dates(),
    "times": st.times().map(lambda time: time.replace(fold=0)),
    "bytes": st.binary(max_size=3),
    "moments": st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)),
    "decimals": st.decimals(-1000, 1000, places=2),
}


@given(data=st.data(), kind=st.sampled_from(sorted(cells)), null=st.booleans())
def test_both_kinds_of_drivers_give_the_same_frame(data, kind, null):
    cell = st.none() | cells[kind] if null else cells[kind]
    column = data.draw(st.lists(cell, min_size=1, max_size=6))
    by_rows = from_rows(["a"], rows_of(column))
    by_arrow = from_arrow(pa.table({"a": pa.array(column)}))
    pd.testing.assert_frame_equal(by_rows, by_arrow)


@pytest.mark.parametrize(
    ("column", "dtype", "values"),
    [
        ([1, 2], "int64", [1, 2]),
        ([1, None], "float64", [1.0, None]),
        ([None, None], "float64", [None, None]),
        ([Decimal("1.10"), None], "float64", [1.1, None]),
        ([IDENTIFIER, None], "str", [str(IDENTIFIER), None]),
        ([1, "x"], "str", ["1", "x"]),
        ([b"x", "y"], "object", [b"x", b"y"]),
        ([memoryview(b"x"), None], "object", [b"x", None]),
        ([True, None], "object", [True, None]),
        ([MOMENT, None], "datetime64[us]", [pd.Timestamp(MOMENT), pd.NaT]),
    ],
)
def test_the_cells_of_a_column_determine_its_dtype(column, dtype, values):
    series = from_rows(["a"], rows_of(column))["a"]
    pd.testing.assert_series_equal(series, pd.Series(values, dtype=dtype, name="a"))


def test_times_of_several_zones_are_converted_to_utc():
    zones = [dt.timezone(dt.timedelta(hours=hours)) for hours in (2, -3)]
    series = from_rows(["a"], rows_of([MOMENT.replace(tzinfo=zone) for zone in zones]))["a"]
    assert str(series.dtype) == "datetime64[us, UTC]"
    assert series.dt.hour.tolist() == [1, 6]


@pytest.mark.parametrize(
    ("column", "dtype", "values"),
    [
        (pa.array([0.1, None], pa.float32()), "float64", [0.1, None]),
        (pa.array([1, 2], pa.int8()), "int64", [1, 2]),
        (pa.array([2**64 - 1], pa.uint64()), "uint64", [2**64 - 1]),
        (pa.array(["a", "b"]).dictionary_encode(), "str", ["a", "b"]),
        (pa.array([None, None], pa.string()), "float64", [None, None]),
        (pa.array([[1, 2], None]), "object", [[1, 2], None]),
        (pa.array([Decimal("1.25")]), "float64", [1.25]),
    ],
)
def test_arrow_types_become_the_dtypes_of_rows(column, dtype, values):
    series = from_arrow(pa.table({"a": column}))["a"]
    pd.testing.assert_series_equal(series, pd.Series(values, dtype=dtype, name="a"))


def test_arrow_times_in_a_zone_are_converted_to_utc_in_microseconds():
    column = pa.array([MOMENT.replace(microsecond=0)], pa.timestamp("s", "Europe/Berlin"))
    series = from_arrow(pa.table({"a": column}))["a"]
    assert str(series.dtype) == "datetime64[us, UTC]"
    assert series[0] == pd.Timestamp("2024-01-02 03:04:05Z")


def test_a_month_of_an_interval_has_thirty_days():
    column = pa.array([pa.MonthDayNano([1, 2, 3_000]), None])
    series = from_arrow(pa.table({"a": column}))["a"]
    assert series.tolist() == [pd.Timedelta(days=32, microseconds=3), pd.NaT]


def test_a_decoder_converts_cells_that_are_not_null():
    table = pa.table({"j": ['{"a": [1, null]}', None], "s": ["[1]", "[2]"]})
    frame = from_arrow(table, [json.loads, None])
    assert frame["j"].tolist() == [{"a": [1, None]}, None]
    assert frame["s"].tolist() == ["[1]", "[2]"]


def test_names_of_columns_may_repeat():
    table = pa.table([pa.array([1]), pa.array(["x"])], names=["a", "a"])
    for frame in (from_arrow(table), from_rows(["a", "a"], [(1, "x")])):
        assert list(frame.columns) == ["a", "a"]
        assert frame.iloc[0].tolist() == [1, "x"]


def test_a_result_without_rows_has_object_columns():
    empty = pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})
    for frame in (from_arrow(empty), from_rows(["a", "b"], [])):
        assert frame.shape == (0, 2)
        assert frame.dtypes.to_dict() == {"a": object, "b": object}
