"""LightGBM as Estimators: a regressor and a classifier.

Columns are passed to LightGBM's native training API through Arrow, so that plain numbers are not
copied. Prediction uses the category codes that were learned in training.
"""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow as pa

from xingu.errors import DataError
from xingu.estimators.boosting import (
    BoostedClassifier,
    BoostedRegressor,
    BoostedTrees,
    LabelledRows,
)
from xingu.estimators.columns import booster_names
from xingu.estimators.lightgbm_params import OF_TWO_CLASSES, check_objective, lightgbm_params
from xingu.estimators.lightgbm_predict import log_loss, predict, probabilities
from xingu.provider.pickles import portable_pickle

BOOSTER = "booster.txt"
ROUNDS, PATIENCE = 100, 50


class _LightGBM(BoostedTrees):
    """Base class of both.

    Args:
        params: LightGBM's own names, or those of its scikit-learn classes. Training stops after
            `early_stopping_rounds` (50) rounds without improvement on `val`. `objective` may be a
            function of scores and Dataset that returns gradient and hessian, as in `lgb.train`.
        hyperparams: The same; they override `params`, also under another alias.
        **class_params: `early_stopping=False` ignores `val`; `log_every` (50) is the number of
            rounds between two log lines of progress, 0: none.
    """

    CLASS_PARAMS: ClassVar[Mapping[str, Any]] = {"early_stopping": True, "log_every": 50}
    THREADS, CATEGORIES = "num_threads", "categorical_feature"

    _own_objective = False
    # The text of an unsaved booster: making it again would take 4 % of a small fit.
    _text: "tuple[lgb.Booster, str] | None" = None

    def save(self, folder: Path) -> None:
        """Write the booster in LightGBM's text format, and a pickle of everything else."""
        bare = copy.copy(self)
        bare._booster = None
        (folder / "estimator.pkl").write_bytes(portable_pickle(bare))
        if self._booster is not None:
            # Booster.save_model does not report why it failed.
            made, text = self._text or (None, "")
            text = text if made is self._booster else self._booster.model_to_string()
            (folder / BOOSTER).write_text(text)
            self._text = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_text": None}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an Estimator that `save` has written."""
        estimator = super().load(folder)
        if (folder / BOOSTER).exists():
            estimator._booster = lgb.Booster(model_file=folder / BOOSTER)
        return estimator

    def _merged_params(self) -> dict[str, Any]:
        params = lightgbm_params(self.params, self.hyperparams, self._owner)
        if self.is_classifier():
            check_objective(params, self._owner)
        return params

    def _stops_early(self, params: Mapping[str, Any]) -> bool:  # noqa: ARG002
        return bool(self._options["early_stopping"])

    def _objective(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters that define the objective."""
        classes = len(self._target.classes)
        default = "multiclass" if classes > 2 else "binary" if classes else "regression"
        objective = params.get("objective", default)
        if callable(objective):
            # LightGBM has no default metric for it, without which early stopping fails.
            metric = {} if classes else {"metric": params.get("metric", "l2")}
            return {"objective": objective, **metric, "num_class": classes if classes > 2 else 1}
        if classes > 2 and objective in OF_TWO_CLASSES:
            raise DataError(
                f"{self._owner}: the objective {objective!r} is for two classes, and the target "
                f"has {classes}; use 'multiclass', or remove it.",
                objective=objective,
            )
        many = {"num_class": classes} if classes and objective not in OF_TWO_CLASSES else {}
        return {"objective": objective, **many}

    def _dataset(self, rows: LabelledRows, **options: Any) -> lgb.Dataset:
        """Return the features as a Dataset, without copying plain numbers."""
        features, categories = self._encoder.features, {*self._encoder.unordered}
        arrays = [
            pa.array(values.view(np.int8) if values.dtype == np.bool_ else values)
            for values in self._encoder.arrays(rows.frame)
        ]
        names = booster_names(features)
        return lgb.Dataset(
            pa.table(arrays, names=names),
            rows.codes,
            weight=rows.weights,
            feature_name=names,
            categorical_feature=[
                place for place, name in enumerate(features) if str(name) in categories
            ],
            **options,
        )

    def _train(
        self, train: LabelledRows, val: LabelledRows | None, params: dict[str, Any]
    ) -> lgb.Booster:
        rounds = int(params.pop("num_iterations", ROUNDS))
        patience = int(params.pop("early_stopping_round", PATIENCE))
        min_delta = float(params.pop("early_stopping_min_delta", 0.0))
        train_set = self._dataset(train)
        callbacks = [self._progress(rounds)] if self._options["log_every"] else []
        valid_sets = []
        self._own_objective = callable(params.get("objective"))
        measures = self._own_objective and self.is_classifier() and "metric" not in params
        if val is not None:
            valid_sets.append(self._dataset(val, reference=train_set))
            if patience > 0:
                first = bool(params.get("first_metric_only", False))
                stop = lgb.early_stopping(patience, first, verbose=False, min_delta=min_delta)
                callbacks.append(stop)
        try:
            booster = lgb.train(
                {**params, **self._objective(params)},
                train_set,
                num_boost_round=rounds,
                feval=log_loss if measures else None,
                valid_sets=valid_sets,
                valid_names=["val"] * len(valid_sets),
                callbacks=callbacks,
                keep_training_booster=True,
            )
        except (lgb.basic.LightGBMError, ValueError) as error:
            raise DataError(f"{self._owner}: LightGBM cannot train: {error}") from error
        # With these, LightGBM alone can predict from the text file and a frame with categories.
        booster.pandas_categorical = [
            [value if isinstance(value, str | int | float) else str(value) for value in known]
            for known in self._encoder.categories.values()
        ]
        text = booster.model_to_string()
        booster.model_from_string(text).free_dataset()  # frees the training data
        self._text = booster, text
        return booster

    def _rounds(self) -> int:
        return self._booster.num_trees() // self._booster.num_model_per_iteration()

    def _gain(self) -> np.ndarray:
        return self._booster.feature_importance(importance_type="gain")

    def _predict_rows(self, rows: pd.DataFrame) -> np.ndarray:
        params = {} if self._threads is None else {self.THREADS: self._threads}
        return predict(self._booster, self._encoder.matrix(rows), params)

    def _progress(self, rounds: int) -> Callable[[Any], None]:
        """Return a callback of LightGBM that logs the progress."""

        def log_progress(env: Any) -> None:
            scores = [(item[1], item[2]) for item in env.evaluation_result_list]
            self._log_progress(env.iteration + 1, rounds, scores)

        return log_progress


class LightGBMRegressor(_LightGBM, BoostedRegressor):
    """Gradient boosted trees that estimate a number."""


class LightGBMClassifier(_LightGBM, BoostedClassifier):
    """Gradient boosted trees that estimate the probability of each class.

    Labels may be of any type that can be sorted. `class_weight` is that of scikit-learn:
    ``"balanced"``, or weights by label. If `objective` is a function, the probabilities are the
    sigmoid of its scores, of more than two classes their softmax, and the log loss of `val` stops
    the training early.
    """

    def _predict_rows(self, rows: pd.DataFrame) -> np.ndarray:
        predicted = super()._predict_rows(rows)
        return probabilities(predicted) if self._own_objective else predicted
