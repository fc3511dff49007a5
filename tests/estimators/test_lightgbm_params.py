"""Names and defaults of LightGBM's parameters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.errors import DeclarationError
from xingu.estimators.lightgbm_params import lightgbm_params

ALIASES = ["num_iterations", "n_estimators", "num_boost_round", "num_trees", "n_iter"]


def merged(params=None, hyperparams=None):
    return lightgbm_params(params or {}, hyperparams or {}, "flights: LightGBMRegressor")


def test_training_is_silent_and_reproducible_by_default():
    assert merged() == {"verbosity": -1, "deterministic": True, "force_col_wise": True}


def test_defaults_can_be_overridden():
    found = merged({"verbose": 1, "deterministic": False, "force_row_wise": True})
    assert found == {"verbosity": 1, "deterministic": False, "force_row_wise": True}


@settings(max_examples=30)
@given(st.sampled_from(ALIASES), st.sampled_from(ALIASES))
def test_hyperparams_override_params_under_any_alias(low, high):
    assert merged({low: 10}, {high: 20})["num_iterations"] == 20
    assert not {"n_estimators", "num_trees"} & merged({low: 10}, {high: 20}).keys()


def test_none_removes_a_parameter():
    assert "learning_rate" not in merged({"learning_rate": 0.1}, {"eta": None})
    assert "verbosity" not in merged({"verbosity": None})


@pytest.mark.parametrize("name", ["importance_type", "silent"])
def test_parameters_without_effect_are_left_out(name):
    assert name not in merged({name: "gain"})


def test_class_weight_of_the_scikit_learn_class_is_known():
    assert merged({"class_weight": "balanced"})["class_weight"] == "balanced"


@pytest.mark.parametrize("place", ["params", "hyperparams"])
def test_an_unknown_parameter_is_refused_with_a_suggestion(place):
    with pytest.raises(DeclarationError) as caught:
        merged(**{place: {"learning_rat": 0.1}})
    assert "flights: LightGBMRegressor: LightGBM has no parameter 'learning_rat'" in str(
        caught.value
    )
    assert "Did you mean 'learning_rate'" in str(caught.value)
    assert caught.value.facts["parameter"] == "learning_rat"


def test_what_was_declared_is_left_as_it_was():
    params, hyperparams = {"n_estimators": 5}, {"eta": 0.1}
    merged(params, hyperparams)
    assert (params, hyperparams) == ({"n_estimators": 5}, {"eta": 0.1})
