"""The interface of an algorithm: what a DataProvider may name as its `estimator_class`.

An Estimator knows frames, features and a target; it knows nothing of sources, hooks or storage.
"""

import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import pandas as pd

from xingu.errors import DeclarationError
from xingu.provider.protocols import ModelView

ESTIMATION = "estimation"


class Estimator(ABC):
    """An algorithm behind one interface, reusable by many DataProviders.

    Args:
        params: Fixed parameters of the algorithm.
        hyperparams: Tuned parameters of the algorithm; they win over `params` of the same name.
        class_params: What the wrapper itself needs, for example which algorithm to wrap.
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
        """Learn `target` from `features` of the set called ``train``.

        Args:
            datasets: The sets of the split by name; `train` is fitted on, `val`, if it is there,
                decides when to stop.
            features: Columns to learn from, in the order that prediction uses.
            target: Column to learn.
            model: The Model that is being trained, for estimators that want its context.
        """

    @abstractmethod
    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return one column ``estimation``, indexed as `data`: a number, or a class label."""

    def predict_proba(self, data: pd.DataFrame, class_index: int | None = None) -> pd.DataFrame:
        """Return columns ``estimation_class_0 …`` in [0, 1], indexed as `data`.

        Args:
            data: Rows with the features that were fitted.
            class_index: Return only the column of this class.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no probabilities.")

    @abstractmethod
    def is_classifier(self) -> bool:
        """Return whether the target is a class."""

    def classes(self) -> list[Any]:
        """Return the class labels in the order of ``estimation_class_0 …``; none if regressing."""
        return []

    def hyperparam_optimize(self, model: ModelView | None = None) -> dict[str, Any]:
        """Return the best hyperparameters; the default runs the declared search.

        Args:
            model: The Model that is being trained: `model.sets`, `model.search`, and features,
                target and search space of `model.dp`. Without a search the present ones are kept.

        Returns:
            All hyperparameters, also those that were not searched.
        """
        if model is None or model.search is None:
            return dict(self.hyperparams)
        return model.search()

    def check_params(self) -> None:  # noqa: B027
        """Raise DeclarationError if a parameter is not known; the default knows them all."""

    def prepare_for_trial(self, threads: int) -> None:  # noqa: B027
        """Take note that this is one fit of many: say little, and take few threads.

        Args:
            threads: Most threads to use; 0: no limit.
        """

    def hyperparam_exchange(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Take over what is given and return both ``params`` and ``hyperparams`` in force."""
        if params is not None:
            self.params = dict(params)
        if hyperparams is not None:
            self.hyperparams = dict(hyperparams)
        return {"params": dict(self.params), "hyperparams": dict(self.hyperparams)}

    def feature_importance(self) -> pd.Series | None:
        """Return the weight of each feature (gain, or what the algorithm has), largest first."""
        return None

    def save(self, folder: Path) -> None:
        """Write the fitted estimator into an existing local `folder`."""
        (folder / "estimator.pkl").write_bytes(pickle.dumps(self, protocol=5))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the files have been verified by then."""
        return pickle.loads((folder / "estimator.pkl").read_bytes())


def resolve_estimator_class(declared: type[Estimator] | str, owner: str) -> type[Estimator]:
    """Return the class that `declared` is or names.

    Raises:
        DeclarationError: If the dotted name leads nowhere, or to something else.
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
