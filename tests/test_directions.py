"""Directions of metrics: built-in ones, and what a DataProvider declares."""

import numpy as np
import pandas as pd
import pytest

from xingu import DataProvider, DataProviderFactory
from xingu.directions import BUILTIN_DIRECTIONS, DESCRIPTIONS, direction_of, without_synonyms
from xingu.errors import DeclarationError
from xingu.metrics import classification_metrics, regression_metrics


def load(directions):
    attributes = {"id": "flights", "metric_directions": directions}
    DataProviderFactory([type("Flights", (DataProvider,), attributes)])


def test_every_builtin_metric_has_a_direction():
    true = pd.Series([1.0, 2, 4])
    columns = {f"estimation_class_{at}": column for at, column in enumerate(np.eye(3))}
    classes = classification_metrics(true, pd.DataFrame(columns), [1.0, 2.0, 4.0], 0)
    numbers = regression_metrics(true, true + 1)
    assert {*numbers.values} | {*classes.values} >= set(BUILTIN_DIRECTIONS)
    undirected = [name for name in (*numbers.values, *classes.values) if not direction_of(name, {})]
    assert undirected == [f"Support (class {label})" for label in (1.0, 2.0, 4.0)]


@pytest.mark.parametrize(
    ("name", "direction"), [("RMSE", "minimize"), ("roc auc", "maximize"), ("bias", "zero")]
)
def test_a_builtin_metric_is_found_in_any_case(name, direction):
    assert direction_of(name, {}) == direction


def test_the_direction_of_another_metric_is_known_only_if_declared():
    assert direction_of("Profit", {}) is None
    assert direction_of("Profit", {"PROFIT": "maximize"}) == "maximize"


@pytest.mark.parametrize("name", ["RMS", "RMSE ", "val RMSE", ""])
def test_part_of_a_name_is_another_name(name):
    assert direction_of(name, {}) is None


def test_a_declared_direction_overrides_that_of_a_builtin_metric():
    assert direction_of("rmse", {"RMSE": "zero"}) == "zero"


def test_less_and_more_are_synonyms():
    assert direction_of("calls", {"calls": "less"}) == "minimize"
    assert direction_of("profit", {"profit": "more"}) == "maximize"
    declared = {"calls": "less", "profit": "more", "skew": "zero", "cost": "minimize"}
    assert without_synonyms(declared) == {
        "calls": "minimize",
        "profit": "maximize",
        "skew": "zero",
        "cost": "minimize",
    }


@pytest.mark.parametrize("direction", [*DESCRIPTIONS, "less", "more"])
def test_a_known_direction_is_accepted(direction):
    load({"profit": direction})


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"profit": "maximise"},
            r"\['profit'\] is 'maximise'; known: 'minimize' \(lower .* Did you mean 'maximize'\?",
        ),
        ({"profit": "up"}, r"'up'; known: .*'zero' \(closer to 0 is better\)"),
        ({"profit": ["more"]}, r"is \['more'\]; known"),
        ({"profit": None}, "is None; known"),
        ({1: "more"}, r"is \{1: 'more'\}; write for example \{'profit': 'maximize'\}"),
        ("more", "is 'more'; write for example"),
    ],
)
def test_a_wrong_direction_is_an_error_when_the_dataprovider_is_loaded(declared, message):
    with pytest.raises(DeclarationError, match=rf"flights\.metric_directions.*{message}"):
        load(declared)
