"""DataProvider: the base class of users' models.

Everything has a default, so a class body of declarations is a complete model, and every step is a
hook that can be overridden. Hooks receive data and return data; callers do all I/O.
"""

import copyreg
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

import pandas as pd

from xingu.directions import DeclaredDirection
from xingu.provider.card import provider_card
from xingu.provider.class_logger import ClassLogger, level_number
from xingu.provider.columns import require_columns
from xingu.provider.estimator import Estimator, classifies, resolve_estimator_class
from xingu.provider.methods import find_methods
from xingu.provider.protocols import ModelView
from xingu.provider.splits import default_split, random_data_split, set_rows, time_data_split
from xingu.records import BatchPartition

OF_THE_RUN = ("pre_req_model", "batch_partition")
"""Attributes that the framework sets for each run; they are no state of a DataProvider."""


class DataProvider:
    """Declaration of one model: sources, cleaning, features, split, estimator, metrics, plots.

    Subclass it, set `id` and the declarations, and override the hooks that need code. Attributes
    set on `self` in one hook are restored before every later one, also in other processes.
    """

    id: ClassVar[str | None] = None
    """Name of the model; a class without one is a base class and is skipped."""

    train_dataset_sources: Mapping[str, Mapping[str, Any]] = {}
    """`{name: {"source": nickname, "query": sql}}` or `{name: {"url": …, "params": {…}}}`."""
    batch_predict_dataset_sources: Mapping[str, Mapping[str, Any]] = {}
    """Sources of the rows to estimate in batch, in the same form; none: no batch."""
    batch_predict_sinks: Mapping[str, Mapping[str, Any]] = {}
    """`{name: {"url": "….csv" or "….parquet"}}` or `{name: {"database": nickname, "table": name,
    "mode": "replace" or "append", "key": columns}}`: where estimations are written, too."""

    batch_partitions: Mapping[str, Any] | None = None
    """`{"daily": "2026-01-01"}` (or `hourly`, `weekly`, `monthly`; with `timezone`, `end_offset`)
    or `{"static": [keys]}`: partitions of the batch; see `xingu.provider.partitions`."""

    batch_incremental: bool | Mapping[str, Any] = False
    """True, or `{"key": columns, "sample": rows}`: the predict hooks work row by row, so a batch
    estimates new and changed rows only; see `xingu.provider.incremental`."""

    x_features: Sequence[str] = ()
    """Input features: columns that a caller of `Model.predict` has to pass."""
    x_estimator_features: Sequence[str] = ()
    """Features of the estimator; `x_features` if empty."""
    y: str | None = None
    """Target column."""
    sample_weight: str | None = None
    """Column of row weights, at least 0, for the fit, metrics and plots."""

    estimator_class: type[Estimator] | str | None = None
    """An Estimator class, or its dotted name, which is imported when it is first needed."""
    estimator_class_params: Mapping[str, Any] = {}
    """Arguments of the Estimator itself, for example which algorithm it wraps."""
    estimator_params: Mapping[str, Any] = {}
    """Fixed parameters of the algorithm."""
    estimator_hyperparams: Mapping[str, Any] = {}
    """Parameters of the algorithm that a search may replace; they override `estimator_params`."""
    estimator_hyperparams_search_space: Mapping[str, Any] = {}
    """`{hyperparameter: dimension}`: a skopt dimension, or `('int', dict(low=…, high=…))`."""
    hyperopt: Mapping[str, Any] = {}
    """Settings of the search: `method`, `evaluations`, `seconds`, `metric`, `direction`, `folds`
    and others; see `xingu.tuning.plan.SearchPlan`."""

    random_state: int = 42
    """Seed of the default split and of the search."""
    test_size: float = 0.1
    """Size of `test` in the default split: a share of all rows, in [0, 1), a number of rows
    (an integer), or None for no such set."""
    val_size: float = 0.2
    """The same for `val`."""

    proba_class_index: int | None = None
    """Index of the class whose probability is the estimation of a classifier, and that metrics and
    plots are of. None: the positive class, the larger label of two; of more than two classes, the
    estimation is the most probable label, and every class is measured."""
    pre_req: set[str] | frozenset[str] | Sequence[str] = frozenset()
    """Ids of the DataProviders whose Models this one uses, as `self.pre_req_model[id]`."""
    hollow: bool = False
    """Whether there is no estimator, and `post_process_after_predict` computes the estimation."""
    metric_directions: Mapping[str, DeclaredDirection] = {}
    """`{metric: "minimize" | "maximize" | "zero"}`: which values of its own metrics are better;
    ``zero``: those closer to 0."""
    metric_tolerances: Mapping[str, float] = {}
    """`{metric: difference}`: reports mark a metric as better or worse beyond this difference, in
    its unit; for others, beyond the noise of the set."""
    quality_gates: Mapping[str, Any] = {}
    """`{set: {metric: (operator, value)}}`; operators are comparisons, or ``"not worse by"``, which
    compares with the train that was current before; see `xingu.checks.gates`."""
    checks: Mapping[str, Any] = {}
    """Built-in checks by name: ``"off"``, ``"warn"``, ``"error"``, or a dict with `severity` and
    limits; see `xingu.checks.catalog`."""
    builtin_plots_off: Collection[str] = ()
    """Names of built-in plots to leave out, see `xingu.provider.methods.BUILTIN_PLOTS`."""
    plot_segments: Sequence[str] = ()
    """Columns whose values are the segments of the plot of errors; the features if empty."""
    golden_rows: int = 100
    """Number of rows of the test set that its packages hold, at most 100, to prove copies of them;
    0: none, for data that must not leave the source."""

    retrain: Any = None
    """When it is trained again by itself: ``"on_new_data"``, ``"with_pre_reqs"``, a cron string, or
    ``{"when": …, "how": …, "then": …}``; see `xingu.automation.policy`. None: never."""
    batch_predict_when: Any = None
    """When the batch is estimated again by itself, in the same form; then it also follows a new
    current train. None: never."""

    owners: Sequence[str] = ()
    """Owners of the assets: e-mail addresses, or ``team:name``."""
    tags: Mapping[str, str] = {}
    """Tags of the assets."""
    dagster: Mapping[str, Mapping[str, Any]] = {}
    """`{phase: {"pool": name, "retry": {"max_retries": 2, "delay": 30}, "timeout": seconds,
    "op_tags": {…}}}`: settings of the steps of Dagster; the phase ``*`` stands for all."""

    pre_req_model: Mapping[str, ModelView] = {}
    batch_partition: BatchPartition | None = None

    logger = ClassLogger()
    """Logger with the name of the class."""

    # -- train: from sources to sets ----------------------------------------------------------

    def get_dataset_sources_for_train(self, model: ModelView | None = None) -> Mapping[str, Any]:  # noqa: ARG002
        """Return the declarations of training sources; called before any data is read."""
        return self.train_dataset_sources

    def clean_data_for_train(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Combine the source frames into one; the default concatenates them."""
        frames = list(datasets.values())
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def feature_engineering_for_train(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` with features; fit encoders here and store them on `self`."""
        return data

    def last_pre_process_for_train(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` in the form that is split."""
        return data

    def data_split_for_train(self, data: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
        """Split rows into `train`, `val` and `test` at random, stratified for a classifier.

        Classes with a single row stay in `train`; a set with fewer rows than classes is not
        stratified.

        Returns:
            Frames by set name, disjoint in index. A set that would be empty is left out.

        Raises:
            DeclarationError: If `test_size` or `val_size` is no size.
            DataError: If they leave no row for `train`.
        """
        classes = None
        if self.is_classifier():
            target = str(self.get_target())
            require_columns(data, [target], f"{self.id}.y", "the data to split")
            classes = data[target]
        return default_split(data, classes, self._set_rows(data), self.random_state)

    def random_data_split(
        self,
        data: pd.DataFrame,
        test_size: float | None = None,
        val_size: float | None = None,
    ) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Split rows at random into (train, val, test); see `xingu.provider.splits`."""
        return random_data_split(data, self._set_rows(data, test_size, val_size), self.random_state)

    def _set_rows(
        self, data: pd.DataFrame, test_size: Any = None, val_size: Any = None
    ) -> dict[str, int]:
        sizes = {
            "test_size": self.test_size if test_size is None else test_size,
            "val_size": self.val_size if val_size is None else val_size,
        }
        return set_rows(str(self.id), sizes, len(data))

    @staticmethod
    def time_data_split(
        df: pd.DataFrame, date_column: str, delta_time_days: float
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Split rows by date into (train, test); see `xingu.provider.splits`."""
        return time_data_split(df, date_column, delta_time_days)

    # -- estimator ----------------------------------------------------------------------------

    def get_features_list(self) -> Sequence[str]:
        """Return the input features."""
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
        """Return the parameters of the Estimator wrapper."""
        return self.estimator_class_params

    def get_estimator_params(self) -> Mapping[str, Any]:
        """Return the fixed parameters of the algorithm."""
        return self.estimator_params

    def get_estimator_optimization_search_space(self) -> Mapping[str, Any]:
        """Return the search space of hyperparameters."""
        return self.estimator_hyperparams_search_space

    def get_estimator_hyperparameters(self) -> Mapping[str, Any]:
        """Return the declared hyperparameters; calls `get_estimator_hyperparams`."""
        return self.get_estimator_hyperparams()

    def get_estimator_hyperparams(self) -> Mapping[str, Any]:
        """Return the declared hyperparameters; the name of this hook in Xingu 2.0."""
        return self.estimator_hyperparams

    def make_estimator(self, hyperparams: Mapping[str, Any] | None = None) -> Estimator | None:
        """Return a new, unfitted Estimator; None for a hollow DataProvider.

        Args:
            hyperparams: Hyperparameters to use; None: the declared ones.

        Raises:
            DeclarationError: If `estimator_class` is missing or not an Estimator class.
        """
        if self.hollow:
            return None
        estimator_class = resolve_estimator_class(self.get_estimator_class() or "", str(self.id))
        if hyperparams is None:
            hyperparams = self.get_estimator_hyperparameters()
        return estimator_class(
            **self.get_estimator_class_params(),
            params=dict(self.get_estimator_params() or {}),
            hyperparams=dict(hyperparams or {}),
        )

    def is_classifier(self) -> bool:
        """Return whether the declared estimator is a classifier.

        An Estimator that knows this only after its fit is one if it gives probabilities.
        """
        estimator = self.make_estimator()
        return estimator is not None and classifies(estimator)

    def post_process_after_hyperparam_optimize(self, model: ModelView) -> None:
        """Run code between tuning and fitting; does nothing by default."""

    def post_process_after_train(self, model: ModelView) -> None:
        """Run code after the fit; does nothing by default."""

    # -- predict ------------------------------------------------------------------------------

    def pre_process_for_generic_predict(self, X: pd.DataFrame, model: ModelView) -> pd.DataFrame:  # noqa: ARG002
        """Return the input of the estimator for `X`, for both kinds of prediction."""
        return X

    def pre_process_for_predict(self, X: pd.DataFrame, model: ModelView) -> pd.DataFrame:
        """Return the input of `Estimator.predict` for `X`."""
        return self.pre_process_for_generic_predict(X, model)

    def pre_process_for_predict_proba(self, X: pd.DataFrame, model: ModelView) -> pd.DataFrame:
        """Return the input of `Estimator.predict_proba` for `X`."""
        return self.pre_process_for_generic_predict(X, model)

    def post_process_after_generic_predict(
        self,
        X: pd.DataFrame,  # noqa: ARG002
        Y_pred: pd.DataFrame,
        model: ModelView,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Return the final prediction for `Y_pred`, for both kinds of prediction."""
        return Y_pred

    def post_process_after_predict(
        self, X: pd.DataFrame, Y_pred: pd.DataFrame, model: ModelView
    ) -> pd.DataFrame:
        """Return the final result of `predict`; a hollow DataProvider computes it here."""
        return self.post_process_after_generic_predict(X, Y_pred, model)

    def post_process_after_predict_proba(
        self, X: pd.DataFrame, Y_pred: pd.DataFrame, model: ModelView
    ) -> pd.DataFrame:
        """Return the final result of `predict_proba`."""
        return self.post_process_after_generic_predict(X, Y_pred, model)

    def feature_engineering_for_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` with features, for online callers that predict a few rows."""
        return data

    # -- metrics ------------------------------------------------------------------------------

    def pre_process_for_trainsets_metrics(self, model: ModelView) -> None:
        """Run code between predicting the sets and computing metrics; does nothing by default."""

    def post_process_after_trainsets_metrics(self, model: ModelView) -> None:
        """Run code after metrics of the sets were computed; does nothing by default."""

    # -- batch --------------------------------------------------------------------------------

    def get_dataset_sources_for_batch_predict(
        self,
        model: ModelView | None = None,  # noqa: ARG002
    ) -> Mapping[str, Any]:
        """Return the declarations of batch sources."""
        return self.batch_predict_dataset_sources

    def clean_data_for_batch_predict(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Combine the batch frames into one; the default calls `clean_data_for_train`."""
        return self.clean_data_for_train(datasets)

    def feature_engineering_for_batch_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` with features, using encoders that were stored on `self` in training."""
        return data

    def last_pre_process_for_batch_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` in the form that is predicted."""
        return data

    # -- state --------------------------------------------------------------------------------

    def log(self, message: object = "", level: int | str = logging.INFO) -> None:
        """Log `message` with the id of this DataProvider."""
        self.logger.log(level_number(level), "%s: %s", self.id, message)

    def get_logger(self) -> logging.Logger:
        """Return `logger`."""
        return self.logger

    def get_metrics_computers(self, type: str = "estimation") -> list[Callable[..., Any]]:  # noqa: A002
        """Return the metric methods of a family, for example of ``trainsets_model``."""
        return list(find_methods(self, f"compute_{type}_metrics").values())

    def get_plot_renderers(self, type: str = "global_model") -> list[Callable[..., Any]]:  # noqa: A002
        """Return the plot methods of a family, for example of ``global_model``."""
        return list(find_methods(self, f"render_{type}_plots").values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r})"

    def _repr_html_(self) -> str:
        """Return a card for notebooks."""
        return provider_card(self, DataProvider)

    def __getstate__(self) -> dict[str, Any]:
        """Return state to save in addition to attributes; override to add to it.

        It is empty because attributes of `self` are saved anyway; so a subclass can return
        ``dict(**super().__getstate__(), name=self.name)`` for any name.
        """
        return {}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Set the attributes of `state`."""
        self.__dict__.update(state)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle and copy with every attribute, whatever `__getstate__` returns."""
        return copyreg.__newobj__, (type(self),), gained_attributes(self)  # type: ignore[attr-defined]


def gained_attributes(provider: DataProvider) -> dict[str, Any]:
    """Return the attributes that hooks have set on `provider`, and those of `__getstate__`.

    `OF_THE_RUN` are left out: Models of prerequisites are saved as packages of their own. A
    `__getstate__` that needs an attribute which no hook has set yet adds nothing.
    """
    own = {name: value for name, value in vars(provider).items() if name not in OF_THE_RUN}
    try:
        added = provider.__getstate__()
    except AttributeError as error:
        provider.logger.debug("%s.__getstate__ adds nothing yet: %s", provider.id, error)
        return own
    return {**own, **{name: one for name, one in added.items() if name not in OF_THE_RUN}}
