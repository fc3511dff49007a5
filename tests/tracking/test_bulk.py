"""Many rows at once: what databases receive, on SQLite, PostgreSQL and DuckDB's way."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Double, MetaData, Table, Text, create_engine, select

from xingu.tracking.bulk import ROWS_AT_ONCE, index_strings, insert_columns, plain_values

NAMES = ("name", "index", "number")


@pytest.fixture
def table():
    columns = [Column("name", Text), Column("index", Text), Column("number", Double)]
    return Table("rows of mine", MetaData(), *columns)


@pytest.fixture
def engine(control_url, table):
    engine = create_engine(control_url.replace("postgresql:", "postgresql+psycopg:"))
    table.metadata.create_all(engine)
    yield engine
    engine.dispose()


def written(engine, table, constants, columns) -> list[tuple]:
    with engine.begin() as connection:
        insert_columns(connection, table, constants, columns)
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(select(*(table.c[n] for n in NAMES)))]


def test_constants_are_repeated_and_columns_keep_their_order(engine, table):
    columns = {"index": ["a", "b", "c"], "number": [1.5, None, -2.0]}
    rows = written(engine, table, {"name": "x"}, columns)
    assert rows == [("x", "a", 1.5), ("x", "b", None), ("x", "c", -2.0)]


def test_no_row_leaves_the_table_empty(engine, table):
    assert written(engine, table, {"name": "x"}, {"index": [], "number": []}) == []


@pytest.mark.parametrize(
    "text", ["", " ", "a,b", 'say "hi"', "it's", "line\nbreak", "\\N", "NULL", "Ünï→", "tab\t"]
)
def test_texts_arrive_as_they_are(engine, table, text):
    rows = written(engine, table, {"name": text}, {"index": [text], "number": [0.0]})
    assert rows == [(text, text, 0.0)]


def test_more_rows_than_fit_into_one_chunk_all_arrive(engine, table):
    count = 2 * ROWS_AT_ONCE + 1
    columns = {"index": ["r"] * count, "number": np.arange(count, dtype=float).tolist()}
    rows = written(engine, table, {"name": "x"}, columns)
    assert sorted(row[2] for row in rows) == columns["number"]


def test_numbers_are_exact(engine, table):
    numbers = [0.1 + 0.2, 1e-300, 1e300, -0.0, 2**53 + 0.0]
    rows = written(engine, table, {"name": "x"}, {"index": ["i"] * 5, "number": numbers})
    assert [row[2] for row in rows] == numbers


def test_a_failed_transaction_leaves_no_row(engine, table):
    with pytest.raises(RuntimeError), engine.begin() as connection:
        insert_columns(connection, table, {"name": "x"}, {"index": ["a"], "number": [1.0]})
        raise RuntimeError
    assert written(engine, table, {"name": "x"}, {"index": [], "number": []}) == []


# -- indexes and values ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pd.RangeIndex(2), ["0", "1"]),
        (pd.Index([1.5, np.nan]), ["1.5", "nan"]),
        (pd.Index([True, False]), ["True", "False"]),
        (pd.Index(["a", None], dtype=object), ["a", "None"]),
        (pd.MultiIndex.from_tuples([(1, "x"), (2, "y")]), ["1, x", "2, y"]),
        (pd.CategoricalIndex(["u", "v"]), ["u", "v"]),
        (pd.DatetimeIndex(["2020-01-02 03:04"]), ["2020-01-02 03:04:00"]),
        (pd.to_timedelta(["1 days"]), ["1 days"]),
        (pd.PeriodIndex(["2020-01"], freq="M"), ["2020-01"]),
        (pd.Index([]), []),
    ],
)
def test_an_index_becomes_strings(index, expected):
    assert index_strings(index) == expected


@given(st.lists(st.integers(-(2**62), 2**62)))
def test_integers_come_back_from_their_strings(values):
    strings = index_strings(pd.Index(values, dtype="int64"))
    assert [int(one) for one in strings] == values


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (pd.Series([1, 2]), [1, 2]),
        (pd.Series([1.5, np.nan]), [1.5, None]),
        (pd.Series([True, False]), [1, 0]),
        (pd.Series([True, None], dtype="boolean"), [1, None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series(["a", None]), ["a", None]),
        (pd.Series(pd.Categorical(["a", "b", None])), ["a", "b", None]),
        (pd.Series([Decimal("1.50")]), ["1.50"]),
        (pd.Series([dt.date(2020, 1, 2)]), ["2020-01-02"]),
        (pd.Series([1, "a", 2.5], dtype=object), [1, "a", 2.5]),
        (pd.Series([], dtype="float64"), []),
    ],
)
def test_values_are_numbers_texts_or_none(series, expected):
    assert plain_values(series) == expected


@given(st.lists(st.none() | st.floats(allow_nan=False)))
def test_floats_are_kept_and_missing_ones_are_none(values):
    assert plain_values(pd.Series(values, dtype="float64")) == values
