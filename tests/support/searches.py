"""A model whose best hyperparameters are known, and that is fitted in no time."""

import time
from typing import Any

import pandas as pd

from tests.support.toys import Houses, houses
from xingu.errors import DeclarationError
from xingu.model import Model
from xingu.provider.estimator import Estimator
from xingu.records import TrainRun
from xingu.tuning.declaration import Declaration
from xingu.tuning.plan import SearchPlan
from xingu.tuning.search import SearchContext, search
from xingu.tuning.trials import TrialLog


class Hill(Estimator):
    """Is off by the distance of x from 3, and by 1 unless it is red; cannot do x above `edge`."""

    def check_params(self):
        for name in self.hyperparams:
            if name not in ("x", "colour", "edge", "seconds"):
                raise DeclarationError(f"Hill has no {name!r}")

    def fit(self, datasets, features, target, model=None):
        time.sleep(self.params.get("seconds", 0))
        x = self.hyperparams.get("x", 0)
        if x > self.params.get("edge", 100):
            raise ValueError(f"the slope is too steep at {x}")
        self.error = abs(x - 3) + (self.hyperparams.get("colour", "red") != "red")
        self.target = datasets["val"][target]
        return self

    def predict(self, data):
        return pd.DataFrame({"estimation": self.target + self.error})

    def is_classifier(self):
        return False


class Hills(Houses):
    """Houses, estimated by a Hill."""

    id = "hills"
    x_estimator_features = ("size",)
    estimator_class = Hill
    estimator_params = {}
    estimator_hyperparams_search_space = {
        "x": ("float", {"low": 0, "high": 10}),
        "colour": ("categorical", {"choices": ["red", "green"]}),
    }
    hyperopt = {"evaluations": 12, "initial_points": 5, "metric": "MAE"}


def untuned(cls=Hills, **declared) -> Model:
    """An unfitted Model with its sets; `declared` are attributes of the DataProvider."""
    provider = type("Declared", (cls,), declared)()
    data = provider.feature_engineering_for_train(houses().set_index("id"))
    run = TrainRun(str(provider.id), "calm-fox", "brave-day", "run")
    model = Model(provider, provider.make_estimator(), run)
    model.sets = provider.data_split_for_train(data)
    search_with(model)
    return model


def search_with(model: Model, log: TrialLog | None = None, workers: int = 1) -> None:
    """Let `model` search as declared, with the trials of `log`."""
    model.log = TrialLog() if log is None else log

    def run() -> dict[str, Any]:
        context = SearchContext(model, Declaration.of(model.dp), SearchPlan.of(model.dp))
        return search(context, model.log, workers)

    model.search = run


def trials_of(model: Model):
    return model.log.trials
