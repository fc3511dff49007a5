"""Objective of a search: fit an Estimator with given hyperparameters and measure it on other rows.

The Estimator itself is measured, in the unit of its target. The predict hooks of the DataProvider
are not called, so they need not be thread-safe.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from xingu.errors import DataError, UndefinedMetricError, text_of
from xingu.masking import masked
from xingu.metrics.builtin import classification_metrics, regression_metrics
from xingu.model import Model
from xingu.provider.classes import estimated_class, labels_of
from xingu.provider.estimator import ESTIMATION, Estimator, call_estimator
from xingu.records import Trial
from xingu.tuning.plan import SearchPlan

logger = logging.getLogger(__name__)

Fold = tuple[Mapping[str, pd.DataFrame], pd.DataFrame]
"""Sets to fit on, and rows to measure on."""


@dataclass(frozen=True)
class Objective:
    """Objective of the search for one Model.

    Attributes:
        model: The Model with its sets; it is not changed.
        plan: Metric and number of folds.
        fixed: Hyperparameters that are not searched.
        threads: Largest number of threads of one fit; 0 leaves it to the algorithm.
    """

    model: Model
    plan: SearchPlan
    fixed: Mapping[str, Any]
    threads: int = 0

    @cached_property
    def folds(self) -> list[Fold]:
        """Rows to fit and to measure on: `train` and `val`, or the folds of `train`.

        Raises:
            DataError: If `val` is needed and missing or empty.
        """
        sets, dp_id = self.model.sets, self.model.id
        if not self.plan.folds:
            if "val" not in sets or sets["val"].empty:
                raise DataError(
                    f"{dp_id}: the search measures trials on the set 'val', which the split does "
                    "not have; add it, or declare hyperopt = {'folds': 5}."
                )
            return [({"train": sets["train"], "val": sets["val"]}, sets["val"])]
        from sklearn.model_selection import KFold, StratifiedKFold

        train = sets["train"]
        classify = self.model.is_classifier()
        splitter = (StratifiedKFold if classify else KFold)(
            self.plan.folds, shuffle=True, random_state=self.plan.seed
        )
        labels = train[self._target] if classify else None
        folds = [
            (train.iloc[fitted], train.iloc[held_out])
            for fitted, held_out in splitter.split(train, labels)
        ]
        # The held-out fold also stops a fit early, as in LightGBM's own cross-validation (lgb.cv).
        return [({"train": fitted, "val": held_out}, held_out) for fitted, held_out in folds]

    def estimators(self, params: Mapping[str, Any]) -> list[Estimator]:
        """Return a new unfitted Estimator for each fold.

        Raises:
            DeclarationError: If the Estimator does not know a hyperparameter.
        """
        candidates = [self.model.dp.make_estimator({**self.fixed, **params}) for _ in self.folds]
        estimators = [estimator for estimator in candidates if estimator is not None]
        for estimator in estimators:
            estimator.check_params()
            estimator.prepare_for_trial(self.threads)
        return estimators

    def evaluate(self, number: int, params: Mapping[str, Any]) -> Trial:
        """Fit and measure one point; an exception makes the trial a failed one.

        Args:
            number: Number of the trial.
            params: The point: searched hyperparameters by name.

        Returns:
            The trial; its value is the mean over the folds.
        """
        trial = Trial(number, dict(params), started=time.time())
        try:
            pairs = zip(self.estimators(params), self.folds, strict=True)
            values = [self._value(estimator, fold) for estimator, fold in pairs]
        except Exception as error:  # noqa: BLE001 - a point that cannot be fitted is a result too
            reason = masked(f"{type(error).__name__}: {text_of(error)}")
            return replace(trial, state="failed", reason=reason, ended=time.time())
        value = sum(values) / len(values)
        return replace(trial, state="done", value=value, ended=time.time())

    @property
    def _target(self) -> str:
        return str(self.model.dp.get_target())

    def _class_index(self, classes: Sequence[Any]) -> int | None:
        one = estimated_class(self.model.dp, classes, self.model.sets["train"][self._target])
        return None if one is None else one.index

    def _value(self, estimator: Estimator, fold: Fold) -> float:
        sets, held_out = fold
        features, target = list(self.model.dp.get_estimator_features_list()), self._target
        call_estimator(
            estimator.fit, datasets=sets, features=features, target=target, model=self.model
        )
        data, truth = held_out[features], held_out[target]
        name = self.model.dp.sample_weight
        weights = held_out[name] if name else None
        if estimator.is_classifier():
            proba = estimator.predict_proba(data)
            classes = labels_of(estimator.classes(), sets["train"][target])
            index = self._class_index(classes)
            measured = classification_metrics(truth, proba, classes, index, weights)
        else:
            measured = regression_metrics(truth, estimator.predict(data)[ESTIMATION], weights)
        if self.plan.metric not in measured.values:
            reason = measured.undefined.get(
                self.plan.metric,
                "it is of one class, and of several none is the positive one; search by an average "
                f"(Macro {self.plan.metric}), or declare proba_class_index",
            )
            raise UndefinedMetricError(f"{self.plan.metric}: {reason}")
        return measured.values[self.plan.metric]
