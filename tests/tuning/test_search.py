"""Searches on small models: what they find, how they go on, and what they refuse."""

import logging
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.searches import Hills, search_with, trials_of, untuned
from tests.support.toys import Houses
from xingu.errors import DataError, DeclarationError
from xingu.tuning.trials import TrialLog

METHODS = ["gp", "forest", "random", "grid", "optuna"]


def plan(**changed):
    return {**Hills.hyperopt, **changed}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_a_good_point_within_its_budget(method):
    model = untuned(hyperopt=plan(method=method, evaluations=25, grid_levels=11))
    found = model.hyperparam_optimize()
    assert len(trials_of(model)) <= 25
    assert found["colour"] == "red"
    assert found["x"] == pytest.approx(3, abs=1)
    assert model.estimator.hyperparams == found


@pytest.mark.parametrize("method", ["gp", "forest", "optuna"])
def test_a_model_of_the_trials_beats_chance(method):
    best = {}
    for name in ("random", method):
        model = untuned(hyperopt=plan(method=name, evaluations=25))
        model.hyperparam_optimize()
        best[name] = min(trial.value for trial in trials_of(model))
    assert best[method] < best["random"]


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=4, deadline=None)
@given(killed_after=st.integers(0, 12), seed=st.integers(0, 1000))
def test_a_search_that_was_killed_ends_as_if_it_was_not(method, killed_after, seed):
    def trials(known):
        model = untuned(hyperopt=plan(method=method, seed=seed), estimator_params={"edge": 8})
        search_with(model, TrialLog(known))
        found = model.hyperparam_optimize()
        return found, [replace(one, started=0, ended=0) for one in trials_of(model)]

    whole = trials([])
    assert trials(whole[1][:killed_after]) == whole


def test_more_evaluations_go_on_with_the_same_trials():
    short, long = untuned(), untuned(hyperopt=plan(evaluations=15))
    short.hyperparam_optimize()
    long.hyperparam_optimize()
    points = [[trial.params for trial in trials_of(model)] for model in (short, long)]
    assert points[1][:12] == points[0]


def test_no_point_is_tried_twice_and_a_small_space_ends_the_search():
    space = {"x": ("int", {"low": 1, "high": 3}), "colour": ("categorical", {"choices": ["red"]})}
    model = untuned(estimator_hyperparams_search_space=space)
    assert model.hyperparam_optimize() == {"x": 3, "colour": "red"}
    assert sorted(trial.params["x"] for trial in trials_of(model)) == [1, 2, 3]


def test_a_trial_that_raises_is_failed_and_the_search_goes_on():
    model = untuned(estimator_params={"edge": 4})
    assert model.hyperparam_optimize()["x"] <= 4
    failed = [trial for trial in trials_of(model) if trial.state == "failed"]
    assert failed
    assert all("ValueError: the slope is too steep" in trial.reason for trial in failed)


def test_if_all_fail_the_error_names_the_first_cause_and_the_next_search_begins_anew():
    model = untuned(estimator_params={"edge": -1})
    with pytest.raises(DataError, match="hills: all 12 trials.*first with ValueError: the slope"):
        model.hyperparam_optimize()
    assert [trial.state for trial in trials_of(model)] == ["failed"] * 12
    again = untuned()
    search_with(again, TrialLog(trials_of(model)))
    again.hyperparam_optimize()
    assert {trial.state for trial in trials_of(again)} == {"done"}


def test_the_budget_in_seconds_ends_a_search():
    budget = plan(evaluations=1000, seconds=0.5, method="random")
    model = untuned(hyperopt=budget, estimator_params={"seconds": 0.05})
    began = time.monotonic()
    model.hyperparam_optimize()
    assert time.monotonic() - began < 5
    assert 1 <= len(trials_of(model)) <= 11


def test_several_workers_run_trials_at_once():
    took = {}
    for workers in (1, 4):
        budget = plan(method="random", evaluations=8)
        model = untuned(hyperopt=budget, estimator_params={"seconds": 0.1})
        search_with(model, workers=workers)
        began = time.monotonic()
        model.hyperparam_optimize()
        took[workers] = time.monotonic() - began
        assert [trial.number for trial in trials_of(model)] == list(range(8))
    assert took[4] < 0.65 * took[1]


def test_the_declared_hyperparameters_are_the_first_trial():
    model = untuned(estimator_hyperparams={"x": 2.5, "colour": "green", "edge": 9})
    found = model.hyperparam_optimize()
    assert trials_of(model)[0].params == {"x": 2.5, "colour": "green"}
    assert found["edge"] == 9


