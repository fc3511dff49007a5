"""The objective of a search: fit an Estimator with some hyperparameters, measure it on other rows.

The Estimator itself is measured, in the unit of its target. Hooks of the DataProvider are not
called, so they need not be thread-safe.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from xingu.errors import DataError, UndefinedMetricError
from xingu.metrics.builtin import classification_metrics, regression_metrics
from xingu.model import Model
from xingu.provider.estimator import ESTIMATION, Estimator
from xingu.records import Trial
from xingu.tuning.plan import SearchPlan

logger = logging.getLogger(__name__)

Fold = tuple[Mapping[str, pd.DataFrame], pd.DataFrame]
"""The sets to fit on, and the rows to measure on."""


@dataclass(frozen=True)
class Objective:
    """Measures hyperparameters of one Model that is being tuned.

    Attributes:
        model: The Model, with its sets; nothing of it changes.
        plan: Metric and folds.
        fixed: Hyperparameters that are not searched.
        threads: Most threads of one fit; 0: the algorithm decides.
    """

    model: Model
    plan: SearchPlan
    fixed: Mapping[str, Any]
    threads: int = 0

    @cached_property
    def folds(self) -> list[Fold]:
        """The rows to fit and to measure on: `train` and `val`, or each part of `train` in turn.

        Raises:
            DataError: If there is no `val`.
        """
        sets, dp_id = self.model.sets, self.model.id
        if not self.plan.folds:
            if "val" not in sets or sets["val"].empty:
                raise DataError(
                    f"{dp_id}: the search is judged by the set 'val', which the split does not "
                    "have; make one, or declare hyperopt = {'folds': 5}."
                )
            return [({"train": sets["train"], "val": sets["val"]}, sets["val"])]
        from sklearn.model_selection import KFold, StratifiedKFold

        train = sets["train"]
        of_classes = self.model.is_classifier()
        splitter = (StratifiedKFold if of_classes else KFold)(
            self.plan.folds, shuffle=True, random_state=self.plan.seed
        )
        labels = train[self._target] if of_classes else None
        parts = [
            (train.iloc[fitted], train.iloc[measured_rows])
            for fitted, measured_rows in splitter.split(train, labels)
        ]
        # The part that judges also stops a fit early, as in LightGBM's own cross-validation.
        return [({"train": fitted, "val": measured}, measured) for fitted, measured in parts]

    def estimators(self, params: Mapping[str, Any]) -> list[Estimator]:
        """Return a new unfitted Estimator for each fold; see `evaluate`.

        Raises:
            DeclarationError: If the Estimator does not know a hyperparameter.
        """
        made = [self.model.dp.make_estimator({**self.fixed, **params}) for _ in self.folds]
        found = [estimator for estimator in made if estimator is not None]
        for estimator in found:
            estimator.check_params()
            estimator.prepare_for_trial(self.threads)
        return found

    def evaluate(self, number: int, params: Mapping[str, Any]) -> Trial:
        """Fit and measure; whatever is raised becomes a failed trial."""
        trial = Trial(number, dict(params), started=time.time())
        try:
            pairs = zip(self.estimators(params), self.folds, strict=True)
            values = [self._value(estimator, fold) for estimator, fold in pairs]
        except Exception as error:  # noqa: BLE001 - a point that cannot be fitted is an answer
            reason = f"{type(error).__name__}: {error}"
            return replace(trial, state="failed", reason=reason, ended=time.time())
        value = sum(values) / len(values)
        return replace(trial, state="done", value=value, ended=time.time())

    @property
    def _target(self) -> str:
        return str(self.model.dp.get_target())

    def _value(self, estimator: Estimator, fold: Fold) -> float:
        sets, measured_rows = fold
        features, target = tuple(self.model.dp.get_estimator_features_list()), self._target
        estimator.fit(sets, features, target, model=self.model)
        data, truth = measured_rows[[*features]], measured_rows[target]
        name = self.model.dp.sample_weight
        weights = measured_rows[name] if name else None
        if estimator.is_classifier():
            proba, index = estimator.predict_proba(data), self.model.dp.proba_class_index
            measured = classification_metrics(truth, proba, estimator.classes(), index, weights)
        else:
            measured = regression_metrics(truth, estimator.predict(data)[ESTIMATION], weights)
        if self.plan.metric not in measured.values:
            reason = measured.undefined.get(self.plan.metric, "it was not measured")
            raise UndefinedMetricError(f"{self.plan.metric}: {reason}")
        return measured.values[self.plan.metric]
