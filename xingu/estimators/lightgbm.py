"""LightGBM as Estimators: a regressor and a classifier.

Their one idea: LightGBM's own training interface is fed column by column through Arrow, so plain
numbers are never copied, and prediction reuses the codes that training gave to categories. They
know frames and parameters; where a fitted one is kept is up to `save`'s caller.
"""

import copy
import logging
import pickle
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow as pa

from xingu.errors import DataError, DeclarationError, did_you_mean
from xingu.estimators.columns import ColumnEncoder
from xingu.estimators.frames import (
    column_of,
    estimation_frame,
    importance_series,
    not_fitted,
    proba_frame,
    row_weights,
    training_set,
)
from xingu.estimators.lightgbm_params import booster_names, lightgbm_params
from xingu.estimators.lightgbm_predict import predict
from xingu.provider.estimator import Estimator
from xingu.provider.protocols import ModelView

logger = logging.getLogger(__name__)

BOOSTER = "booster.txt"
ROUNDS, PATIENCE = 100, 50
ROWS_AT_ONCE = 65_536
FEW_ROWS = 20_000
"""Fewer rows than this are fitted in one thread, unless `num_threads` says otherwise: two threads
gain a third at most, and lose far more where several models are fitted at once."""


class _LightGBM(Estimator):
    """What both have in common.

    Args:
        params: LightGBM's own names, or those of its scikit-learn classes. `early_stopping_rounds`
            (50) rounds without a better `val` end the training.
        hyperparams: The same; they win over `params`, also under another alias.
        **class_params: `early_stopping=False` ignores `val`; `log_every` (50) is how many rounds
            lie between two lines of progress in the log, 0 for none.
    """

    # A booster that was not saved yet, and its text, which takes 4 % of a small fit to make.
    _text: "tuple[lgb.Booster, str] | None" = None

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
        **class_params: Any,
    ) -> None:
        super().__init__(params, hyperparams, **class_params)
        self._owner = type(self).__name__
        known = {"early_stopping": True, "log_every": 50}
        for name in class_params:
            if name not in known:
                raise DeclarationError(
                    f"{self._owner}: estimator_class_params has no {name!r}; known: "
                    f"{', '.join(known)}.{did_you_mean(name, known)}"
                )
        self._options = {**known, **class_params}
        self._booster: lgb.Booster | None = None
        self._encoder = ColumnEncoder((), self._owner)
        self._predict_params: dict[str, Any] = {}

    def fit(
        self,
        datasets: Mapping[str, pd.DataFrame],
        features: Sequence[str],
        target: str,
        model: ModelView | None = None,
    ) -> Self:
        """Learn `target` from `features` of ``train``; ``val``, if there, decides when to stop.

        Raises:
            DataError: If the target or a feature cannot be used; the column is named.
            DeclarationError: If LightGBM has no such parameter.
        """
        started = time.perf_counter()
        self._owner = f"{model.id}: {self._owner}" if model is not None else self._owner
        params = lightgbm_params(self.params, self.hyperparams, self._owner)
        train = training_set(datasets, target, self._owner)
        if len(train) < FEW_ROWS:
            params.setdefault("num_threads", 1)
        self._learn_target(column_of(train, target, self._owner))
        self._encoder = ColumnEncoder(features, self._owner).learn(train)
        sets = {**datasets, "train": train}
        train_set, val_set = self._datasets(sets, target, params, model)
        self._booster = self._train(train_set, val_set, params)
        self._predict_params = {k: v for k, v in params.items() if k == "num_threads"}
        logger.info(
            "%s: fitted %d rows × %d features, %d rounds%s, in %.1f s",
            self._owner,
            len(train),
            len(self._encoder.features),
            self._booster.num_trees() // self._booster.num_model_per_iteration(),
            " (the best for val)" if val_set is not None else "",
            time.perf_counter() - started,
        )
        return self

    def check_params(self) -> None:
        """Raise DeclarationError if LightGBM has no such parameter."""
        lightgbm_params(self.params, self.hyperparams, self._owner)

    def prepare_for_trial(self, threads: int) -> None:
        """Log no progress, and use at most `threads` threads, unless `num_threads` is set."""
        self._options["log_every"] = 0
        if threads and "num_threads" not in lightgbm_params(self.params, self.hyperparams, ""):
            self.params["num_threads"] = threads

    def feature_importance(self) -> pd.Series | None:
        """Return each feature's share of the gain of all splits, largest first; the sum is 1."""
        if self._booster is None:
            return None
        gain = self._booster.feature_importance(importance_type="gain")
        return importance_series(gain, self._encoder.features)

    def save(self, folder: Path) -> None:
        """Write LightGBM's text format into `folder`, and beside it all that is not the booster."""
        bare = copy.copy(self)
        bare._booster = None
        (folder / "estimator.pkl").write_bytes(pickle.dumps(bare, protocol=5))
        if self._booster is not None:
            # LightGBM's own way of writing does not say why it failed.
            made, text = self._text or (None, "")
            text = text if made is self._booster else self._booster.model_to_string()
            (folder / BOOSTER).write_text(text)
            self._text = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_text": None}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        estimator = super().load(folder)
        if (folder / BOOSTER).exists():
            estimator._booster = lgb.Booster(model_file=folder / BOOSTER)
        return estimator

    @abstractmethod
    def _learn_target(self, values: pd.Series) -> None:
        """Learn what the target's values are."""

    @abstractmethod
    def _labels(self, values: pd.Series) -> np.ndarray:
        """Return `values` as LightGBM wants them; NaN for those that cannot be learned from."""

    @abstractmethod
    def _objective(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters that say what is to be learned."""

    def _weights(self, labels: np.ndarray, params: dict[str, Any]) -> np.ndarray | None:  # noqa: ARG002
        return None

    def _datasets(
        self,
        sets: Mapping[str, pd.DataFrame],
        target: str,
        params: dict[str, Any],
        model: ModelView | None,
    ) -> tuple[lgb.Dataset, lgb.Dataset | None]:
        train, val = sets["train"], sets.get("val")
        categories = {*params.pop("categorical_feature", ()), *self._encoder.unordered}
        shape = {
            "feature_name": booster_names(self._encoder.features),
            "categorical_feature": [
                place for place, name in enumerate(self._encoder.features) if name in categories
            ],
        }
        labels = self._labels(column_of(train, target, self._owner))
        weights = row_weights(train, model, self._owner, self._weights(labels, params))
        train_set = lgb.Dataset(self._table(train), labels, weight=weights, **shape)
        if val is None or not self._options["early_stopping"]:
            return train_set, None
        labels = self._labels(column_of(val, target, self._owner))
        usable = ~np.isnan(labels)
        if not usable.all():
            logger.warning(
                "%s: %d of %d rows of 'val' have a target that 'train' lacks, and are left out",
                self._owner,
                np.count_nonzero(~usable),
                len(labels),
            )
        if not usable.any():
            return train_set, None
        table = self._table(val if usable.all() else val.loc[usable])
        weights = row_weights(val, model, self._owner)
        shape |= {"reference": train_set, "weight": None if weights is None else weights[usable]}
        return train_set, lgb.Dataset(table, labels[usable], **shape)

    def _table(self, frame: pd.DataFrame) -> pa.Table:
        """Hand the columns over as they lie in memory."""
        arrays = [
            pa.array(values.view(np.int8) if values.dtype == np.bool_ else values)
            for values in self._encoder.arrays(frame)
        ]
        return pa.table(arrays, names=booster_names(self._encoder.features))

    def _train(
        self, train_set: lgb.Dataset, val_set: lgb.Dataset | None, params: dict[str, Any]
    ) -> lgb.Booster:
        rounds = int(params.pop("num_iterations", ROUNDS))
        patience = int(params.pop("early_stopping_round", PATIENCE))
        min_delta = float(params.pop("early_stopping_min_delta", 0.0))
        callbacks = []
        if self._options["log_every"]:
            callbacks.append(_progress(self._owner, rounds, int(self._options["log_every"])))
        if val_set is not None and patience > 0:
            first = bool(params.get("first_metric_only", False))
            callbacks.append(
                lgb.early_stopping(patience, first, verbose=False, min_delta=min_delta)
            )
        try:
            booster = lgb.train(
                {**params, **self._objective(params)},
                train_set,
                num_boost_round=rounds,
                valid_sets=None if val_set is None else [val_set],
                valid_names=None if val_set is None else ["val"],
                callbacks=callbacks,
                keep_training_booster=True,
            )
        except lgb.basic.LightGBMError as error:
            raise DataError(f"{self._owner}: LightGBM refused to train: {error}") from error
        # So that the text file alone predicts from a frame with categories, too.
        booster.pandas_categorical = [
            [value if isinstance(value, str | int | float) else str(value) for value in known]
            for known in self._encoder.categories.values()
        ]
        text = booster.model_to_string()
        booster.model_from_string(text).free_dataset()  # it holds no data any more
        self._text = booster, text
        return booster

    def _raw_predict(self, data: pd.DataFrame) -> np.ndarray:
        """Return what the booster says, slice by slice: the matrix of all rows never exists."""
        if self._booster is None:
            raise not_fitted(self._owner)
        slices = (
            data if len(data) <= ROWS_AT_ONCE else data.iloc[start : start + ROWS_AT_ONCE]
            for start in range(0, len(data), ROWS_AT_ONCE)
        )
        params = self._predict_params
        parts = [predict(self._booster, self._encoder.matrix(rows), params) for rows in slices]
        if not parts:
            self._encoder.matrix(data)  # An empty frame must have the columns, too.
            classes = self._booster.num_model_per_iteration()
            return np.empty((0, classes) if classes > 1 else 0)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class LightGBMRegressor(_LightGBM):
    """Gradient boosted trees that estimate a number."""

    def is_classifier(self) -> bool:
        """Return False."""
        return False

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return one column ``estimation`` of floats, indexed as `data`.

        Raises:
            MissingColumnError: If features are missing.
            UntrainedModelError: If it is not fitted.
        """
        return estimation_frame(self._raw_predict(data), data.index)

    def _learn_target(self, values: pd.Series) -> None:
        self._labels(values)

    def _labels(self, values: pd.Series) -> np.ndarray:
        try:
            if values.dtype.kind in "mM":
                raise TypeError(f"its type is {values.dtype}")
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{self._owner}: the target {values.name!r} is not made of numbers ({error}); "
                "convert it in clean_data_for_train, or use LightGBMClassifier.",
                target=values.name,
            ) from error

    def _objective(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"objective": params.get("objective", "regression")}


