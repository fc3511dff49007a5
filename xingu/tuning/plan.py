"""Plan of a search: method, budget, metric and folds, read from `hyperopt` of a DataProvider.

All values are checked before the first trial. Libraries for search are not imported here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

import numpy as np

from xingu.directions import AVERAGED, BUILTIN_DIRECTIONS, SearchDirection, average_name
from xingu.errors import DeclarationError, did_you_mean
from xingu.provider.base import DataProvider

Method = Literal["gp", "forest", "random", "grid", "optuna"]

BUDGET_OF_XINGU_2 = {"evaluations": "optimization_trials", "seconds": "optimization_timeout"}
"""Parameters of Estimator classes of Xingu 2.0 that stand for settings of the search."""
REGRESSION = ("RMSE", "MAE", "Median AE", "MAPE", "Median APE", "R2")
CLASSIFICATION = (
    *("Log Loss", "Brier", "ROC AUC", "Average Precision", "F1", "Precision", "Recall"),
    *("Accuracy", "KS"),
    *(average_name(kind, name) for name in AVERAGED for kind in ("Macro", "Weighted")),
)


@dataclass(frozen=True)
class SearchPlan:
    """Declaration `hyperopt` of a DataProvider, with defaults filled in.

    Attributes:
        method: ``gp`` or ``forest`` (scikit-optimize), ``random``, ``grid``, or ``optuna`` (TPE).
        evaluations: Largest number of trials, including failed ones.
        seconds: Time after which no trial begins; None for no limit.
        metric: Name of a built-in metric; default ``RMSE``, or ``Log Loss`` for a classifier.
        direction: ``minimize`` or ``maximize``. Default of `hyperopt`: the direction in which
            `metric` improves.
        folds: Number of cross-validation folds on `train`; 0 measures on `val`.
        initial_points: Trials on a Latin hypercube before the method proposes points.
        start_with: Points to try first; None for the declared hyperparameters, if they cover the
            search space.
        seed: Seed; the same seed and data with one worker repeat a search. Default of `hyperopt`:
            `random_state`.
        grid_levels: Number of values of each range in a grid.
    """

    method: Method = "gp"
    evaluations: int = 30
    seconds: float | None = None
    metric: str = ""
    direction: SearchDirection = "minimize"
    folds: int = 0
    initial_points: int = 10
    start_with: tuple[Mapping[str, Any], ...] | None = None
    seed: int = 0
    grid_levels: int = 5

    @classmethod
    def of(cls, provider: DataProvider) -> Self:
        """Read `hyperopt` of a DataProvider.

        Raises:
            DeclarationError: If a name is not known, or a value is not allowed.
        """
        declared, owner = dict(provider.hyperopt), f"{provider.id}.hyperopt"
        of_class = provider.get_estimator_class_params() or {}
        for name, of_2 in BUDGET_OF_XINGU_2.items():
            if of_class.get(of_2) is not None:
                declared.setdefault(name, of_class[of_2])
        known = [field.name for field in fields(cls)]
        for name in declared:
            if name not in known:
                raise DeclarationError(
                    f"{owner} has no {name!r}; known: {', '.join(known)}."
                    f"{did_you_mean(str(name), known)}",
                    name=name,
                )
        if declared.get("start_with") is not None:
            declared["start_with"] = tuple(dict(point) for point in declared["start_with"])
        if declared.get("seed") is None:
            declared["seed"] = provider.random_state
        metrics = CLASSIFICATION if provider.is_classifier() else REGRESSION
        metric = declared["metric"] = declared.get("metric") or metrics[0]
        _one_of(f"{owner}['metric']", metric, metrics)
        declared["direction"] = declared.get("direction") or BUILTIN_DIRECTIONS[metric]
        plan = cls(**declared)
        plan._check(owner)
        return plan

    def seed_of(self, number: int) -> int:
        """Return the seed for proposing the point of trial `number`."""
        return int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])

    def _check(self, owner: str) -> None:
        _one_of(f"{owner}['method']", self.method, get_args(Method))
        _one_of(f"{owner}['direction']", self.direction, get_args(SearchDirection))
        minimums = {"evaluations": 1, "initial_points": 1, "grid_levels": 1, "seed": 0, "folds": 0}
        for name, minimum in minimums.items():
            value = getattr(self, name)
            if type(value) is not int or value < minimum:
                raise DeclarationError(
                    f"{owner}[{name!r}]: {value!r}; write an integer of at least {minimum}."
                )
        if self.folds == 1:
            raise DeclarationError(f"{owner}['folds']: 1; write 0 for `val`, or at least 2.")
        if self.seconds is not None and not self.seconds > 0:
            raise DeclarationError(f"{owner}['seconds']: {self.seconds!r}; write more than 0.")


def _one_of(where: str, value: Any, known: Any) -> None:
    if value not in known:
        raise DeclarationError(
            f"{where}: {value!r}; known: {', '.join(known)}.{did_you_mean(str(value), known)}"
        )
