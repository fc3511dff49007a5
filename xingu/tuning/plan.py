"""How a DataProvider wants to be searched: method, budget, judge.

Its one idea: everything is checked before the first trial. It knows no library of search.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

import numpy as np

from xingu.directions import BUILTIN_DIRECTIONS, SearchDirection
from xingu.errors import DeclarationError, did_you_mean
from xingu.provider.base import DataProvider

Method = Literal["gp", "forest", "random", "grid", "optuna"]

REGRESSION = ("RMSE", "MAE", "Median AE", "MAPE", "Median APE", "R2")
CLASSIFICATION = ("Log Loss", "Brier", "ROC AUC", "Average Precision", "F1", "Precision", "Recall",
                  "Accuracy", "KS")  # fmt: skip


@dataclass(frozen=True)
class SearchPlan:
    """The declaration `hyperopt` of a DataProvider, with defaults filled in.

    Attributes:
        method: ``gp`` and ``forest`` of scikit-optimize, ``random``, ``grid``, or ``optuna``.
        evaluations: Most trials, failed ones included.
        seconds: No trial begins when so many have passed; None: no limit.
        metric: Name of a classical metric; empty: ``RMSE``, or ``Log Loss`` of a classifier.
        direction: ``minimize`` or ``maximize``; empty: what the metric calls for.
        folds: Cross-validation on `train` with so many parts; 0: `val` judges.
        initial_points: Trials that are spread out before a model of them proposes the next.
        start_with: Points to try first; None: the declared hyperparameters, where they are one.
        seed: Same seed, data and one worker: same search; None: `random_state`.
        grid_levels: Values of each range that a grid has.
    """

    method: Method = "gp"
    evaluations: int = 30
    seconds: float | None = None
    metric: str = ""
    direction: SearchDirection | Literal[""] = ""
    folds: int = 0
    initial_points: int = 10
    start_with: tuple[Mapping[str, Any], ...] | None = None
    seed: int | None = None
    grid_levels: int = 5

    @classmethod
    def of(cls, provider: DataProvider) -> Self:
        """Read what `provider` declares.

        Raises:
            DeclarationError: If a name or a value is not known.
        """
        declared, owner = dict(provider.hyperopt), f"{provider.id}.hyperopt"
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
        declared["seed"] = (
            provider.random_state if declared.get("seed") is None else declared["seed"]
        )
        metrics = CLASSIFICATION if provider.is_classifier() else REGRESSION
        metric = declared["metric"] = declared.get("metric") or metrics[0]
        _one_of(f"{owner}['metric']", metric, metrics)
        declared["direction"] = declared.get("direction") or BUILTIN_DIRECTIONS[metric]
        plan = cls(**declared)
        plan._check(owner)
        return plan

    def seed_of(self, number: int) -> int:
        """Return the seed of the proposal of one trial."""
        return int(np.random.SeedSequence([self.seed or 0, number]).generate_state(1)[0])

    def _check(self, owner: str) -> None:
        _one_of(f"{owner}['method']", self.method, get_args(Method))
        _one_of(f"{owner}['direction']", self.direction, get_args(SearchDirection))
        least = {"evaluations": 1, "initial_points": 1, "grid_levels": 1, "seed": 0, "folds": 0}
        for name, low in least.items():
            value = getattr(self, name)
            if type(value) is not int or value < low:
                raise DeclarationError(f"{owner}[{name!r}]: {value!r}; write a whole number from "
                                       f"{low} up.")  # fmt: skip
        if self.folds == 1:
            raise DeclarationError(f"{owner}['folds']: 1; write 0 for `val`, or 2 and more.")
        if self.seconds is not None and not self.seconds > 0:
            raise DeclarationError(f"{owner}['seconds']: {self.seconds!r}; write more than 0.")


def _one_of(where: str, value: Any, known: Any) -> None:
    if value not in known:
        raise DeclarationError(
            f"{where}: {value!r}; known: {', '.join(known)}.{did_you_mean(str(value), known)}"
        )
