"""Declarations of hyperparameters: each hook is read once."""

from collections import Counter

import pytest

from tests.support.searches import Hills
from xingu.errors import DeclarationError, HookError
from xingu.tuning.declaration import Declaration


def declared(**attributes) -> Declaration:
    return Declaration.of(type("Declared", (Hills,), attributes)())


def test_parameters_hyperparameters_and_space_are_read():
    found = declared(estimator_params={"edge": 9}, estimator_hyperparams={"x": 1, "seconds": 0})
    assert (found.params, found.hyperparams) == ({"edge": 9}, {"x": 1, "seconds": 0})
    assert list(found.space) == ["x", "colour"]


def test_fixed_hyperparameters_are_those_outside_of_the_space():
    assert declared(estimator_hyperparams={"x": 1, "seconds": 0}).fixed == {"seconds": 0}
    assert declared().fixed == {}


@pytest.mark.parametrize("name", ["get_estimator_hyperparameters", "get_estimator_hyperparams"])
def test_both_spellings_of_the_hook_are_heeded(name):
    assert declared(**{name: lambda self: {"x": 7}}).hyperparams == {"x": 7}


def test_each_hook_is_called_once():
    calls = Counter()

    def hook(name, result):
        def call(self):
            calls[name] += 1
            return result

        return call

    hooks = ("get_estimator_params", "get_estimator_hyperparameters",
             "get_estimator_optimization_search_space")  # fmt: skip
    found = declared(**{name: hook(name, {}) for name in hooks})
    assert (found.fixed, found.space) == ({}, {})
    assert calls == dict.fromkeys(hooks, 1)


def test_a_dimension_that_cannot_be_searched_is_named():
    with pytest.raises(DeclarationError, match=r"hills\.estimator_hyperparams_search_space\['x'\]"):
        declared(estimator_hyperparams_search_space={"x": ("int", {"low": 3, "high": 1})})


def test_a_hook_that_raises_is_named():
    def fail(self):
        raise KeyError("no")

    with pytest.raises(HookError, match="get_estimator_optimization_search_space"):
        declared(get_estimator_optimization_search_space=fail)