class LightGBMClassifier(_LightGBM):
    """Gradient boosted trees that estimate the probability of each class.

    Labels may be of any type that can be sorted. `class_weight` of the scikit-learn class is
    understood: ``"balanced"``, or weights by label.
    """

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
        **class_params: Any,
    ) -> None:
        super().__init__(params, hyperparams, **class_params)
        self._classes = pd.Index([])

    def is_classifier(self) -> bool:
        """Return True."""
        return True

    def classes(self) -> list[Any]:
        """Return the labels seen in training, sorted."""
        return self._classes.tolist()

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return one column ``estimation`` with the likeliest label, indexed as `data`."""
        likeliest = self._probabilities(data).argmax(axis=1)
        return estimation_frame(self._classes.take(likeliest), data.index)

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Return columns ``estimation_class_0 …`` in the order of `classes`, indexed as `data`.

        Raises:
            DataError: If there is no class `class_index`.
            MissingColumnError: If features are missing.
            UntrainedModelError: If it is not fitted.
        """
        return proba_frame(self._probabilities(data), data.index, class_index, self._owner)

    def _probabilities(self, data: pd.DataFrame) -> np.ndarray:
        raw = self._raw_predict(data)
        return raw if raw.ndim > 1 else np.column_stack([1.0 - raw, raw])

    def _learn_target(self, values: pd.Series) -> None:
        try:
            self._classes = pd.Index(pd.unique(values.to_numpy())).sort_values()
        except TypeError as error:
            raise DataError(
                f"{self._owner}: the labels of {values.name!r} cannot be sorted ({error}); "
                "make them one type in clean_data_for_train.",
                target=values.name,
            ) from error
        if len(self._classes) < 2:
            raise DataError(
                f"{self._owner}: {values.name!r} is {self.classes()[0]!r} in every row of 'train'; "
                "a classifier needs two classes.",
                target=values.name,
            )

    def _labels(self, values: pd.Series) -> np.ndarray:
        codes = self._classes.get_indexer(pd.Index(values.to_numpy())).astype(np.float64)
        codes[codes < 0] = np.nan
        return codes

    def _objective(self, params: Mapping[str, Any]) -> dict[str, Any]:
        many = len(self._classes) > 2
        objective = params.get("objective", "multiclass" if many else "binary")
        softmax = str(objective).startswith(("multiclass", "softmax", "ova", "ovr"))
        return {"objective": objective, **({"num_class": len(self._classes)} if softmax else {})}

    def _weights(self, labels: np.ndarray, params: dict[str, Any]) -> np.ndarray | None:
        declared = params.pop("class_weight", None)
        if declared is None:
            return None
        counts = np.bincount(labels.astype(np.intp), minlength=len(self._classes))
        if declared == "balanced":
            by_code = len(labels) / (len(counts) * counts)
        else:
            by_code = np.array([declared.get(label, 1.0) for label in self.classes()])
        return by_code[labels.astype(np.intp)]


def _progress(owner: str, rounds: int, every: int) -> Callable[[Any], None]:
    """A callback of LightGBM that logs how far it is, and how good `val` is by then."""

    def log_progress(env: Any) -> None:
        done = env.iteration + 1
        if done % every == 0:
            scores = ", ".join(
                f"val {item[1]} {item[2]:.6g}" for item in env.evaluation_result_list
            )
            logger.info("%s: round %d of %d%s", owner, done, rounds, scores and f", {scores}")

    return log_progress
