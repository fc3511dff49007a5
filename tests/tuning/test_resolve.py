"""Strategies: which hyperparameters a train gets, and their origin."""

import logging

import pytest

from tests.support.searches import Hills, untuned
from tests.support.toys import Houses
from xingu import DataProvider
from xingu.errors import DeclarationError, UntrainedModelError
from xingu.model import Model
from xingu.records import TrainRun
from xingu.tuning.resolve import EarlierTrain, Tuning, resolve
from xingu.tuning.trials import TrialLog

DECLARED = {"estimator_hyperparams": {"x": 2.5, "colour": "green"}}
FOUND = {"x": 3.0, "colour": "red"}


def earlier(*trains: EarlierTrain):
    """Trains, newest first, of which each is found by its id."""

    def give(train_id: str | None):
        return [one for one in trains if train_id in (None, one.train_id)]

    return give


def resolved(strategy: str, *trains: EarlierTrain, model: Model | None = None, **declared):
    """Return origin and hyperparameters."""
    model = model or untuned(**declared)
    found = resolve(model, Tuning(strategy, earlier(*trains)))
    assert model.algo_params["hyperparams"] == found.hyperparams
    return found.origin, dict(found.hyperparams)


# -- dp -------------------------------------------------------------------------------------------


def test_dp_takes_what_is_declared():
    assert resolved("dp", EarlierTrain("old", FOUND), **DECLARED) == (
        "dp", DECLARED["estimator_hyperparams"],
    )  # fmt: skip


def test_without_a_declaration_the_estimator_keeps_its_defaults():
    assert resolved("dp") == ("defaults", {})


def test_fixed_parameters_are_applied_beside_hyperparameters():
    model = untuned(estimator_params={"edge": 9}, **DECLARED)
    found = resolve(model, Tuning("dp"))
    assert found.params == {"edge": 9} == model.algo_params["params"]


def test_spaces_around_a_strategy_do_not_matter():
    assert resolved("  dp ", **DECLARED)[0] == "dp"


def test_a_hollow_provider_has_parameters_but_no_hyperparameters():
    class Hollow(DataProvider):
        id = "hollow"
        hollow = True
        estimator_params = {"a": 1}

    model = Model.of(Hollow(), None, TrainRun("hollow", "t", "s", "r"))
    found = resolve(model, Tuning("self"))
    assert (found.params, found.hyperparams, found.origin) == ({"a": 1}, {}, "dp")


# -- last -----------------------------------------------------------------------------------------


def test_last_takes_those_of_the_newest_train():
    trains = EarlierTrain("new", FOUND, True), EarlierTrain("old", {**FOUND, "x": 1.0}, True)
    assert resolved("last", *trains) == ("new", FOUND)


def test_last_without_earlier_trains_takes_what_is_declared():
    assert resolved("last", **DECLARED)[0] == "dp"
    assert resolved("last")[0] == "defaults"


def test_last_adds_declared_hyperparameters_that_the_train_did_not_have():
    declared = {"estimator_hyperparams": {"x": 1.0, "edge": 7}}
    origin, hyperparams = resolved("last", EarlierTrain("old", FOUND, True), **declared)
    assert (origin, hyperparams) == ("old", {"x": 3.0, "edge": 7, "colour": "red"})


@pytest.mark.parametrize(
    ("train", "reason"),
    [
        (EarlierTrain("new", {"x": 11, "colour": "red"}, True), "x is outside its search space"),
        (EarlierTrain("new", {"x": 3, "colour": "blue"}, True), "colour is outside"),
        (EarlierTrain("new", {**FOUND, "depth": 3}, True), "depth is no longer searched"),
    ],
)
def test_last_passes_over_an_incompatible_train_and_says_why(train, reason, caplog):
    caplog.set_level(logging.INFO, "xingu.tuning")
    assert resolved("last", train, EarlierTrain("old", FOUND, True), **DECLARED) == ("old", FOUND)
    assert f"skipped hyperparameters of new: {reason}" in caplog.text


def test_last_passes_over_what_the_estimator_refuses(caplog):
    caplog.set_level(logging.INFO, "xingu.tuning")
    free = {"estimator_hyperparams_search_space": {}}
    trains = EarlierTrain("new", {"depth": 3}), EarlierTrain("old", {"x": 1.0})
    assert resolved("last", *trains, **free) == ("old", {"x": 1.0})
    assert "Hill has no 'depth'" in caplog.text


def test_last_passes_over_a_train_without_hyperparameters():
    trains = EarlierTrain("new", {}), EarlierTrain("old", FOUND)
    assert resolved("last", *trains) == ("old", FOUND)