@pytest.mark.parametrize("workers", [1, 2])
def test_the_direction_can_be_turned_round(workers):
    model = untuned(hyperopt=plan(direction="maximize", evaluations=25))
    search_with(model, workers=workers)
    assert model.hyperparam_optimize()["x"] > 8


@pytest.mark.parametrize("estimator", ["Regressor", "Classifier"])
@pytest.mark.parametrize("folds", [0, 3])
def test_lightgbm_is_searched_on_val_or_by_cross_validation(estimator, folds):
    classifier = estimator == "Classifier"
    model = untuned(
        Houses,
        estimator_class=f"xingu.estimators.LightGBM{estimator}",
        y="town" if classifier else "price",
        x_estimator_features=("size", "price") if classifier else ("size", "town_code"),
        estimator_hyperparams_search_space={
            "learning_rate": ("loguniform", {"low": 0.001, "high": 0.3}),
            "num_leaves": ("int", {"low": 2, "high": 15}),
        },
        hyperopt={"folds": folds, "evaluations": 8, "metric": "Accuracy" if classifier else "R2"},
    )
    if folds:
        model.sets = {"train": model.sets["train"]}
    model.hyperparam_optimize()
    values = [trial.value for trial in trials_of(model)]
    assert max(values) > (0.5 if classifier else 0.9)
    assert len(set(values)) > 1


def test_without_val_and_folds_the_error_says_what_to_do():
    model = untuned()
    model.sets = {"train": model.sets["train"]}
    with pytest.raises(DataError, match="'val', which the split does not have.*'folds': 5"):
        model.hyperparam_optimize()


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"hyperopt": {"evalutions": 3}}, "hyperopt has no 'evalutions'.*Did you mean 'evaluat"),
        ({"hyperopt": {"metric": "Log Loss"}}, "'Log Loss'; known: RMSE"),
        ({"hyperopt": {"method": "gbrt"}}, "'gbrt'; known: gp, forest, random, grid, optuna"),
        ({"hyperopt": {"direction": "up"}}, "'up'; known: minimize, maximize"),
        ({"hyperopt": {"evaluations": 0}}, "0; write an integer of at least 1"),
        ({"hyperopt": {"folds": 1}}, "write 0 for `val`, or at least 2"),
        ({"hyperopt": {"seconds": 0}}, "write more than 0"),
        (
            {
                "hyperopt": {"method": "grid", "grid_levels": 1001},
                "estimator_hyperparams_search_space": {
                    name: ("float", {"low": 0, "high": 1}) for name in ("x", "edge")
                },
            },
            "the grid has more than 1,000,000 points",
        ),
        ({"hyperopt": {"start_with": [{"x": 1}]}}, "the point lacks 'colour'"),
        ({"hyperopt": {"start_with": [{"y": 1}]}}, "'y' is not in the search space"),
        ({"estimator_hyperparams": {"x": 11}}, r"\['x'\]: 11 is outside its search space.*0 to 10"),
        ({"estimator_hyperparams": {"colour": "blue"}}, "'blue' is outside.*'red', 'green'"),
        ({"estimator_hyperparams_search_space": {"y": ("int", {"low": 0, "high": 1})}}, "no 'y'"),
    ],
)
def test_a_declaration_that_cannot_work_is_an_error_before_the_first_trial(declared, says):
    model = untuned(**declared)
    with pytest.raises(DeclarationError, match=says):
        model.hyperparam_optimize()
    assert trials_of(model) == []


def test_lightgbm_refuses_a_hyperparameter_that_it_does_not_have():
    space = {"num_leafs": ("int", {"low": 2, "high": 5})}
    model = untuned(Houses, estimator_hyperparams_search_space=space)
    with pytest.raises(DeclarationError, match="no parameter 'num_leafs'.*num_leaves"):
        model.hyperparam_optimize()


def test_without_optuna_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(DeclarationError, match=r"pip install 'xingu\[optuna\]'"):
        untuned(hyperopt=plan(method="optuna")).hyperparam_optimize()


def test_the_log_tells_trial_value_best_and_time_left(caplog):
    caplog.set_level(logging.INFO, "xingu.tuning")
    untuned(hyperopt=plan(evaluations=3, method="random")).hyperparam_optimize()
    lines = [text for text in caplog.messages if "(2 of 3): " in text]
    assert len(lines) == 1
    for part in ("hills: ", "MAE ", "x=", "colour=", "best so far ", "(trial ", " s left"):
        assert part in lines[0]


def test_two_workers_take_one_thread_each():
    model = untuned(Houses)
    estimator = model.estimator
    estimator.prepare_for_trial(1)
    assert estimator.params["num_threads"] == 1
    declared = untuned(Houses, estimator_params={"n_jobs": 3}).estimator
    declared.prepare_for_trial(1)
    assert "num_threads" not in declared.params
