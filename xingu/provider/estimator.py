"""Interface of algorithms: base class of every `estimator_class`.

An Estimator depends on frames, features and a target only, so that many DataProviders can use it.
"""

import copyreg
import logging
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pandas as pd

from xingu.errors import DeclarationError
from xingu.provider.calls import bound_arguments
from xingu.provider.class_logger import ClassLogger, level_number
from xingu.provider.importing import import_object
from xingu.provider.lending import call_lent
from xingu.provider.pickles import portable_pickle
from xingu.provider.protocols import ModelView

ESTIMATION = "estimation"


class Estimator(ABC):
    """An algorithm behind one interface, reusable by many DataProviders.

    Args:
        params: Fixed parameters of the algorithm; `default_params` if there are none.
        hyperparams: Tuned parameters of the algorithm; they win over `params` of the same name.
            `default_hyperparams` if there are none.
        class_params: Parameters of the wrapper, for example the class of the wrapped algorithm.
    """

    default_params: Mapping[str, Any] = {}
    """Fixed parameters of an Estimator that is created without any."""
    default_hyperparams: Mapping[str, Any] = {}
    """Hyperparameters of an Estimator that is created without any."""
    logger = ClassLogger()
    """Logger with the name of the class."""

    def __init__(
        self,
        params: Mapping[str, Any] | None = None,
        hyperparams: Mapping[str, Any] | None = None,
        **class_params: Any,
    ) -> None:
        self.params = dict(params or self.default_params)
        self.hyperparams = dict(hyperparams or self.default_hyperparams)
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

    def is_classifier(self) -> bool:
        """Return whether the target is a class; the default says no."""
        return False

    @property
    def algorithm(self) -> str:
        """Name of the algorithm for reports; a wrapper adds the one that it wraps."""
        return type(self).__name__

    def classes(self) -> list[Any]:
        """Return class labels in the order of ``estimation_class_0 …``; empty for a regressor."""
        return []

    def hyperparam_optimize(self, model: ModelView | None = None) -> dict[str, Any]:
        """Return the best hyperparameters; the default runs the declared search.

        An override may have any of the parameters `datasets`, `features`, `target`, `search_space`
        and `model`.

        Args:
            model: The Model that is being trained: `model.sets`, `model.search`, and features,
                target and search space of `model.dp`. None: current hyperparameters are returned.

        Returns:
            Hyperparameters; declared ones that are not among them keep their values.
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
    ) -> dict[str, Any]:
        """Apply parameters and return the hyperparameters in force.

        Args:
            params: Fixed parameters that replace the current ones; None: no change.
            hyperparams: Hyperparameters that replace the current ones; None: no change.
        """
        if params is not None:
            self.params = dict(params)
        if hyperparams is not None:
            self.hyperparams = dict(hyperparams)
        return dict(self.hyperparams)

    def feature_importance(self) -> pd.Series | None:
        """Return the importance of each feature, descending; None if the algorithm has none.

        The unit depends on the algorithm, for example total gain.
        """
        return None

    def setup_logger(self) -> None:  # noqa: B027
        """Do nothing: `logger` is always there. Estimators of Xingu 2.0 call it."""

    def log(self, message: object = "", level: int | str = logging.INFO) -> None:
        """Log `message` with the name of this class."""
        self.logger.log(level_number(level), "%s", message)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __getstate__(self) -> dict[str, Any]:
        """Return the parameters; an override adds what the fit has learned.

        An Estimator whose class overrides this is saved with exactly what that returns; all others
        are saved with all attributes.
        """
        return {
            "default_params": self.default_params,
            "default_hyperparams": self.default_hyperparams,
            "params": self.params,
            "hyperparams": self.hyperparams,
        }

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle and copy as `__getstate__` says."""
        owner = next(cls for cls in type(self).__mro__ if "__getstate__" in vars(cls))
        own = owner is not Estimator and issubclass(owner, Estimator)
        state = self.__getstate__() if own else dict(vars(self))
        return copyreg.__newobj__, (type(self),), state  # type: ignore[attr-defined]

    def save(self, folder: Path) -> None:
        """Write the fitted estimator to an existing local `folder`."""
        (folder / "estimator.pkl").write_bytes(portable_pickle(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an estimator that `save` wrote; callers verify checksums first."""
        return pickle.loads((folder / "estimator.pkl").read_bytes())


def call_estimator(method: Callable[..., Any], **available: Any) -> Any:
    """Call a method of an Estimator with what its signature accepts; frames are lent.

    Args:
        method: For example `fit` of an Estimator.
        available: Arguments by name.
    """
    bound = bound_arguments(method, available)
    return call_lent(method, *bound.args, **bound.kwargs)


def searches_itself(declared: type[Estimator] | str | None, owner: str) -> bool:
    """Return whether a declared Estimator class implements the search of hyperparameters.

    Args:
        declared: A class, or its dotted name; None: there is none.
        owner: Id of the DataProvider, for errors.

    Raises:
        DeclarationError: If the class cannot be imported.
    """
    if not declared:
        return False
    found = resolve_estimator_class(declared, owner)
    return found.hyperparam_optimize is not Estimator.hyperparam_optimize


def classifies(estimator: Estimator) -> bool:
    """Return whether an Estimator, fitted or not, is a classifier.

    One that cannot say so before its fit is a classifier if it implements `predict_proba`.
    """
    try:
        return bool(estimator.is_classifier())
    except Exception as error:  # noqa: BLE001 - it is anybody's code, on an unfitted Estimator
        estimator.logger.debug("is_classifier raised before the fit: %r", error)
        return type(estimator).predict_proba is not Estimator.predict_proba


def resolve_estimator_class(declared: type[Estimator] | str, owner: str) -> type[Estimator]:
    """Resolve a declared Estimator class.

    Args:
        declared: A class, or its dotted name.
        owner: Id of the DataProvider, for errors.

    Raises:
        DeclarationError: If the name cannot be imported, or is not an Estimator class.
    """
    if not declared:
        raise DeclarationError(
            f"{owner}.estimator_class: none is declared; give a class, its full dotted name, or "
            "hollow = True for a model without an Estimator.",
            dataprovider_id=owner,
        )
    found: object = declared
    if isinstance(declared, str):
        problem = f"{owner}.estimator_class: cannot import {declared!r}"
        found = import_object(declared, problem, estimator_class=declared)
    if not (isinstance(found, type) and issubclass(found, Estimator)):
        raise DeclarationError(
            f"{owner}.estimator_class: {declared!r} is not a subclass of xingu.Estimator; "
            "wrap scikit-learn algorithms with xingu.estimators.SklearnEstimator.",
            estimator_class=repr(declared),
        )
    return found
