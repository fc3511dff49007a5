"""Samplers: which points they propose, from the trials alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.records import Trial
from xingu.tuning.plan import SearchPlan
from xingu.tuning.samplers import costs, make_sampler
from xingu.tuning.space import parse_space

SPACE = parse_space(
    {
        "x": ("float", {"low": 0, "high": 10}),
        "n": ("int", {"low": 1, "high": 64}),
        "rate": ("loguniform", {"low": 1e-4, "high": 1.0}),
        "colour": ("categorical", {"choices": ["red", "green", None]}),
    },
    "hills",
)
SMALL = parse_space({"a": ("int", {"low": 1, "high": 3}), "b": ("categorical", [True, False])}, "h")
METHODS = ("gp", "forest", "random", "optuna")
PLAN = SearchPlan(metric="MAE", direction="minimize", seed=1, initial_points=4)


def done(number: int, params, value: float | None = None) -> Trial:
    value = float(params.get("x", number)) if value is None else value
    return Trial(number, params, "done", value)


def played(plan, space=SPACE, count=8, starts=()) -> list[Trial]:
    """Return the trials of a search whose value is `x`."""
    sample = make_sampler(plan, space, starts, "hills")
    trials: list[Trial] = []
    for number in range(count):
        params = sample(number, trials)
        if params is None:
            break
        trials.append(done(number, params))
    return trials


@pytest.mark.parametrize("method", METHODS)
def test_every_point_is_inside_the_space_and_made_of_plain_values(method):
    for trial in played(replace(PLAN, method=method)):
        assert list(trial.params) == list(SPACE)
        assert all(SPACE[name].contains(value) for name, value in trial.params.items())
        kinds = [type(value) for value in trial.params.values()]
        assert kinds[:3] == [float, int, float]
        assert kinds[3] in (str, type(None))


@pytest.mark.parametrize("method", [*METHODS, "grid"])
def test_the_same_seed_and_trials_give_the_same_points_and_another_seed_others(method):
    plan = replace(PLAN, method=method, grid_levels=3)
    assert played(plan) == played(plan)
    assert played(plan) != played(replace(plan, seed=2))


@pytest.mark.parametrize("method", METHODS)
def test_a_sampler_that_was_made_anew_goes_on_with_the_same_points(method):
    plan = replace(PLAN, method=method)
    trials = played(plan)
    for number in (2, 5, 7):
        sample = make_sampler(plan, SPACE, (), "hills")
        assert sample(number, trials[:number]) == trials[number].params


@pytest.mark.parametrize("method", [*METHODS, "grid"])
def test_points_to_start_with_come_first_and_are_not_repeated(method):
    starts = [{"a": 2, "b": True}, {"a": 3, "b": False}]
    plan = replace(PLAN, method=method, grid_levels=3)
    trials = played(plan, SMALL, 4, starts)
    assert [trial.params for trial in trials[:2]] == starts
    assert all(trial.params not in starts for trial in trials[2:] if method != "grid")


@pytest.mark.parametrize("method", METHODS)
def test_a_small_space_is_tried_whole_without_repeats_and_then_ends(method):
    trials = played(replace(PLAN, method=method), SMALL, 50)
    points = {(trial.params["a"], trial.params["b"]) for trial in trials}
    assert len(points) == len(trials) == 6


def test_a_grid_has_every_point_once():
    trials = played(replace(PLAN, method="grid", grid_levels=3), SMALL, 50)
    assert sorted((one.params["a"], one.params["b"]) for one in trials) == [
        (a, b) for a in (1, 2, 3) for b in (False, True)
    ]


def test_the_levels_of_a_grid_include_both_ends():
    space = parse_space({"x": ("float", {"low": 0, "high": 10})}, "h")
    trials = played(replace(PLAN, method="grid", grid_levels=5), space, 50)
    assert sorted(one.params["x"] for one in trials) == [0, 2.5, 5, 7.5, 10]


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_first_points_of_a_model_cover_every_slice_of_every_dimension(count, seed):
    plan = replace(PLAN, method="forest", initial_points=count, seed=seed)
    space = parse_space({name: ("float", {"low": 0, "high": 1}) for name in "ab"}, "h")
    sample = make_sampler(plan, space, (), "h")
    points = [sample(number, []) for number in range(count)]
    for name in "ab":
        slices = sorted(int(min(point[name], 1 - 1e-12) * count) for point in points)
        assert slices == list(range(count))


@pytest.mark.parametrize("method", METHODS)
def test_if_every_trial_so_far_has_failed_a_point_is_proposed_all_the_same(method):
    failed = [replace(trial, state="failed", value=None) for trial in played(PLAN, count=5)]
    sample = make_sampler(replace(PLAN, method=method), SPACE, (), "hills")
    assert sample(5, failed) is not None


@pytest.mark.parametrize("method", METHODS)
def test_running_and_failed_trials_are_accepted(method):
    trials = played(PLAN, count=6)
    trials[1] = replace(trials[1], state="failed", value=None)
    trials[5] = Trial(5, trials[5].params)
    sample = make_sampler(replace(PLAN, method=method), SPACE, (), "hills")
    assert sample(6, trials) not in [trial.params for trial in trials]


# -- costs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "expected"), [("minimize", [1, 5, 5, 1]), ("maximize", [-1, -5, -1, -5])]
)
def test_a_failed_trial_costs_as_much_as_the_worst_and_a_running_one_as_the_best(
    direction, expected
):
    trials = [done(0, {}, 1.0), done(1, {}, 5.0), Trial(2, {}, "failed"), Trial(3, {})]
    assert costs(replace(PLAN, direction=direction), trials) == expected


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_the_best_trial_has_the_smallest_cost(values):
    trials = [done(number, {}, value) for number, value in enumerate(values)]
    for direction, best in (("minimize", np.argmin(values)), ("maximize", np.argmax(values))):
        assert np.argmin(costs(replace(PLAN, direction=direction), trials)) == best
