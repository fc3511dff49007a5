"""CatBoost as Estimators: a regressor and a classifier.

Categories are passed as integer codes, -1 for missing and unseen ones; CatBoost encodes them with
target statistics. CatBoost is imported on first use, so that this module can be imported without
it.
"""

import inspect
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError, DeclarationError
from xingu.estimators.bagging import BaggedClassifier
from xingu.estimators.boosting import (
    BoostedClassifier,
    BoostedRegressor,
    LabelledRows,
)
from xingu.estimators.columns import booster_names
from xingu.estimators.optional import StoredTrees, merge_params, require_library
from xingu.estimators.targets import weights_by_label

ROUNDS = 1000
ALIASES = {
    "objective": "loss_function",
    "eta": "learning_rate",
    "max_bin": "border_count",
    "max_depth": "depth",
    "colsample_bylevel": "rsm",
    "random_state": "random_seed",
    "reg_lambda": "l2_leaf_reg",
    "n_estimators": "iterations",
    "num_boost_round": "iterations",
    "num_trees": "iterations",
    "early_stopping_rounds": "od_wait",
    "custom_loss": "custom_metric",
    "num_leaves": "max_leaves",
    "min_child_samples": "min_data_in_leaf",
}
SET_HERE = {"self", "kwargs", "name", "callback", "class_names", "classes_count",
            "text_features", "embedding_features"}  # fmt: skip
OF_CLASSES = ("Logloss", "CrossEntropy", "MultiClass", "Focal")
"""Losses that return probabilities."""
OF_LOGARITHM = ("Poisson", "Tweedie", "LogLinQuantile")
"""Losses that compare the target with the exponential of what the trees add up to."""
STOPPING = {"od_wait", "od_type", "od_pval", "use_best_model"}
VERBOSITY = {"verbose", "silent", "logging_level"}


