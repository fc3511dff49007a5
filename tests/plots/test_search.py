"""Plots of searches: every kind of hyperparameter has its place, and the best can be seen."""

import math

import pytest

from xingu.errors import UndefinedMetricError
from xingu.plots.search import search_plots
from xingu.records import Trial


def trials(values, params=lambda number: {"x": number}):
    made = [Trial(number, params(number), "done", value) for number, value in enumerate(values)]
    return [one if one.value is not None else Trial(one.number, {}, "failed") for one in made]


def drawn(name, found, direction="minimize"):
    return search_plots(found, "RMSE", direction)[name]()


def axes(found):
    [lines] = drawn("Parallel coordinates", found).data
    return {one.label: one for one in lines.dimensions}


def axis_of(*values):
    return axes(trials([1.0] * len(values), lambda number: {"x": values[number]}))["x"]


def test_the_title_of_a_plot_is_its_name():
    plots = search_plots(trials(map(float, range(8))), "RMSE", "minimize")
    assert {name: draw().layout.title.text for name, draw in plots.items()} == {
        name: name
        for name in ("Optimization history", "Parallel coordinates", "Hyperparameter importance")
    }


def test_few_trials_say_nothing_of_importance():
    few = search_plots(trials([1.0] * 7), "RMSE", "minimize")
    assert list(few) == ["Optimization history", "Parallel coordinates"]


def test_a_search_without_a_value_has_no_plot():
    assert search_plots(trials([None, math.inf]), "RMSE", "minimize") == {}


def test_importance_where_nothing_matters_is_undefined():
    with pytest.raises(UndefinedMetricError, match="no hyperparameter makes a difference in RMSE"):
        drawn("Hyperparameter importance", trials([1.0] * 9))


def test_the_history_counts_what_has_no_value_and_draws_the_rest():
    figure = drawn("Optimization history", trials([3.0, None, math.inf, 4.0, 2.0]))
    line, dots = figure.data
    assert (dots.x, dots.y, line.y) == ((1, 4, 5), (3, 4, 2), (3, 3, 2))
    assert figure.layout.title.subtitle.text == "5 trials, 2 of them failed; lower is better"


def test_the_history_of_few_trials_has_whole_numbers_below():
    assert drawn("Optimization history", trials([2.0, 1.0])).layout.xaxis.dtick == 1
    assert drawn("Optimization history", trials([1.0] * 40)).layout.xaxis.dtick is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.0, 2.0], None), ([1.0, 1e6], "log"), ([-1e6, 1.0], None)],
    ids=["near", "far", "negative"],
)
def test_the_history_of_values_far_apart_is_logarithmic(values, kind):
    assert drawn("Optimization history", trials(values)).layout.yaxis.type == kind


@pytest.mark.parametrize(("direction", "ranks"), [("minimize", (3, 1, 2)), ("maximize", (1, 3, 2))])
def test_the_best_trial_has_the_highest_rank_whatever_the_others_are(direction, ranks):
    [lines] = drawn("Parallel coordinates", trials([1.0, 1e9, 2.0]), direction).data
    assert tuple(lines.line.color) == ranks


def test_texts_and_none_have_a_place_of_their_own():
    axis = axis_of(5, None, 3, None)
    assert axis.ticktext == ("3", "5", "None")
    assert list(axis.values) == [1, 2, 0, 2]


def test_few_numbers_are_labelled_as_they_are_and_many_as_plotly_does():
    assert axis_of(1, 2, 2, 1).ticktext == ("1", "2")
    assert axis_of(*range(90, 180)).ticktext is None


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ((0.002, 0.5, 30.0), "0.002 0.01 0.1 1 10 30"),
        ((2, 9, 63), "2 5 10 20 50 63"),
        ((7.1, 240), "7.1 10 20 50 100 240"),
    ],
)
def test_a_wide_range_is_labelled_with_its_ends_and_round_numbers(values, labels):
    assert " ".join(axis_of(*values).ticktext) == labels


def test_a_very_wide_range_leaves_round_numbers_out():
    assert len(axis_of(1e-300, 1.0, 1e300).ticktext) <= 18


def test_a_hyperparameter_may_be_called_as_the_metric():
    [lines] = drawn("Parallel coordinates", trials([1.0], lambda _: {"RMSE": 7})).data
    assert [one.values[0] for one in lines.dimensions] == [1, 7]


def test_names_that_would_run_into_each_other_are_shortened_and_tilted():
    many = {f"a_name_that_is_rather_long_{number}": 1 for number in range(9)}
    [lines] = drawn("Parallel coordinates", trials([1.0], lambda _: many)).data
    assert lines.labelangle == -25
    assert len({one.label for one in lines.dimensions}) == 10
    assert max(len(one.label) for one in lines.dimensions) <= 22
    [few] = drawn("Parallel coordinates", trials([1.0])).data
    assert few.labelangle is None
