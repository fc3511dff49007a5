"""DataProvider: the one class that a user writes to declare a model.

Its one idea: everything has a default, so a class body of declarations is a whole model, and every
step is a hook that can be overridden. It does not know who calls its hooks, or where data is kept.
"""

import copyreg
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from xingu.directions import DeclaredDirection
from xingu.provider.estimator import Estimator, resolve_estimator_class
from xingu.provider.protocols import ModelView

logger = logging.getLogger(__name__)


class DataProvider:
    """What one model is made of: sources, cleaning, features, split, estimator, metrics, plots.

    Subclass it, set `id` and the declarations, and override the hooks that need code. Attributes
    set on `self` in one hook are there in every later one, also in another process a year later.
    """

    id: ClassVar[str | None] = None
    """Name of the model; a class without one is a base class and is skipped."""

    train_dataset_sources: Mapping[str, Mapping[str, Any]] = {}
    """`{name: {"source": nickname, "query": sql}}` or `{name: {"url": …, "params": {…}}}`."""
    batch_predict_dataset_sources: Mapping[str, Mapping[str, Any]] = {}

    x_features: Sequence[str] = ()
    """Features of the outside world: what a caller of `Model.predict` has to give."""
    x_estimator_features: Sequence[str] = ()
    """Features of the estimator; `x_features` where empty."""
    y: str | None = None
    """Target column."""
    sample_weight: str | None = None
    """Column that says what a row counts, at least 0, in the fit, in metrics and in plots."""

    estimator_class: type[Estimator] | str | None = None
    estimator_class_params: Mapping[str, Any] = {}
    estimator_params: Mapping[str, Any] = {}
    estimator_hyperparams: Mapping[str, Any] = {}
    estimator_hyperparams_search_space: Mapping[str, Any] = {}
    """`{hyperparameter: skopt dimension}`, or `('int', dict(low=…, high=…))` and the like."""
    hyperopt: Mapping[str, Any] = {}
    """How to search there: `method`, `evaluations`, `seconds`, `metric`, `direction`, `folds` and
    more; see `xingu.tuning.plan.SearchPlan`."""

    random_state: int = 42
    test_size: float = 0.1
    """Share of all rows, in [0, 1), that the default split keeps for `test`."""
    val_size: float = 0.2
    """Share of all rows, in [0, 1), that the default split keeps for `val`."""

    proba_class_index: int = 0
    """Which class's probability is the estimation of a classifier."""
    pre_req: set[str] | frozenset[str] | Sequence[str] = frozenset()
    """Ids of the DataProviders whose Models this one uses, as `self.pre_req_model[id]`."""
    hollow: bool = False
    """No estimator: `post_process_after_predict` computes the estimation."""
    metric_directions: Mapping[str, DeclaredDirection] = {}
    """`{metric: "minimize" | "maximize" | "zero"}`: which values of its own metrics are better;
    ``zero``: those closer to 0."""
    quality_gates: Mapping[str, Any] = {}
    """`{set: {metric: (operator, value)}}`; operators are comparisons, or ``"not worse by"``, which
    compares with the train that was current before; see `xingu.checks.gates`."""
    checks: Mapping[str, Any] = {}
    """Built-in checks by name: ``"off"``, ``"warn"``, ``"error"``, or a dict with `severity` and
    limits; see `xingu.checks.catalog`."""
    builtin_plots_off: Collection[str] = ()
    """Names of built-in plots that are not drawn, out of `xingu.provider.methods.BUILTIN_PLOTS`."""
    plot_segments: Sequence[str] = ()
    """Columns whose values are the segments of the plot of errors; the features where empty."""

    owners: Sequence[str] = ()
    """Owners of the assets: e-mail addresses, or ``team:name``."""
    tags: Mapping[str, str] = {}
    """Tags of the assets."""

    pre_req_model: Mapping[str, ModelView] = {}

    # -- train: from sources to sets ----------------------------------------------------------

    def get_dataset_sources_for_train(self, model: ModelView | None = None) -> Mapping[str, Any]:  # noqa: ARG002
        """Return the sources to train from; called before any data is read."""
        return self.train_dataset_sources

    def clean_data_for_train(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Make one frame of the source frames; the default concatenates them."""
        frames = list(datasets.values())
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def feature_engineering_for_train(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` with features; learn encoders here and keep them on `self`."""
        return data

    def last_pre_process_for_train(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` as it shall be split."""
        return data

    def data_split_for_train(self, data: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
        """Split rows into `train`, `val` and `test` at random; stratified for a classifier.

        Returns:
            Frames by set name, disjoint in index. A set of size 0 is left out.
        """
        from sklearn.model_selection import train_test_split

        target = str(self.get_target())
        classes = data[target] if self.is_classifier() else None
        sets: dict[str, pd.DataFrame] = {}
        rest = np.arange(len(data))
        for name, size in (("test", self.test_size), ("val", self.val_size)):
            if size:
                rest, taken = train_test_split(
                    rest,
                    test_size=round(size * len(data)),
                    random_state=self.random_state,
                    stratify=None if classes is None else classes.iloc[rest],
                )
                sets[name] = data.iloc[taken]
        return {"train": data.iloc[rest], **dict(reversed(sets.items()))}

    # -- estimator ----------------------------------------------------------------------------

    def get_features_list(self) -> Sequence[str]:
        """Return the features of the outside world."""
        return self.x_features

    def get_estimator_features_list(self) -> Sequence[str]:
        """Return the features of the estimator, in order."""
        return self.x_estimator_features or self.get_features_list()

    def get_target(self) -> str | None:
        """Return the name of the target column."""
        return self.y

    def get_estimator_class(self) -> type[Estimator] | str | None:
        """Return the Estimator class, or its dotted name."""
        return self.estimator_class

    def get_estimator_class_params(self) -> Mapping[str, Any]:
        """Return what the Estimator wrapper needs."""
        return self.estimator_class_params

    def get_estimator_params(self) -> Mapping[str, Any]:
        """Return the fixed parameters of the algorithm."""
        return self.estimator_params

    def get_estimator_optimization_search_space(self) -> Mapping[str, Any]:
        """Return where to search for hyperparameters."""
        return self.estimator_hyperparams_search_space

    def get_estimator_hyperparameters(self) -> Mapping[str, Any]:
        """Return the declared hyperparameters; the shorter name may be overridden as well."""
        return self.get_estimator_hyperparams()

    def get_estimator_hyperparams(self) -> Mapping[str, Any]:
        """Return the declared hyperparameters, under the name that Xingu 2.0 gave it."""
        return self.estimator_hyperparams

    def make_estimator(self, hyperparams: Mapping[str, Any] | None = None) -> Estimator | None:
        """Return a new unfitted Estimator as declared, or None for a hollow DataProvider.

        Args:
            hyperparams: Use these in place of the declared ones.

        Raises:
            DeclarationError: If the estimator class is missing or is none.
        """
        if self.hollow:
            return None
        estimator_class = resolve_estimator_class(self.get_estimator_class() or "", str(self.id))
        return estimator_class(
            self.get_estimator_params(),
            self.get_estimator_hyperparameters() if hyperparams is None else hyperparams,
            **self.get_estimator_class_params(),
        )

    def is_classifier(self) -> bool:
        """Return whether the declared estimator is a classifier."""
        estimator = self.make_estimator()
        return estimator is not None and estimator.is_classifier()

    def post_process_after_hyperparam_optimize(self, model: ModelView) -> None:
        """Do what is needed between tuning and fitting."""

    def post_process_after_train(self, model: ModelView) -> None:
        """Do what is needed once the estimator is fitted."""

    # -- predict ------------------------------------------------------------------------------

    def pre_process_for_generic_predict(self, X: pd.DataFrame, model: ModelView) -> pd.DataFrame:  # noqa: ARG002
        """Return `X` as the estimator shall see it, whichever kind of prediction follows."""
        return X

    def pre_process_for_predict(self, X: pd.DataFrame, model: ModelView) -> pd.DataFrame:
        """Return `X` as `Estimator.predict` shall see it."""
        return self.pre_process_for_generic_predict(X, model)

    def pre_process_for_predict_proba(self, X: pd.DataFrame, model: ModelView) -> pd.DataFrame:
        """Return `X` as `Estimator.predict_proba` shall see it."""
        return self.pre_process_for_generic_predict(X, model)

    def post_process_after_generic_predict(
        self,
        X: pd.DataFrame,  # noqa: ARG002
        Y_pred: pd.DataFrame,
        model: ModelView,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Return `Y_pred` as callers shall see it, whichever kind of prediction was made."""
        return Y_pred

    def post_process_after_predict(
        self, X: pd.DataFrame, Y_pred: pd.DataFrame, model: ModelView
    ) -> pd.DataFrame:
        """Return `Y_pred` as callers of `predict` shall see it; a hollow provider makes it here."""
        return self.post_process_after_generic_predict(X, Y_pred, model)

    def post_process_after_predict_proba(
        self, X: pd.DataFrame, Y_pred: pd.DataFrame, model: ModelView
    ) -> pd.DataFrame:
        """Return `Y_pred` as callers of `predict_proba` shall see it."""
        return self.post_process_after_generic_predict(X, Y_pred, model)

    def feature_engineering_for_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` with features, for callers that estimate a few rows online."""
        return data

    # -- metrics ------------------------------------------------------------------------------

    def pre_process_for_trainsets_metrics(self, model: ModelView) -> None:
        """Do what is needed between estimating the sets and measuring."""

    def post_process_after_trainsets_metrics(self, model: ModelView) -> None:
        """Do what is needed once the sets are measured."""

    # -- batch --------------------------------------------------------------------------------

    def get_dataset_sources_for_batch_predict(
        self,
        model: ModelView | None = None,  # noqa: ARG002
    ) -> Mapping[str, Any]:
        """Return the sources of rows to estimate."""
        return self.batch_predict_dataset_sources

    def clean_data_for_batch_predict(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Make one frame of the batch sources; the default cleans as for training."""
        return self.clean_data_for_train(datasets)

    def feature_engineering_for_batch_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` with features, using what training has learned."""
        return data

    def last_pre_process_for_batch_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` as it shall be estimated."""
        return data

    # -- what a provider has learned ----------------------------------------------------------

    def log(self, message: str, level: int | str = logging.INFO) -> None:
        """Log `message` with the id of this DataProvider."""
        number = logging.getLevelName(level.upper()) if isinstance(level, str) else level
        logger.log(number, "%s: %s", self.id, message)

    def __getstate__(self) -> dict[str, Any]:
        """Return what travels beside the attributes; override to add to it.

        It is empty on purpose: attributes set on `self` travel by themselves, and a subclass may
        write ``dict(**super().__getstate__(), name=self.name)`` for any name.
        """
        return {}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take over `state`."""
        self.__dict__.update(state)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle and copy with every attribute, whatever `__getstate__` returns."""
        return copyreg.__newobj__, (type(self),), gained_attributes(self)  # type: ignore[attr-defined]


def gained_attributes(provider: DataProvider) -> dict[str, Any]:
    """Return everything that hooks have set on `provider`: its attributes, and `__getstate__`'s.

    The Models of prerequisites are left out: they travel as packages of their own.
    """
    own = {name: value for name, value in vars(provider).items() if name != "pre_req_model"}
    return {**own, **provider.__getstate__()}
