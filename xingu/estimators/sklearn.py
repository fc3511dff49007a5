"""Any scikit-learn regressor, classifier or pipeline as an Estimator.

Only scikit-learn's common interface is used, so that any algorithm with it works. The set ``val``
is not used: scikit-learn algorithms with early stopping split ``train`` themselves.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from xingu.errors import DataError, DeclarationError, text_of
from xingu.estimators.frames import (
    column_of,
    estimation_frame,
    importance_series,
    not_fitted,
    proba_frame,
    row_weights,
    select_features,
    training_set,
)
from xingu.extras import needs
from xingu.model.categories import kind_of
from xingu.provider.estimator import Estimator
from xingu.provider.importing import import_object
from xingu.provider.lending import lend
from xingu.provider.protocols import ModelView

needs("sklearn", "sklearn")

import sklearn.base  # noqa: E402
from sklearn.utils.validation import has_fit_parameter  # noqa: E402

logger = logging.getLogger(__name__)

PROBED_ROWS = 50
"""Number of training rows whose probabilities are looked at after the fit."""
MIXED_UP = ({"text", "number"}, {"text", "bool"})
"""Types of a feature in training and in prediction that are not compared by value."""


class SklearnEstimator(Estimator):
    """Wrapper of a scikit-learn algorithm.

    Args:
        params: Arguments of the algorithm; ``step__argument`` sets one of a pipeline's step.
        hyperparams: The same; they override `params`.
        **class_params: `algorithm`: a class, a function that returns an unfitted algorithm, an
            unfitted algorithm itself (it is cloned), or the dotted name of one of these.
    """

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
        **class_params: Any,
    ) -> None:
        super().__init__(params, hyperparams, **class_params)
        if set(class_params) != {"algorithm"}:
            raise DeclarationError(
                "SklearnEstimator: estimator_class_params must be {'algorithm': …}, for example "
                f"'sklearn.ensemble.RandomForestRegressor'; it has {sorted(class_params)}."
            )
        self._owner = "SklearnEstimator"
        self._features = pd.Index([])
        self._kinds: Mapping[Any, str] = {}
        self._algorithm: Any = None

    def fit(
        self,
        datasets: Mapping[str, pd.DataFrame],
        features: Sequence[str],
        target: str,
        model: ModelView | None = None,
    ) -> Self:
        """Fit to the set ``train``.

        Args:
            datasets: Frames by set name.
            features: Names of the feature columns.
            target: Name of the target column.
            model: The Model that is trained: its DataProvider declares the sample weights.

        Raises:
            DataError: If the algorithm rejects the data; columns that are not numeric are named.
                If a classifier with `predict_proba` returns something else than probabilities.
            DeclarationError: If it has no such argument, or does not support weights.
        """
        self._owner = f"{model.id}: SklearnEstimator" if model is not None else self._owner
        train = training_set(datasets, target, self._owner)
        X = select_features(train, pd.Index(features), self._owner)
        algorithm = self._unfitted()
        weights = row_weights(train, model, self._owner)
        try:
            y = column_of(train, target, self._owner).to_numpy()
            algorithm.fit(lend(X), y, **_weighted(algorithm, weights, self._owner))
        except (TypeError, ValueError) as error:
            raise self._rejected(X, "fit", error) from error
        self._features, self._algorithm = pd.Index(features), algorithm
        self._kinds = {name: kind_of(column) for name, column in X.items()}
        self._check_probabilities(X.head(PROBED_ROWS))
        return self

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return one column ``estimation``, a number or a label, indexed as `data`.

        Raises:
            DataError: If a feature holds text that held numbers in training, or the reverse.
            MissingColumnError: If features are missing.
            UntrainedModelError: If it is not fitted.
        """
        return estimation_frame(self._call("predict", data), data.index)

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Return columns ``estimation_class_0 …`` in the order of `classes`, indexed as `data`.

        Raises:
            NotImplementedError: If the algorithm has no `predict_proba`.
            DataError: If `class_index` is out of range, or as in `predict`.
            MissingColumnError: If features are missing.
            UntrainedModelError: If it is not fitted.
        """
        return proba_frame(self._call("predict_proba", data), data.index, class_index, self._owner)

    def check_params(self) -> None:
        """Raise DeclarationError if an argument is unknown to the algorithm."""
        self._unfitted()

    def is_classifier(self) -> bool:
        """Return whether the algorithm, or the last step of the pipeline, is a classifier."""
        return sklearn.base.is_classifier(
            self._unfitted() if self._algorithm is None else self._algorithm
        )

    def classes(self) -> list[Any]:
        """Return the sorted labels of the training set; empty before fitting or for a regressor."""
        known = getattr(self._algorithm, "classes_", None)
        return [] if known is None else np.asarray(known).tolist()

    @property
    def algorithm(self) -> str:
        """Name of the class, and of the algorithm that it wraps with its steps."""
        wrapped = self._unfitted() if self._algorithm is None else self._algorithm
        return f"{type(self).__name__}({_described(wrapped)})"

    def feature_importance(self) -> pd.Series | None:
        """Return importances or absolute coefficients as shares; None if there are neither.

        For a pipeline they are those of its last step. Their names are those that the steps before
        return, else the features if there are as many, else None is returned.
        """
        try:
            weights = _weights(self._algorithm)
        except Exception as error:  # noqa: BLE001 - a property of any algorithm
            logger.debug("%s: no importances: %s", self._owner, error)
            return None
        for names in (_names_after(self._algorithm), list(self._features)):
            if weights is not None and names is not None and len(weights) == len(names):
                return importance_series(weights, names)
        return None

    def _unfitted(self) -> Any:
        declared = self.class_params["algorithm"]
        found: Any = declared
        if isinstance(declared, str):
            problem = f"{self._owner}: cannot import the algorithm {declared!r}"
            found = import_object(declared, problem, algorithm=declared)
        arguments = {**self.params, **self.hyperparams}
        try:
            if isinstance(found, type):
                # A pipeline's nested arguments can be set only after it is constructed.
                nested = {key: arguments.pop(key) for key in [*arguments] if "__" in key}
                return found(**arguments).set_params(**nested)
            made = sklearn.base.clone(found) if hasattr(found, "get_params") else found()
            return made.set_params(**arguments)
        except (TypeError, ValueError, AttributeError) as error:
            raise DeclarationError(
                f"{self._owner}: cannot construct {declared!r} with {arguments}: {text_of(error)}",
                algorithm=repr(declared),
            ) from error

    def _call(self, method: str, data: pd.DataFrame) -> np.ndarray:
        if self._algorithm is None:
            raise not_fitted(self._owner)
        if not hasattr(self._algorithm, method):
            raise NotImplementedError(
                f"{self._owner}: {type(self._algorithm).__name__} gives no probabilities."
            )
        X = select_features(data, self._features, self._owner)
        if X.empty:
            # Most algorithms reject an empty frame.
            labels = np.asarray(self.classes()) if self.classes() else np.empty(0)
            return labels[:0] if method == "predict" else np.empty((0, len(labels)))
        self._check_kinds(X)
        try:
            return getattr(self._algorithm, method)(lend(X))  # steps of users may change it
        except (TypeError, ValueError) as error:
            raise self._rejected(X, method, error) from error

    def _check_kinds(self, X: pd.DataFrame) -> None:
        """Refuse text where numbers were and the reverse, which encoders take for unseen."""
        for (name, trained), dtype in zip(self._kinds.items(), X.dtypes, strict=True):
            if trained == "number" and dtype.kind in "biuf":
                continue
            kind = kind_of(X[name])
            if {kind, trained} in MIXED_UP and X[name].notna().any():
                raise DataError(
                    f"{self._owner}: the feature {name!r} is of type {kind} ({dtype}), and was of "
                    f"type {trained} in training; read or convert it as {trained}.",
                    column=name,
                    dtype=str(dtype),
                )

    def _check_probabilities(self, X: pd.DataFrame) -> None:
        """Refuse a classifier that returns scores, as some do with an objective of one's own."""
        if not self.is_classifier() or not hasattr(self._algorithm, "predict_proba"):
            return
        found = np.asarray(self._call("predict_proba", X))
        shape = (len(X), len(self.classes()))
        if found.shape == shape and not ((found < -1e-6) | (found > 1 + 1e-6)).any():
            return
        raise DataError(
            f"{self._owner}: predict_proba of {_described(self._algorithm)} returns no "
            "probabilities of its classes; choose another objective."
        )

    def _rejected(self, X: pd.DataFrame, method: str, error: Exception) -> DataError:
        other = [str(name) for name in X.select_dtypes(exclude=["number", "bool"]).columns]
        hint = (
            f" {', '.join(map(repr, other))} are not numbers: encode them in "
            "feature_engineering_for_train, or use a pipeline that does."
            if other
            else ""
        )
        return DataError(
            f"{self._owner}.{method} rejected the data: {text_of(error)}.{hint}", columns=other
        )


