"""Which way a metric is better, and what a DataProvider declares about it."""

import numpy as np
import pandas as pd
import pytest

from xingu import DataProvider, DataProviderFactory
from xingu.directions import CLASSICAL, direction_of
from xingu.errors import DeclarationError
from xingu.metrics import classification_metrics, regression_metrics


def load(directions):
    attributes = {"id": "flights", "metric_directions": directions}
    DataProviderFactory([type("Flights", (DataProvider,), attributes)])


def test_every_metric_that_xingu_measures_has_a_direction():
    true = pd.Series([1.0, 2, 4])
    chances = {f"estimation_class_{at}": column for at, column in enumerate(np.eye(3))}
    classes = classification_metrics(true, pd.DataFrame(chances), [1.0, 2.0, 4.0], 0)
    numbers = regression_metrics(true, true + 1)
    assert {*numbers.values, *classes.values} == set(CLASSICAL)


def test_a_declared_direction_wins_whatever_the_case():
    assert direction_of("rmse", {}) == "less"
    assert direction_of("Profit", {}) is None
    assert direction_of("Profit", {"PROFIT": "more"}) == "more"
    assert direction_of("rmse", {"RMSE": "zero"}) == "zero"


@pytest.mark.parametrize("direction", ["less", "more", "zero"])
def test_a_direction_is_one_of_three(direction):
    load({"profit": direction})


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"profit": "mor"}, r"\['profit'\] is 'mor'; known: 'less' .* Did you mean 'more'\?"),
        ({"profit": "maximize"}, r"'maximize'; known: .*'zero' \(nearer to 0 is better\)"),
        ({"profit": ["more"]}, r"is \['more'\]; known"),
        ({1: "more"}, r"is \{1: 'more'\}; write for example \{'profit': 'more'\}"),
        ("more", "is 'more'; write for example"),
    ],
)
def test_a_misdeclared_direction_is_an_error_when_the_dataprovider_is_loaded(declared, said):
    with pytest.raises(DeclarationError, match=rf"flights\.metric_directions.*{said}"):
        load(declared)
