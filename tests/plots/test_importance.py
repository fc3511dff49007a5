"""The plot of feature importances, and names that fit on an axis."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.plots import importance
from xingu.plots.importance import MAX_NAME_LENGTH, shortened


def test_all_of_few_features_are_counted_without_a_total():
    figure = importance(pd.Series([1.0, 3.0], ["a", "b"]))
    assert figure.layout.title.subtitle.text == "2 features"
    assert figure.data[0].customdata == ("b", "a")


def test_a_missing_importance_is_left_out_and_counted():
    figure = importance(pd.Series([1.0, np.nan], ["a", "b"]))
    assert list(figure.data[0].x) == [1]
    assert figure.layout.title.subtitle.text == "1 of 2 features"


def test_names_need_not_be_text():
    assert importance(pd.Series([1.0, 2.0], [7, 8])).layout.yaxis.ticktext == ("8", "7")


def test_equal_importances_keep_the_order_of_the_features():
    assert importance(pd.Series([1.0] * 3, [*"zxy"])).data[0].customdata == ("z", "x", "y")


def test_no_feature_makes_an_empty_plot():
    assert importance(pd.Series([], dtype=float)).layout.title.subtitle.text == "0 features"


@given(st.text(max_size=80), st.integers(4, 50))
def test_a_name_is_never_longer_than_the_limit_and_keeps_both_ends(name, longest):
    found = shortened(name, longest)
    assert len(found) <= longest
    if len(name) <= longest:
        assert found == name
    else:
        start, _, end = found.partition("…") if "…" not in name else (found[:1], "", found[-1:])
        assert name.startswith(start)
        assert name.endswith(end)


@pytest.mark.parametrize("length", [MAX_NAME_LENGTH, MAX_NAME_LENGTH + 1])
def test_the_limit_itself_fits(length):
    assert ("…" in shortened("x" * length)) == (length > MAX_NAME_LENGTH)
