"""Every declaration and every hook of a DataProvider, in the order in which they are used.

Copy this file under a name without the underscore (files with one are not discovered), keep what
you need and delete the rest: all but `id` has a default. Attributes that a hook sets on `self` are
there in every later hook, also in another process, and travel with the saved Model.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from xingu import DataProvider, Estimator

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from xingu import ModelView


class Template(DataProvider):
    """Say in two to four sentences what is estimated, when, and from what: the UI shows this."""

    # -- declarations ---------------------------------------------------------------------------

    # Name of the model and of its assets. A class without an id is a base class and is skipped.
    id = "template"
    # People or teams that the UI names: e-mail addresses or `team:name`.
    owners: Sequence[str] = ("team:data",)
    # Tags of the assets, to select them by.
    tags: Mapping[str, str] = {"domain": "example"}
    # Pool, retries, timeout and tags of the steps by phase, "*" for all: {"fit": {"pool": "gpu"}}.
    dagster: Mapping[str, Mapping[str, Any]] = {"*": {"timeout": 3600}}

    # What to train from, by name. Entries of the same `group` share a connection, in order.
    train_dataset_sources: Mapping[str, Mapping[str, Any]] = {
        "sales": {"source": "nickname", "query": "SELECT * FROM sales", "group": "first"},
        "places": {"url": "data/places.csv.gz", "params": {"usecols": ["place", "area"]}},
    }
    # What to estimate in batch; rows that the train sources do not hold.
    batch_predict_dataset_sources: Mapping[str, Mapping[str, Any]] = {}
    # Where estimations are written besides, for example {"prices": {"url": "out/prices.csv"}} or
    # {"prices": {"database": "nickname", "table": "prices", "mode": "append", "key": ["id"]}}.
    batch_predict_sinks: Mapping[str, Mapping[str, Any]] = {}
    # Partitions of the batch, for example {"daily": "2026-01-01"} or {"static": ["north", "east"]};
    # queries name :partition_key, :partition_start and :partition_end.
    batch_partitions: Mapping[str, Any] | None = None
    # True, or {"key": ["id"]}, where the predict hooks work row by row: a batch then estimates the
    # rows only that are new or have changed since the batch before.
    batch_incremental: bool | Mapping[str, Any] = False

    # What a caller of Model.predict() has to give.
    x_features: Sequence[str] = ("area", "rooms")
    # What the estimator learns from; `x_features` where this is empty.
    x_estimator_features: Sequence[str] = ()
    # Target column.
    y: str | None = "price"

    # Column that says what a row counts, at least 0, in the fit, in metrics and in plots.
    sample_weight: str | None = None

    # The algorithm: a class, or its dotted name, which is imported when it is first needed.
    estimator_class: type[Estimator] | str | None = "xingu.estimators.LightGBMRegressor"
    # For the wrapper, for example {"algorithm": "sklearn.ensemble.RandomForestRegressor"}.
    estimator_class_params: Mapping[str, Any] = {}
    # Parameters of the algorithm that are never tuned.
    estimator_params: Mapping[str, Any] = {"n_estimators": 500, "random_state": 42}
    # Parameters that tuning may replace; they win over `estimator_params`.
    estimator_hyperparams: Mapping[str, Any] = {"num_leaves": 31}
    # Where tuning searches.
    estimator_hyperparams_search_space: Mapping[str, Any] = {
        "num_leaves": ("int", {"low": 7, "high": 127}),
        "learning_rate": ("loguniform", {"low": 0.01, "high": 0.3}),
    }
    # How to search there, once HYPEROPT_STRATEGY=self asks for it.
    hyperopt: Mapping[str, Any] = {"evaluations": 30, "metric": "RMSE"}

    # For the default split: its seed, and the shares of all rows that `test` and `val` get
    # (or numbers of rows, or None).
    random_state: int = 42
    test_size: float = 0.1
    val_size: float = 0.2

    # Of a classifier: the class that estimation, metrics and plots are of, in sorted labels;
    # None: the larger label of two (True, 1, "yes").
    proba_class_index: int | None = None
    # Ids of DataProviders whose trained Models hooks use, as `self.pre_req_model[id]`.
    pre_req: set[str] | frozenset[str] | Sequence[str] = frozenset()
    # True: no estimator at all; `post_process_after_predict` computes the estimation.
    hollow: bool = False
    # Built-in plots that are not drawn; `xingu.provider.methods.BUILTIN_PLOTS` has all names.
    builtin_plots_off: Collection[str] = {"Calibration"}
    # Columns whose values are the segments of the plot of errors; the features where empty.
    plot_segments: Sequence[str] = ()
    # Rows of the test set in packages, to prove copies of them; 0 for data that must not leave.
    golden_rows: int = 100
    # Which values of own metrics are better: "minimize", "maximize", or closer to "zero".
    metric_directions: Mapping[str, Any] = {"rows": "maximize"}
    # Differences of metrics that do not count as better or worse in reports.
    metric_tolerances: Mapping[str, float] = {"rows": 10}
    # What a train must reach on a set before it may be deployed.
    quality_gates: Mapping[str, Any] = {"test": {"R2": (">=", 0.8)}}
    # When a sensor trains it again: "on_new_data", "with_pre_reqs", a cron string, or all of it.
    retrain: Any = {"when": {"new_data": {"min_new_rows": 500, "min_interval": "6h"}}}
    # When a sensor estimates the batch again, with the current train.
    batch_predict_when: Any = "on_new_data"
    # Built-in checks to relax, to sharpen or to switch off, by name.
    checks: Mapping[str, Any] = {"feature_drift": {"psi": 0.5}, "known_values": "off"}

    # -- train: from sources to sets --------------------------------------------------------------

    def get_dataset_sources_for_train(self, model: "ModelView | None" = None) -> Mapping[str, Any]:
        """First of all. Return `{name: source}`; override it where sources must be computed."""
        return super().get_dataset_sources_for_train(model)

    def clean_data_for_train(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """With the source frames by name. Return one frame with a unique index."""
        return super().clean_data_for_train(datasets)

    def feature_engineering_for_train(self, data: pd.DataFrame) -> pd.DataFrame:
        """With the clean frame. Return it with features; learn encoders and set them on `self`."""
        return super().feature_engineering_for_train(data)

    def last_pre_process_for_train(self, data: pd.DataFrame) -> pd.DataFrame:
        """With the features. Return the frame as it shall be split."""
        return super().last_pre_process_for_train(data)

    def data_split_for_train(self, data: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
        """Then. Return frames by set name; `train` is learned from, `val` may end the training."""
        return super().data_split_for_train(data)

    # -- estimator --------------------------------------------------------------------------------

    def get_features_list(self) -> Sequence[str]:
        """Whenever they are needed. Return what `x_features` would declare."""
        return super().get_features_list()

    def get_estimator_features_list(self) -> Sequence[str]:
        """Whenever they are needed. Return what `x_estimator_features` would declare."""
        return super().get_estimator_features_list()

    def get_target(self) -> str | None:
        """Whenever it is needed. Return what `y` would declare."""
        return super().get_target()

    def get_estimator_class(self) -> type[Estimator] | str | None:
        """Before tuning and fitting. Return what `estimator_class` would declare."""
        return super().get_estimator_class()

    def get_estimator_class_params(self) -> Mapping[str, Any]:
        """Before tuning and fitting. Return what `estimator_class_params` would declare."""
        return super().get_estimator_class_params()

    def get_estimator_params(self) -> Mapping[str, Any]:
        """Before tuning and fitting. Return what `estimator_params` would declare."""
        return super().get_estimator_params()

    def get_estimator_optimization_search_space(self) -> Mapping[str, Any]:
        """Before tuning. Return what `estimator_hyperparams_search_space` would declare."""
        return super().get_estimator_optimization_search_space()

    def get_estimator_hyperparameters(self) -> Mapping[str, Any]:
        """Before fitting, unless tuned. Return what `estimator_hyperparams` would declare."""
        return super().get_estimator_hyperparameters()

    def get_estimator_hyperparams(self) -> Mapping[str, Any]:
        """The same under the name of Xingu 2.0; override one of the two."""
        return super().get_estimator_hyperparams()

    def post_process_after_hyperparam_optimize(self, model: "ModelView") -> None:
        """Between tuning and fitting; `model.sets` and `model.estimator` are there."""

    def post_process_after_train(self, model: "ModelView") -> None:
        """Once the estimator is fitted, before the Model is saved."""

    # -- predict ----------------------------------------------------------------------------------

    def feature_engineering_for_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Called by online services themselves, before `Model.predict`. Return the features."""
        return super().feature_engineering_for_predict(data)

    def pre_process_for_generic_predict(self, X: pd.DataFrame, model: "ModelView") -> pd.DataFrame:
        """Before any kind of prediction. Return `X` as the estimator shall see it."""
        return super().pre_process_for_generic_predict(X, model)

    def pre_process_for_predict(self, X: pd.DataFrame, model: "ModelView") -> pd.DataFrame:
        """Before `predict`. The default calls the generic one."""
        return super().pre_process_for_predict(X, model)

    def pre_process_for_predict_proba(self, X: pd.DataFrame, model: "ModelView") -> pd.DataFrame:
        """Before `predict_proba`. The default calls the generic one."""
        return super().pre_process_for_predict_proba(X, model)

    def post_process_after_generic_predict(
        self, X: pd.DataFrame, Y_pred: pd.DataFrame, model: "ModelView"
    ) -> pd.DataFrame:
        """After any kind of prediction. Return the estimations of the same rows."""
        return super().post_process_after_generic_predict(X, Y_pred, model)

    def post_process_after_predict(
        self, X: pd.DataFrame, Y_pred: pd.DataFrame, model: "ModelView"
    ) -> pd.DataFrame:
        """After `predict`. Return the column `estimation`; a hollow DataProvider makes it here."""
        return super().post_process_after_predict(X, Y_pred, model)

    def post_process_after_predict_proba(
        self, X: pd.DataFrame, Y_pred: pd.DataFrame, model: "ModelView"
    ) -> pd.DataFrame:
        """After `predict_proba`. Return the columns `estimation_class_0 …`."""
        return super().post_process_after_predict_proba(X, Y_pred, model)

    # -- metrics and plots: any NAME, as many methods as you like ---------------------------------

    def pre_process_for_trainsets_metrics(self, model: "ModelView") -> None:
        """Before the sets are measured; `model.sets_estimations` is there."""

    def compute_trainsets_model_metrics_name(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame, model: "ModelView"
    ) -> dict[str, float | str]:
        """For each set. Return metrics by name: numbers or texts."""
        return {"rows": len(XY)}

    def compute_global_model_metrics_name(self, model: "ModelView") -> dict[str, float | str]:
        """Once for each train. Return metrics of the Model as a whole."""
        return {"features": len(self.get_estimator_features_list())}

    def compute_batch_model_metrics_name(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame, model: "ModelView"
    ) -> dict[str, float | str]:
        """For the batch. Return metrics by name."""
        return {"rows": len(XY)}

    def compute_estimation_metrics_name(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame, model: "ModelView"
    ) -> pd.DataFrame:
        """For the batch. Return `name`, `value_number` and `value_text`, indexed as the data."""
        return pd.DataFrame(
            {"name": "rank", "value_number": Y_pred["estimation"].rank(), "value_text": None}
        )

    def render_trainsets_model_plots_name(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame, model: "ModelView"
    ) -> "dict[str, go.Figure]":
        """For each set. Return figures of plotly, or matplotlib, by name."""
        return {}

    def render_global_model_plots_name(self, model: "ModelView") -> "dict[str, go.Figure]":
        """Once for each train. Return figures by name."""
        return {}

    def render_batch_model_plots_name(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame, model: "ModelView"
    ) -> "dict[str, go.Figure]":
        """For the batch. Return figures by name."""
        return {}

    def post_process_after_trainsets_metrics(self, model: "ModelView") -> None:
        """Once the sets are measured."""

    # -- batch ------------------------------------------------------------------------------------

    def get_dataset_sources_for_batch_predict(
        self, model: "ModelView | None" = None
    ) -> Mapping[str, Any]:
        """First in a batch. Return `{name: source}` of the rows to estimate."""
        return super().get_dataset_sources_for_batch_predict(model)

    def clean_data_for_batch_predict(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """With the batch frames by name. The default calls `clean_data_for_train`."""
        return super().clean_data_for_batch_predict(datasets)

    def feature_engineering_for_batch_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """With the clean batch. Return features made with what training has set on `self`."""
        return super().feature_engineering_for_batch_predict(data)

    def last_pre_process_for_batch_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """With the batch features. Return the frame as it shall be estimated."""
        return super().last_pre_process_for_batch_predict(data)

    # -- state ------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """Only for what is not an attribute already: whatever this returns travels as well."""
        return dict(**super().__getstate__())
