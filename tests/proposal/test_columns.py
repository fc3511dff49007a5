"""What a column holds is found in its values, whatever its type."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from xingu.proposal import describe

N = 40


def only(values) -> object:
    [column] = describe(pd.DataFrame({"x": pd.Series(values)}))
    return column


DAYS = pd.date_range("2024-01-01", periods=N)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.linspace(0, 1, N), "number"),
        (range(N), "number"),
        ([Decimal("1.5"), Decimal("2.5")] * 20, "number"),
        ([True, None] * 20, "yes/no"),
        (["a", "b"] * 20, "text"),
        (pd.Categorical(["a", "b"] * 20), "text"),
        (DAYS, "date"),
        ([day.date() for day in DAYS], "date"),
        ([None] * N, "empty"),
        ([[1]] * N, "other"),
        ([1, "a"] * 20, "other"),
        ([b"a"] * N, "other"),
        ([dt.timedelta(1)] * N, "other"),
    ],
)
def test_a_column_has_a_kind(values, kind):
    assert only(values).kind == kind


@pytest.mark.parametrize(
    ("texts", "kind", "first"),
    [
        (["1.5", " 2", "-3e4", "?"] + ["4"] * 36, "number", 1.5),
        (["1,234.5", "7"] * 20, "number", 1234.5),
        (["00123", "45678"] * 20, "text", "00123"),
        (["10115", "80331"] * 20, "text", "10115"),
        (["12", "AB"] * 20, "text", "12"),
        (["2024-03-01", "2024-03-02"] * 20, "date", pd.Timestamp("2024-03-01")),
        (["2024-03-01T05:00:00Z"] * 40, "date", pd.Timestamp("2024-03-01 05:00", tz="UTC")),
        (["31.03.2024", "01.04.2024"] * 20, "date", pd.Timestamp("2024-03-31")),
        (["03/31/2024", "04/01/2024"] * 20, "date", pd.Timestamp("2024-03-31")),
        (["2024/03/31 10:30", "none"] + ["2024/04/01 00:00"] * 38, "date",
         pd.Timestamp("2024-03-31 10:30")),
        (["1.2.3", "4.5.6"] * 20, "text", "1.2.3"),
    ],
)  # fmt: skip
def test_texts_that_are_numbers_or_dates_are_recognized_and_codes_stay_texts(texts, kind, first):
    column = only(texts)
    assert (column.kind, column.values.iloc[0]) == (kind, first)


def test_placeholders_count_as_missing():
    assert only(["1.5", "n/a"] + ["2"] * 38).missing == 1


def test_integers_beyond_float64_are_wide():
    assert only([2**60 + one for one in range(N)]).wide
    assert not only(range(N)).wide


def test_infinite_numbers_are_missing():
    assert only([np.inf, *range(N)]).missing == 1


def test_columns_without_a_usable_name_are_not_described():
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "a", 3, ""])
    assert describe(frame) == []
