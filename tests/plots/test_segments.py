"""The mean error by segment."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.errors import UndefinedMetricError
from xingu.plots.segments import error_by_segment

ERRORS = pd.Series(np.repeat([1.0, 5.0], 50))


def shown(figure):
    return {
        name: x for (name, _), x in zip(figure.data[0].customdata, figure.data[0].x, strict=True)
    }


def test_the_worst_segments_come_first_with_the_mean_of_all_beside():
    columns = pd.DataFrame({"town": np.repeat(["north", "south"], 50), "few": [*"ab"] * 50})
    figure = error_by_segment(ERRORS, columns, "error")
    assert next(iter(shown(figure).items())) == ("town = south", 5)
    assert shown(figure)["town = north"] == 1
    assert shown(figure)["few = a"] == 3
    assert figure.data[1].x == (3, 3)


def test_many_numbers_are_cut_into_quarters():
    figure = error_by_segment(ERRORS, pd.DataFrame({"size": np.arange(100.0)}), "error")
    assert list(shown(figure).values()) == [5, 5, 1, 1]
    assert "size = 0 – 24.75" in shown(figure)


def test_segments_weigh_their_rows():
    columns = pd.DataFrame({"all": ["x"] * 100})
    figure = error_by_segment(ERRORS, columns, "error", weight=pd.Series(np.repeat([3, 1], 50)))
    assert shown(figure) == {"all = x": 2}


def test_columns_that_cannot_be_grouped_and_tiny_segments_are_left_out():
    odd = {"lists": [[1]] * 100, "when": pd.date_range("2026", periods=100), "id": range(100)}
    columns = pd.DataFrame({**odd, "id": [f"row {i}" for i in range(100)]})
    with pytest.raises(UndefinedMetricError, match="no segment has 10 rows"):
        error_by_segment(ERRORS, columns, "error")


def test_unknown_values_and_unknown_errors_are_left_out():
    columns = pd.DataFrame({"town": [None] * 20 + ["north"] * 80})
    assert shown(error_by_segment(ERRORS.where(ERRORS > 1), columns, "error")) == {
        "town = north": 5
    }


def test_at_most_25_segments_are_drawn_and_the_rest_is_counted():
    columns = pd.DataFrame({f"c{at}": [*"abc"] * 33 + ["a"] for at in range(10)})
    figure = error_by_segment(ERRORS, columns, "error", "val")
    assert len(figure.data[0].x) == 25
    assert figure.layout.title.subtitle.text.startswith("the worst 25 of 30 segments")
    assert figure.layout.title.text == "Error by segment · val"


def test_only_the_20_most_frequent_values_of_a_column_are_segments():
    towns = [f"town {at}" for at in range(25) for _ in range(10 + at)]
    errors = pd.Series(np.ones(len(towns)))
    names = shown(error_by_segment(errors, pd.DataFrame({"town": towns}), "error"))
    assert set(names) == {f"town = town {at}" for at in range(5, 25)}


@pytest.mark.parametrize(
    "values",
    [
        [True, False] * 50,
        pd.Categorical(["yes", "no"] * 50),
        pd.array([1, 2] * 50, "Int64"),
        pd.array(["yes", "no"] * 50, "string[pyarrow]"),
    ],
    ids=["bool", "category", "nullable", "arrow"],
)
def test_values_of_every_type_are_segments(values):
    figure = error_by_segment(ERRORS, pd.DataFrame({"x": values}), "error")
    assert list(shown(figure).values()) == [3, 3]


def test_long_names_are_shortened_on_the_axis_and_whole_on_hover():
    name = "a_column_with_a_very_long_name_that_has_no_room"
    figure = error_by_segment(ERRORS, pd.DataFrame({name: ["x"] * 100}), "error")
    assert figure.layout.yaxis.ticktext[0].endswith("(100)")
    assert len(figure.layout.yaxis.ticktext[0]) < len(name)
    assert figure.data[0].customdata[0][0] == f"{name} = x"


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 3)), min_size=10, max_size=60))
def test_the_mean_of_one_segment_of_all_rows_is_the_weighted_mean(drawn):
    errors, weight = (pd.Series(column, dtype=float) for column in zip(*drawn, strict=True))
    used = weight > 0
    columns = pd.DataFrame({"all": ["x"] * len(errors)})
    if used.sum() < 10:
        with pytest.raises(UndefinedMetricError):
            error_by_segment(errors, columns, "error", weight=weight)
        return
    figure = error_by_segment(errors, columns, "error", weight=weight)
    assert figure.data[0].x[0] == pytest.approx(np.average(errors, weights=weight))
    assert figure.data[1].x[0] == pytest.approx(figure.data[0].x[0])