def _described(algorithm: Any) -> str:
    """Return the class of an algorithm, with its steps or the algorithm inside it."""
    inner = [step for _, step in getattr(algorithm, "steps", ())]
    inner = inner or [getattr(algorithm, "estimator", None)]
    names = [type(one).__name__ for one in inner if hasattr(one, "get_params")]
    return type(algorithm).__name__ + (f"({', '.join(names)})" if names else "")


def _weights(algorithm: Any) -> np.ndarray | None:
    """Return importances or mean absolute coefficients, one per input; None: there are none."""
    last = algorithm[-1] if hasattr(algorithm, "steps") else algorithm
    weights = getattr(last, "feature_importances_", None)
    if weights is None and (coefficients := getattr(last, "coef_", None)) is not None:
        dense = coefficients.toarray() if hasattr(coefficients, "toarray") else coefficients
        weights = np.abs(np.atleast_2d(dense)).mean(axis=0)
    return None if weights is None else np.asarray(weights, dtype=float)


def _names_after(algorithm: Any) -> list[str] | None:
    """Return the names of what the last step of a pipeline receives; None if a step has none."""
    if not hasattr(algorithm, "steps") or len(algorithm) < 2:
        return None
    try:
        return list(algorithm[:-1].get_feature_names_out())
    except Exception as error:  # noqa: BLE001 - a step may be anybody's
        logger.debug("The steps of the pipeline have no names: %s", error)
        return None


def _weighted(algorithm: Any, weights: np.ndarray | None, owner: str) -> dict[str, np.ndarray]:
    """Return the weights as the argument of `fit`; for a pipeline, of its last step.

    Raises:
        DeclarationError: If the algorithm does not support weights.
    """
    if weights is None:
        return {}
    steps = getattr(algorithm, "steps", None)
    name, last = steps[-1] if steps else ("", algorithm)
    if not has_fit_parameter(last, "sample_weight"):
        raise DeclarationError(
            f"{owner}: {type(last).__name__} does not support weights; remove "
            "sample_weight, or choose another algorithm.",
            algorithm=type(last).__name__,
        )
    return {f"{name}__sample_weight" if steps else "sample_weight": weights}