class _CatBoost(StoredTrees):
    """Base class of both.

    Args:
        params: CatBoost's names and aliases. With `early_stopping_rounds` (or `od_type`,
            `od_pval`, `use_best_model`) training stops early by `val`, and the best round is kept;
            without, `val` is not used. CatBoost prints nothing and writes no files unless `verbose`
            or `allow_writing_files` are set.
        hyperparams: The same; they override `params`, also under another alias.
        **class_params: `log_every` (50) is the number of rounds between two log lines of
            progress; 0: none.
    """

    THREADS, CATEGORIES = "thread_count", "cat_features"
    FILE = "model.cbm"

    def _merged_params(self) -> dict[str, Any]:
        catboost = require_library("catboost", self._owner)
        kind = catboost.CatBoostClassifier if self.is_classifier() else catboost.CatBoostRegressor
        given = (self.params, self.hyperparams)
        params = merge_params(given, _known(kind), ALIASES, f"{self._owner}: CatBoost")
        loss = params.get("loss_function")
        if loss is not None and _is_of_classes(loss) != self.is_classifier():
            advice = "'Logloss' or 'MultiClass'" if self.is_classifier() else "a classifier"
            raise DeclarationError(
                f"{self._owner}: the loss_function {loss!r} does not return "
                f"{'probabilities' if self.is_classifier() else 'numbers'}; use {advice}.",
                loss_function=loss,
            )
        return params

    def _stops_early(self, params: Mapping[str, Any]) -> bool:
        return any(params.get(name) for name in STOPPING)

    def _pool(self, rows: pd.DataFrame, **options: Any) -> Any:
        """Return a Pool of the features of `rows`."""
        catboost = require_library("catboost", self._owner)
        names = booster_names(self._encoder.features)
        if not self._encoder.categories:
            return catboost.Pool(self._encoder.matrix(rows), feature_names=names, **options)
        columns, categories = {}, []
        unordered = {*self._encoder.unordered}
        for feature, name, values in zip(
            self._encoder.features, names, self._encoder.arrays(rows), strict=True
        ):
            if str(feature) in unordered:
                categories.append(name)
                values = np.nan_to_num(values, nan=-1).astype(np.int32)
            columns[name] = values
        return catboost.Pool(pd.DataFrame(columns), cat_features=categories, **options)

    def _train(self, train: LabelledRows, val: LabelledRows | None, params: dict[str, Any]) -> Any:
        catboost = require_library("catboost", self._owner)
        params = {"allow_writing_files": False, **self._loss(), **params}
        if not VERBOSITY & params.keys():
            params["logging_level"] = "Silent"
        if val is None:
            params = {name: value for name, value in params.items() if name not in STOPPING}
        elif "od_wait" in params and "od_pval" not in params:
            params.setdefault("od_type", "Iter")
        # CatBoost does not support callbacks on a GPU.
        logs = self._options["log_every"] and params.get("task_type") != "GPU"
        try:
            return catboost.CatBoost(params).fit(
                self._labelled_pool(train),
                eval_set=None if val is None else self._labelled_pool(val),
                callbacks=[self._progress(int(params.get("iterations", ROUNDS)))] if logs else None,
            )
        except catboost.CatBoostError as error:
            raise DataError(f"{self._owner}: CatBoost cannot train: {error}") from error

    def _labelled_pool(self, rows: LabelledRows) -> Any:
        labels = rows.codes.astype(np.int64) if self.is_classifier() else rows.codes
        return self._pool(rows.frame, label=labels, weight=rows.weights)

    def _loss(self) -> dict[str, Any]:
        """Return the default objective of a classifier."""
        classes = len(self._target.classes)
        if not classes:
            return {}
        return {"loss_function": "MultiClass" if classes > 2 else "Logloss"}

    def _rounds(self) -> int:
        return self._booster.tree_count_

    def _gain(self) -> np.ndarray:
        """Return CatBoost's PredictionValuesChange, because it does not store gains."""
        return self._booster.get_feature_importance()

    def _predict_rows(self, rows: pd.DataFrame) -> np.ndarray:
        kind = "Probability" if self.is_classifier() else self._kind_of_number()
        values = self._booster.predict(
            self._pool(rows), prediction_type=kind, thread_count=self._threads or -1
        )
        return np.asarray(values)

    def _kind_of_number(self) -> str:
        """Return CatBoost's name of predictions in the unit of the target."""
        loss = str(self._merged_params().get("loss_function"))
        return "Exponent" if loss.startswith(OF_LOGARITHM) else "RawFormulaVal"

    def _write(self, file: Path) -> None:
        catboost = require_library("catboost", self._owner)
        try:
            self._booster.save_model(str(file))
        except catboost.CatBoostError as error:
            found = re.search(r"\(Error (\d+): ([^)]*)\)", str(error))
            code, reason = (int(found[1]), found[2]) if found else (0, str(error))
            raise OSError(code, reason, str(file)) from error

    def _read(self, file: Path) -> Any:
        catboost = require_library("catboost", self._owner)
        return catboost.CatBoost().load_model(str(file))

    def _progress(self, rounds: int) -> Any:
        """Return a callback of CatBoost that logs the progress."""
        log = self._log_progress

        class Progress:
            def after_iteration(self, info: Any) -> bool:
                scores = info.metrics.get("validation", {}).items()
                log(info.iteration, rounds, [(name, values[-1]) for name, values in scores])
                return True

        return Progress()


class CatBoostRegressor(_CatBoost, BoostedRegressor):
    """Gradient boosted trees that estimate a number."""


class CatBoostClassifier(_CatBoost, BoostedClassifier):
    """Gradient boosted trees that estimate the probability of each class.

    Labels may be of any type that can be sorted. `class_weights` are a dict by label, or a list in
    the order of the sorted labels; `auto_class_weights` is passed to CatBoost as it is.
    """

    def _train(self, train: LabelledRows, val: LabelledRows | None, params: dict[str, Any]) -> Any:
        declared = params.get("class_weights")
        if isinstance(declared, Mapping):
            weights = weights_by_label(declared, self.classes(), self._owner)
            params = {**params, "class_weights": weights}
        return super()._train(train, val, params)


def _is_of_classes(loss: Any) -> bool:
    return isinstance(loss, str) and loss.startswith(OF_CLASSES)


@cache
def _known(kind: type) -> frozenset[str]:
    """Return the main names of the parameters of a CatBoost class."""
    return frozenset(inspect.signature(kind.__init__).parameters) - SET_HERE - ALIASES.keys()


class XinguCatBoostClassifier(BaggedClassifier):
    """An ensemble of CatBoost classifiers, under its name in Xingu 2.0; see `BaggedClassifier`."""

    MEMBER = CatBoostClassifier
