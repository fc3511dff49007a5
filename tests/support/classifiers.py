"""Classifiers whose DataProviders leave the estimated class to us, with labels of many types."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tests.support.stages import variant
from tests.support.toys import Expensive, Kinds
from xingu import DataProvider

TREES = {"estimator_class": "xingu.estimators.LightGBMClassifier"}
LOGISTIC = {
    "estimator_class": "xingu.estimators.SklearnEstimator",
    "estimator_class_params": {"algorithm": "sklearn.linear_model.LogisticRegression"},
    "estimator_params": {},
    "x_estimator_features": ("size", "town_code"),
}


def _named(no: object, yes: object) -> Callable[[pd.Series], pd.Series]:
    return lambda hit: hit.map({False: no, True: yes})


ORDERED = pd.CategoricalDtype(["good", "bad"], ordered=True)
TARGETS: Mapping[str, tuple[Callable[[pd.Series], pd.Series], Any]] = {
    "bool": (lambda hit: hit, True),
    "0/1": (lambda hit: hit.astype(int), 1),
    "-1/1": (_named(-1, 1), 1),
    "float": (lambda hit: hit.astype(float), 1.0),
    "str": (_named("no", "yes"), "yes"),
    "category": (lambda hit: _named("no", "yes")(hit).astype("category"), "yes"),
    "ordered": (lambda hit: _named("good", "bad")(hit).astype(ORDERED), "bad"),
    "nullable": (lambda hit: hit.astype("boolean"), True),
    "Int64": (lambda hit: hit.astype("Int64"), 1),
}
"""For each type of label: the target of a column of booleans, and the larger label."""


class Binary(Expensive):
    """Two classes, of which the larger one is the rarer one."""

    id = "binary"
    proba_class_index = None
    labels = "0/1"

    def clean_data_for_train(self, datasets):
        data = datasets["houses"].set_index("id")
        if "price" not in data:
            return data
        noise = np.random.default_rng(3).normal(0, 120, len(data))
        convert, _ = TARGETS[self.labels]
        return data.assign(expensive=convert(data["price"] + noise > 550))


class Yes(Binary):
    """The labels are texts."""

    id = "yes"
    labels = "str"


class Flag(Binary):
    """The labels are booleans."""

    id = "flag"
    labels = "bool"


class Grade(Binary):
    """The labels are an ordered category whose larger label comes first in the alphabet."""

    id = "grade"
    labels = "ordered"


class Three(Kinds):
    """Three classes."""

    id = "three"
    proba_class_index = None
    sample_weight = None


def binary(labels: str, **members: Any) -> type[DataProvider]:
    return variant(Binary, labels=labels, **members)
