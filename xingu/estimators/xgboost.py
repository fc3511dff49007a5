"""XGBoost as Estimators: a regressor and a classifier.

Categories are passed as numeric codes with the feature type "c"; unseen and missing categories are
NaN. XGBoost stores numbers as float32. It is imported on first use, so that this module can be
imported without it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xingu.errors import DataError, DeclarationError
from xingu.estimators.boosting import (
    BoostedClassifier,
    BoostedRegressor,
    LabelledRows,
)
from xingu.estimators.columns import booster_names
from xingu.estimators.optional import StoredTrees, merge_params, require_library

ROUNDS = 100
ALIASES = {
    "eta": "learning_rate",
    "min_split_loss": "gamma",
    "reg_alpha": "alpha",
    "reg_lambda": "lambda",
    "n_jobs": "nthread",
    "random_state": "seed",
    "num_boost_round": "n_estimators",
}
KNOWN = frozenset(
    """
    aft_loss_distribution aft_loss_distribution_scale alpha base_score booster colsample_bylevel
    colsample_bynode colsample_bytree device disable_default_eval_metric early_stopping_rounds
    eval_metric feature_selector gamma grow_policy huber_slope interaction_constraints lambda
    learning_rate max_bin max_cached_hist_node max_cat_threshold max_cat_to_onehot max_delta_step
    max_depth max_leaves min_child_weight monotone_constraints multi_strategy n_estimators
    normalize_type nthread num_parallel_tree objective one_drop quantile_alpha rate_drop
    refresh_leaf sample_type sampling_method scale_pos_weight seed seed_per_iteration skip_drop
    subsample tolerance top_k tree_method tweedie_variance_power updater validate_parameters
    verbosity
    """.split()  # noqa: SIM905
)
"""Main names of parameters; those that describe the data are set by the Estimator."""
SOFT = "multi:softprob"
OF_CLASSES = ("binary:logistic", SOFT)
"""Objectives that return probabilities: the default for two classes, and for more."""
IGNORED = frozenset({"importance_type", "enable_categorical"})


class _XGBoost(StoredTrees):
    """Base class of both.

    Args:
        params: XGBoost's own names, or those of its scikit-learn classes. With
            `early_stopping_rounds`, training stops after that many rounds without improvement on
            `val`, and the best round is kept; without it, `val` is not used.
        hyperparams: The same; they override `params`, also under another alias.
        **class_params: `log_every` (50) is the number of rounds between two log lines of
            progress; 0: none.
    """

    THREADS = "nthread"
    FILE = "booster.ubj"

    def _merged_params(self) -> dict[str, Any]:
        given = (self.params, self.hyperparams)
        known = KNOWN | {"class_weight"} if self.is_classifier() else KNOWN
        params = merge_params(given, known, ALIASES, f"{self._owner}: XGBoost", IGNORED)
        if isinstance(params.get("monotone_constraints"), list):
            params["monotone_constraints"] = tuple(params["monotone_constraints"])
        objective = params.get("objective")
        if self.is_classifier() and objective not in {None, *OF_CLASSES}:
            raise DeclarationError(
                f"{self._owner}: the objective {objective!r} returns no probabilities; use "
                f"{' or '.join(map(repr, OF_CLASSES))}, or remove it.",
                objective=objective,
            )
        return params

    def _objective(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters that define the objective."""
        classes = len(self._target.classes)
        if not classes:
            return {}
        objective = params.get("objective", OF_CLASSES[classes > 2])
        return {"objective": objective, **({"num_class": classes} if objective == SOFT else {})}

    def _stops_early(self, params: Mapping[str, Any]) -> bool:
        return bool(params.get("early_stopping_rounds"))

    def _matrix(self, xgb: Any, rows: pd.DataFrame, **options: Any) -> Any:
        """Return a DMatrix of the features of `rows`."""
        features, categories = self._encoder.features, self._encoder.unordered
        return xgb.DMatrix(
            self._encoder.matrix(rows),
            feature_names=booster_names(features),
            feature_types=["c" if str(name) in categories else "q" for name in features],
            enable_categorical=True,
            **options,
        )

    def _train(self, train: LabelledRows, val: LabelledRows | None, params: dict[str, Any]) -> Any:
        xgb = require_library("xgboost", self._owner)
        rounds = int(params.pop("n_estimators", ROUNDS))
        patience = params.pop("early_stopping_rounds", None)
        callbacks = [self._progress(xgb, rounds)] if self._options["log_every"] else []
        if val is not None:
            best = not _is_linear(params)  # XGBoost cannot keep the best round of linear models
            callbacks.append(xgb.callback.EarlyStopping(rounds=int(patience), save_best=best))
        try:
            sets = [
                (self._matrix(xgb, rows.frame, label=rows.codes, weight=rows.weights), name)
                for rows, name in ((train, "train"), (val, "val"))
                if rows is not None
            ]
            return xgb.train(
                {**params, **self._objective(params)},
                sets[0][0],
                num_boost_round=rounds,
                evals=sets[1:],
                callbacks=callbacks,
                verbose_eval=False,
            )
        except xgb.core.XGBoostError as error:
            raise DataError(f"{self._owner}: XGBoost cannot train: {_message(error)}") from error

    def _rounds(self) -> int:
        return self._booster.num_boosted_rounds()

    def _gain(self) -> np.ndarray:
        linear = _is_linear(self._merged_params())
        gains = self._booster.get_score(importance_type="weight" if linear else "total_gain")
        names = booster_names(self._encoder.features)
        return np.array([np.abs(gains.get(name, 0.0)).sum() for name in names])

    def _predict_rows(self, rows: pd.DataFrame) -> np.ndarray:
        if _is_linear(self._merged_params()):
            xgb = require_library("xgboost", self._owner)
            return self._booster.predict(self._matrix(xgb, rows)).astype(np.float64)
        return self._booster.inplace_predict(self._encoder.matrix(rows)).astype(np.float64)

    def _write(self, file: Path) -> None:
        # Booster.save_model does not report why it failed.
        file.write_bytes(self._booster.save_raw("ubj"))

    def _read(self, file: Path) -> Any:
        xgb = require_library("xgboost", self._owner)
        return xgb.Booster({"nthread": self._threads or 0}, model_file=file)

    def _progress(self, xgb: Any, rounds: int) -> Any:
        """Return a callback of XGBoost that logs the progress."""
        log = self._log_progress

        class Progress(xgb.callback.TrainingCallback):
            def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
                scores = evals_log.get("val", {}).items()
                log(epoch + 1, rounds, [(name, values[-1]) for name, values in scores])
                return False

        return Progress()


class XGBoostRegressor(_XGBoost, BoostedRegressor):
    """Gradient boosted trees that estimate a number."""


class XGBoostClassifier(_XGBoost, BoostedClassifier):
    """Gradient boosted trees that estimate the probability of each class.

    Labels may be of any type that can be sorted. `class_weight` is that of scikit-learn:
    ``"balanced"``, or weights by label.
    """


def _is_linear(params: Mapping[str, Any]) -> bool:
    return params.get("booster") == "gblinear"


def _message(error: Exception) -> str:
    """Return XGBoost's message without its stack trace."""
    return str(error).partition("Stack trace:")[0].strip()
