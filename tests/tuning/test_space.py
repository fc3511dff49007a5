"""Search spaces: both notations, and what every dimension promises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skopt.space import Categorical, Integer, Real

from tests.support.searches import untuned
from xingu.errors import DeclarationError
from xingu.tuning.space import Dimension, outside, parse_space, restore_types

SKOPT = {
    "depth": Integer(2, 9),
    "rate": Real(0.01, 1.0),
    "l2": Real(1e-6, 10.0, prior="log-uniform"),
    "kind": Categorical(["gbdt", "dart"]),
}
OF_2_0 = {
    "depth": ("int", {"low": 2, "high": 9}),
    "rate": ("uniform", {"low": 0.01, "high": 1.0}),
    "l2": ("loguniform", {"low": 1e-6, "high": 10.0}),
    "kind": ("categorical", {"choices": ["gbdt", "dart"]}),
}


def test_both_forms_declare_the_same_space():
    assert parse_space(SKOPT, "dp") == parse_space(OF_2_0, "dp")


def test_float_and_uniform_are_the_same():
    both = [
        parse_space({"a": (kind, {"low": 0, "high": 1})}, "dp") for kind in ("float", "uniform")
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize("declared", [SKOPT, OF_2_0], ids=["skopt", "2.0"])
def test_values_are_plain_and_inside_and_come_back_from_their_position(declared):
    for dimension in parse_space(declared, "dp").values():
        for position in (0, 0.3, 0.7, 1):
            value = dimension.at(position)
            assert type(value) in (int, float, str)
            assert dimension.contains(value)
            assert dimension.at(dimension.position(value)) == pytest.approx(value)


def test_a_step_is_kept():
    space = parse_space({"a": ("int", {"low": 10, "high": 50, "step": 20})}, "dp")
    assert {space["a"].at(number / 20) for number in range(21)} == {10, 30, 50}


def test_choices_that_json_changes_are_restored():
    space = parse_space({"layers": ("categorical", {"choices": [(5, 5), (9,)]})}, "dp")
    assert space["layers"].restore([9]) == (9,)


@pytest.mark.parametrize(
    ("dimension", "says"),
    [
        (("int", {"low": 5, "high": 5}), "5 to 5 is empty"),
        (("float", {"low": 2, "high": 1}), "2 to 1 is empty"),
        (("categorical", {"choices": []}), "no values to choose"),
        (("loguniform", {"low": 0, "high": 1}), "must begin above 0"),
        (("flaot", {"low": 0, "high": 1}), "no kind 'flaot'.*Did you mean 'float'"),
        (("int", {"low": 0.5, "high": 3}), "0.5 is not an integer"),
        (("int", {"low": 0}), "needs both low and high"),
        (("int", {"lo": 0, "high": 3}), "write .'int', dict.low=…"),
        ("abc", "is not a dimension"),
    ],
)
def test_what_cannot_be_searched_is_an_error_that_says_where_before_the_first_trial(
    dimension, says
):
    model = untuned(estimator_hyperparams_search_space={"x": dimension})
    with pytest.raises(DeclarationError, match=rf"hills.*search_space\['x'\].*{says}"):
        model.hyperparam_optimize()
    assert model.log.trials == []


# -- any dimension --------------------------------------------------------------------------------

bounds = st.tuples(st.integers(-(10**6), 10**6), st.integers(1, 10**6))
positions = st.floats(0, 1)


def number(low: float, width: float, **options) -> Dimension:
    kind = "int" if options.pop("integer", False) else "float"
    declared = (kind, {"low": low, "high": low + width, **options})
    return parse_space({"x": declared}, "dp")["x"]


@given(bounds, positions, st.booleans())
def test_every_position_is_a_value_of_the_range(ends, position, integer):
    dimension = number(*ends, integer=integer)
    value = dimension.at(position)
    assert type(value) is (int if integer else float)
    assert ends[0] <= value <= sum(ends)
    assert dimension.contains(value)


@given(bounds, st.booleans())
def test_the_ends_are_reached(ends, integer):
    dimension = number(*ends, integer=integer)
    assert (dimension.at(0), dimension.at(1)) == (ends[0], sum(ends))
    assert (dimension.position(ends[0]), dimension.position(sum(ends))) == (0, 1)


@given(st.floats(1e-6, 1e3), st.floats(1.5, 1e6), positions)
def test_a_logarithmic_range_maps_there_and_back(low, factor, position):
    dimension = number(low, low * factor - low, log=True)
    value = dimension.at(position)
    assert dimension.contains(value)
    assert dimension.position(value) == pytest.approx(position, abs=1e-6)


@given(st.integers(0, 100), st.integers(2, 100), st.integers(1, 20), positions)
def test_values_of_a_range_with_steps_are_on_a_step_or_the_upper_bound(low, width, step, position):
    dimension = number(low, width, integer=True, step=step)
    value = dimension.at(position)
    assert value == low + width or (value - low) % step == 0


@given(bounds, st.integers(1, 40), st.booleans())
def test_a_grid_ascends_within_the_range(ends, levels, integer):
    grid = number(*ends, integer=integer).grid(levels)
    assert grid == sorted(set(grid))
    assert 1 <= len(grid) <= levels


@given(st.lists(st.none() | st.booleans() | st.integers() | st.text(), min_size=1), positions)
def test_every_choice_survives_json(choices, position):
    dimension = parse_space({"x": ("categorical", {"choices": choices})}, "dp")["x"]
    value = dimension.at(position)
    assert value in choices
    restored = dimension.restore(json.loads(json.dumps(value)))
    assert (restored, type(restored)) == (value, type(value))


def test_true_and_one_are_different_choices():
    dimension = parse_space({"x": ("categorical", [1, True])}, "dp")["x"]
    assert (dimension.index(1), dimension.index(True)) == (0, 1)


@pytest.mark.parametrize("value", [True, "5", None, float("nan"), 5.5, 11, -1])
def test_what_is_not_in_an_integer_range_is_outside(value):
    space = parse_space({"x": ("int", {"low": 0, "high": 10})}, "dp")
    assert outside(space, {"x": value, "other": 7}) == {"x": value}


def test_stored_integers_are_integers_again_and_others_stay():
    space = parse_space({"x": ("int", {"low": 0, "high": 10})}, "dp")
    restored = restore_types(space, {"x": 3.0, "other": 3.0})
    assert [(type(one), one) for one in restored.values()] == [(int, 3), (float, 3.0)]


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0, float("inf"), "inf is not a finite number"),
        (float("nan"), 1, "nan is not a finite number"),
        (True, 2, "True is not a finite number"),
        ("1", 2, "'1' is not a finite number"),
        (None, 2, "None is not a finite number"),
    ],
)
def test_bounds_are_finite_numbers(low, high, says):
    with pytest.raises(DeclarationError, match=says):
        parse_space({"x": ("float", {"low": low, "high": high})}, "dp")


@pytest.mark.parametrize("step", [0, -1])
def test_a_step_is_above_0(step):
    with pytest.raises(DeclarationError, match="step must be above 0"):
        parse_space({"x": ("int", {"low": 0, "high": 5, "step": step})}, "dp")


def test_a_bare_list_is_read_as_scikit_optimize_does():
    space = parse_space({"kind": ["a", "b"], "n": (1, 5)}, "dp")
    assert space["kind"].values == ("a", "b")
    assert (space["n"].low, space["n"].high, space["n"].integer) == (1, 5, True)
