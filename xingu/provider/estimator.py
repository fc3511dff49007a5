"""Interface of algorithms: base class of every `estimator_class`.

An Estimator depends on frames, features and a target only, so that many DataProviders can use it.
"""

import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import pandas as pd

from xingu.errors import DeclarationError
from xingu.provider.pickles import portable_pickle
from xingu.provider.protocols import ModelView

ESTIMATION = "estimation"


class Estimator(ABC):
    """An algorithm behind one interface, reusable by many DataProviders.

    Args:
        params: Fixed parameters of the algorithm.
        hyperparams: Tuned parameters of the algorithm; they win over `params` of the same name.
        class_params: Parameters of the wrapper, for example the class of the wrapped algorithm.
    """

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
        **class_params: Any,
    ) -> None:
        self.params = dict(params or {})
        self.hyperparams = dict(hyperparams or {})
        self.class_params = class_params

    @abstractmethod
    def fit(
        self,
        datasets: Mapping[str, pd.DataFrame],
        features: Sequence[str],
        target: str,
        model: ModelView | None = None,
    ) -> Any:
        """Fit to the set ``train``.

        Args:
            datasets: Sets of the split by name; `val`, if present, is for early stopping.
            features: Columns of the features, in the order that prediction uses.
            target: Column of the target.
            model: The Model that is being trained, for estimators that need its context.
        """

    @abstractmethod
    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Predict a number or a class label per row.

        Returns:
            One column ``estimation``, indexed as `data`.
        """

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Predict the probability of each class per row.

        Args:
            data: Rows with the fitted features.
            class_index: Index of the only class to return; None: all classes.

        Returns:
            Columns ``estimation_class_0 …`` in [0, 1], indexed as `data`.

        Raises:
            NotImplementedError: If the estimator has no probabilities.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no probabilities.")

    @abstractmethod
    def is_classifier(self) -> bool:
        """Return whether the target is a class."""

    @property
    def algorithm(self) -> str:
        """Name of the algorithm for reports; a wrapper adds the one that it wraps."""
        return type(self).__name__

    def classes(self) -> list[Any]:
        """Return class labels in the order of ``estimation_class_0 …``; empty for a regressor."""
        return []

    def hyperparam_optimize(self, model: ModelView | None = None) -> dict[str, Any]:
        """Return the best hyperparameters; the default runs the declared search.

        Args:
            model: The Model that is being trained: `model.sets`, `model.search`, and features,
                target and search space of `model.dp`. None: current hyperparameters are returned.

        Returns:
            All hyperparameters, including those that were not searched.
        """
        if model is None or model.search is None:
            return dict(self.hyperparams)
        return model.search()

    def check_params(self) -> None:  # noqa: B027
        """Raise DeclarationError if a parameter is unknown; the default accepts all."""

    def prepare_for_trial(self, threads: int) -> None:  # noqa: B027
        """Prepare for one of many fits of a search: reduce logging and limit threads.

        Args:
            threads: Maximum number of threads; 0: no limit.
        """

    def hyperparam_exchange(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Apply parameters and return those in force.

        Args:
            params: Fixed parameters that replace the current ones; None: no change.
            hyperparams: Hyperparameters that replace the current ones; None: no change.

        Returns:
            ``params`` and ``hyperparams`` in force.
        """
        if params is not None:
            self.params = dict(params)
        if hyperparams is not None:
            self.hyperparams = dict(hyperparams)
        return {"params": dict(self.params), "hyperparams": dict(self.hyperparams)}

    def feature_importance(self) -> pd.Series | None:
        """Return the importance of each feature, descending; None if the algorithm has none.

        The unit depends on the algorithm, for example total gain.
        """
        return None

    def save(self, folder: Path) -> None:
        """Write the fitted estimator to an existing local `folder`."""
        (folder / "estimator.pkl").write_bytes(portable_pickle(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an estimator that `save` wrote; callers verify checksums first."""
        return pickle.loads((folder / "estimator.pkl").read_bytes())


def resolve_estimator_class(declared: type[Estimator] | str, owner: str) -> type[Estimator]:
    """Resolve a declared Estimator class.

    Args:
        declared: A class, or its dotted name.
        owner: Id of the DataProvider, for errors.

    Raises:
        DeclarationError: If the name cannot be imported, or is not an Estimator class.
    """
    found: object = declared
    if isinstance(declared, str):
        module_name, _, class_name = declared.rpartition(".")
        try:
            found = getattr(import_module(module_name), class_name)
        except (ImportError, AttributeError, ValueError) as error:
            raise DeclarationError(
                f"{owner}.estimator_class: cannot import {declared!r} ({error}); "
                "give a class, or its full dotted name.",
                estimator_class=declared,
            ) from error
    if not (isinstance(found, type) and issubclass(found, Estimator)):
        raise DeclarationError(
            f"{owner}.estimator_class: {declared!r} is not a subclass of xingu.Estimator; "
            "wrap scikit-learn algorithms with xingu.estimators.SklearnEstimator.",
            estimator_class=repr(declared),
        )
    return found