def test_declared_ones_of_an_earlier_train_are_taken_while_the_declaration_is_the_same():
    same = DECLARED["estimator_hyperparams"]
    assert resolved("last", EarlierTrain("old", dict(same), False), **DECLARED) == ("old", same)


def test_values_get_the_types_of_the_search_space_back():
    space = {
        "x": ("int", {"low": 0, "high": 10}),
        "colour": ("categorical", {"choices": [("a", "b"), "red"]}),
    }
    saved = EarlierTrain("old", {"x": 3.0, "colour": ["a", "b"]}, True)
    _, hyperparams = resolved("last", saved, estimator_hyperparams_search_space=space)
    assert hyperparams == {"x": 3, "colour": ("a", "b")}
    assert type(hyperparams["x"]) is int


# -- a named train --------------------------------------------------------------------------------


def test_a_named_train_is_taken_even_if_another_is_newer():
    trains = EarlierTrain("new", {"x": 1.0}), EarlierTrain("old", FOUND)
    assert resolved("old", *trains) == ("old", FOUND)


def test_a_named_train_is_taken_as_it_is_even_outside_the_search_space():
    assert resolved("old", EarlierTrain("old", {"x": 99}), **DECLARED) == ("old", {"x": 99})


def test_an_unknown_name_is_an_error_with_the_strategies():
    with pytest.raises(UntrainedModelError, match="'hills' with the train or session 'nobody'.*dp"):
        resolved("nobody", EarlierTrain("old", FOUND))


def test_a_named_train_whose_hyperparameters_the_estimator_refuses_is_an_error():
    with pytest.raises(DeclarationError, match="Hill has no 'depth'"):
        resolved("old", EarlierTrain("old", {"depth": 3}))


# -- self -----------------------------------------------------------------------------------------


def test_self_searches_and_returns_its_trials():
    model = untuned()
    found = resolve(model, Tuning("self", workers=1))
    assert found.origin == "self"
    assert (len(found.trials), found.metric, found.direction) == (12, "MAE", "minimize")
    best = min(found.trials, key=lambda trial: trial.value)
    assert found.hyperparams == best.params == model.estimator.hyperparams


def test_self_without_a_search_space_takes_what_is_declared_with_a_warning(caplog):
    declared = {**DECLARED, "estimator_hyperparams_search_space": {}}
    assert resolved("self", **declared)[0] == "dp"
    assert "no search space is declared" in caplog.text


@pytest.fixture
def key_of():
    """The key under which the log of trials of a search is opened."""

    def key_of(cls=Hills, **declared) -> str:
        keys: list[str] = []

        def open_log(key: str) -> TrialLog:
            keys.append(key)
            return TrialLog()

        resolve(untuned(cls, **declared), Tuning("self", open_log=open_log, workers=1))
        return keys[0]

    return key_of


@pytest.mark.parametrize(
    "declared",
    [
        {"hyperopt": {**Hills.hyperopt, "evaluations": 13}},
        {"hyperopt": {**Hills.hyperopt, "seconds": 60}},
    ],
    ids=["evaluations", "seconds"],
)
def test_another_budget_continues_the_same_search(key_of, declared):
    assert key_of(**declared) == key_of()


@pytest.mark.parametrize(
    "declared",
    [
        {"hyperopt": {**Hills.hyperopt, "metric": "RMSE"}},
        {"hyperopt": {**Hills.hyperopt, "seed": 7}},
        {"hyperopt": {**Hills.hyperopt, "method": "random"}},
        {"estimator_params": {"edge": 90}},
        {"estimator_hyperparams": {"edge": 90}},
        {"x_estimator_features": ("size", "town_code")},
        {
            "estimator_hyperparams_search_space": {
                **Hills.estimator_hyperparams_search_space, "x": ("float", {"low": 0, "high": 9}),
            }
        },
    ],
    ids=["metric", "seed", "method", "params", "hyperparams", "features", "space"],
)  # fmt: skip
def test_anything_else_is_another_search(key_of, declared):
    assert key_of(**declared) != key_of()


def test_the_key_has_no_address_that_differs_between_processes(key_of):
    assert " at 0x" not in key_of(estimator_hyperparams={"edge": Hills()})


def test_a_lightgbm_search_is_applied_to_its_estimator():
    space = {"num_leaves": ("int", {"low": 2, "high": 5})}
    model = untuned(Houses, estimator_hyperparams_search_space=space,
                    hyperopt={"evaluations": 2, "method": "random"})  # fmt: skip
    found = resolve(model, Tuning("self", workers=1))
    assert 2 <= found.hyperparams["num_leaves"] <= 5
    assert model.estimator.hyperparams == found.hyperparams
