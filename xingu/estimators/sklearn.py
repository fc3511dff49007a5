"""Any scikit-learn regressor, classifier or pipeline as an Estimator.

Only scikit-learn's common interface is used, so that any algorithm with it works. The set ``val``
is not used: scikit-learn algorithms with early stopping split ``train`` themselves.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Self

import numpy as np
import pandas as pd

from xingu.errors import DataError, DeclarationError
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
from xingu.provider.estimator import Estimator
from xingu.provider.lending import lend
from xingu.provider.protocols import ModelView

needs("sklearn", "sklearn")

import sklearn.base  # noqa: E402
from sklearn.utils.validation import has_fit_parameter  # noqa: E402


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
        return self

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return one column ``estimation``, a number or a label, indexed as `data`.

        Raises:
            MissingColumnError: If features are missing.
            UntrainedModelError: If it is not fitted.
        """
        return estimation_frame(self._call("predict", data), data.index)

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Return columns ``estimation_class_0 …`` in the order of `classes`, indexed as `data`.

        Raises:
            NotImplementedError: If the algorithm has no `predict_proba`.
            DataError: If `class_index` is out of range.
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

    def feature_importance(self) -> pd.Series | None:
        """Return importances or absolute coefficients as shares; None if there are neither.

        For a pipeline they are those of its last step, with the feature names of the step before.
        """
        algorithm, names = self._algorithm, list(self._features)
        if hasattr(algorithm, "steps"):
            algorithm, before = algorithm[-1], algorithm[:-1]
            if len(before) and hasattr(before, "get_feature_names_out"):
                names = list(before.get_feature_names_out())
        weights = getattr(algorithm, "feature_importances_", None)
        if weights is None and (coefficients := getattr(algorithm, "coef_", None)) is not None:
            weights = np.abs(np.atleast_2d(coefficients)).mean(axis=0)
        if weights is None or len(weights) != len(names):
            return None
        return importance_series(weights, names)

    def _unfitted(self) -> Any:
        declared = self.class_params["algorithm"]
        found: Any = declared
        if isinstance(declared, str):
            module, _, name = declared.rpartition(".")
            try:
                found = getattr(import_module(module), name)
            except (ImportError, AttributeError, ValueError) as error:
                raise DeclarationError(
                    f"{self._owner}: cannot import the algorithm {declared!r} ({error}).",
                    algorithm=declared,
                ) from error
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
                f"{self._owner}: cannot construct {declared!r} with {arguments}: {error}",
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
        try:
            return getattr(self._algorithm, method)(lend(X))  # steps of users may change it
        except (TypeError, ValueError) as error:
            raise self._rejected(X, method, error) from error

    def _rejected(self, X: pd.DataFrame, method: str, error: Exception) -> DataError:
        other = [str(name) for name in X.select_dtypes(exclude=["number", "bool"]).columns]
        hint = (
            f" {', '.join(map(repr, other))} are not numbers: encode them in "
            "feature_engineering_for_train, or use a pipeline that does."
            if other
            else ""
        )
        return DataError(f"{self._owner}.{method} rejected the data: {error}.{hint}", columns=other)


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
