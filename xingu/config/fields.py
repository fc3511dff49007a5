"""Fields of the settings, in groups. The one definition of a setting is its field.

The alias of a field is the name of its variable, its description is the help of the command and
the text of the documentation, and ``json_schema_extra["flags"]`` holds its flags on the command
line as click spells them. The docstring of a group is its title.
"""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr
from pydantic.fields import FieldInfo

from xingu.config.alert_fields import AlertFields
from xingu.config.automation_fields import AutomationFields
from xingu.config.declare import setting
from xingu.config.deploy_fields import DeployFields
from xingu.config.kinds import (
    Addresses,
    DatabaseUrls,
    ExecutorName,
    Flag,
    JsonObject,
    Pairs,
    PlotFormats,
    text_of,
)
from xingu.config.signing_fields import SigningFields
from xingu.config.watch_fields import WatchFields
from xingu.names import MAX_NAME
from xingu.options import Names


class ProjectFields(BaseModel):
    """Project and DataProviders."""

    project_home: Path = Field(
        default_factory=Path.cwd,
        alias="PROJECT_HOME",
        description="Root of the project; .env is read from it. Default: the current folder.",
        json_schema_extra={"flags": ["--project-home"]},
    )
    dataproviders: Names = setting(
        (),
        "DATAPROVIDER_LIST",
        "Ids of the DataProviders, separated by commas; empty: all.",
        "--dps",
        "--data-providers",
    )
    dataproviders_folder: str = setting(
        "dataproviders",
        "DATAPROVIDER_FOLDER",
        "Folder of the DataProviders.",
        "--dps-folder",
        "--data-providers-folder",
    )
    import_seconds: float = setting(
        120,
        "XINGU_IMPORT_SECONDS",
        "Time limit of the import of each file of DataProviders; 0: none.",
        ge=0,
    )
    debug: Flag = setting(
        False, "DEBUG", "Show all log lines and the traces of errors.", "--debug/--no-debug"
    )


class DatabaseFields(BaseModel):
    """Sources and databases."""

    databases: DatabaseUrls = setting(
        {},
        "DATABASES",
        "Databases that sources may name: nick|url|nick|url, with SQLAlchemy URLs.",
        "--database",
        "--databases",
    )
    database_pools: Pairs = setting(
        {},
        "XINGU_DATABASE_POOLS",
        "Concurrency pools of Dagster that steps hold while they read or write databases: "
        "nick|pool|nick|pool.",
    )
    datasource_cache: str | None = setting(
        None,
        "DATASOURCE_CACHE_PATH",
        "Folder or URL of the cache of source results; empty: no cache.",
        "--datasource-cache-path",
        "--query-cache-path",
    )
    datasource_workers: int = setting(
        0,
        "PARALLEL_DATASOURCE_MAX_WORKERS",
        "Groups of sources to read at the same time; 0: number of cores.",
        ge=0,
    )
    control_db: SecretStr = setting(
        SecretStr("sqlite:///.xingu/control.db"),
        "XINGU_DB_URL",
        "SQLAlchemy URL of the control database; its nickname is xingu.",
        "--models-db",
    )
    table_prefix: str = setting(
        "",
        "XINGU_DB_TABLE_PREFIX",
        "Beginning of the names of the tables of the control database.",
        "--table-prefix",
        "--prefix",
        pattern=r"^[A-Za-z0-9_]*$",
    )


class StorageFields(BaseModel):
    """Models, plots and values."""

    models: str = setting(
        "models",
        "TRAINED_MODELS_PATH",
        "Folder or URL of the model packages.",
        "--trained-models-path",
    )
    verify_packages: Flag = setting(
        True,
        "XINGU_VERIFY_PACKAGES",
        "Refuse to save a model that does not load and estimate without the project.",
    )
    plots: str = setting("plots", "PLOTS_PATH", "Folder or URL of the plots.", "--plots-path")
    plots_format: PlotFormats = setting(
        ("html",),
        "PLOTS_FORMAT",
        "Formats of each plot, separated by commas: html (always), png, svg; png and svg need "
        "the extra png and a browser.",
        "--plots-format",
    )
    values: str = setting(
        ".xingu/values", "XINGU_VALUES_PATH", "Folder or URL of the values of assets."
    )
    keep_values: int = setting(
        3, "XINGU_KEEP_VALUES", "Number of values of each asset that are kept.", ge=1
    )


class TrainFields(BaseModel):
    """Train."""

    train: Flag = setting(True, "TRAIN", "Train the models.", "--train/--no-train")
    hyperopt_strategy: str = setting(
        "last",
        "HYPEROPT_STRATEGY",
        "Origin of hyperparameters: last (the previous train), self (a new search), dp (the "
        "DataProvider), a train id or a session id.",
        "--hyperopt-strategy",
        min_length=1,
    )
    train_session_id: str | None = setting(
        None,
        "TRAIN_SESSION_ID",
        "Id of the train session; empty: derived from the run.",
        "--train-session-id",
        max_length=MAX_NAME,
    )
    preferred_trains: Names = setting(
        (),
        "PRE_REQ_TRAIN_OR_SESSION_IDS",
        "Trains or sessions of prerequisites, in order of preference, separated by commas.",
        "--pre-req-train-or-session-ids",
    )
    post_process: Flag = setting(
        True,
        "POST_PROCESS",
        "Evaluate models and estimate batches after a train.",
        "--post-process/--no-post-process",
    )
    save_sets: Flag = setting(
        True,
        "SAVE_SETS",
        "Record index and target of every set in the control database.",
        "--save-sets/--no-save-sets",
    )
    batch_predict: Flag = setting(
        True, "BATCH_PREDICT", "Estimate batches.", "--batch-predict/--no-batch-predict"
    )
    save_estimations: Flag = setting(
        False,
        "BATCH_PREDICT_SAVE_ESTIMATIONS",
        "Record the estimations of batches in the control database.",
        "--batch-predict-save-estimations/--no-batch-predict-save-estimations",
    )
    sample_rows: int = setting(
        0,
        "SAMPLE_ROWS",
        "Largest number of rows of each source, for tests of the code; such a train never becomes "
        "current. 0: all rows.",
        "--sample-rows",
        ge=0,
    )
    commit_inventory: Flag = setting(
        False,
        "COMMIT_INVENTORY",
        "Commit and push the inventory file when it is exported.",
        "--commit-inventory/--no-commit-inventory",
    )


class ParallelFields(BaseModel):
    """Parallelism."""

    train_workers: int = setting(
        0,
        "PARALLEL_TRAIN_MAX_WORKERS",
        "Models to train at the same time; 0: number of cores.",
        "--parallel-train-max-workers",
        ge=0,
    )
    hyperopt_workers: int = setting(
        0,
        "PARALLEL_HYPEROPT_MAX_WORKERS",
        "Trials of a search at the same time; 0: number of cores.",
        "--parallel-hyperopt-max-workers",
        ge=0,
    )
    estimator_workers: int = setting(
        0,
        "PARALLEL_ESTIMATORS_MAX_WORKERS",
        "Estimators that one model fits at the same time, as an ensemble does; 0: number of cores.",
        "--parallel-estimators-max-workers",
        ge=0,
    )
    load_workers: int = setting(
        0,
        "PARALLEL_POST_PROCESS_MAX_WORKERS",
        "Models to load or to post-process at the same time; 0: number of cores.",
        "--parallel-post-process-max-workers",
        ge=0,
    )
    executor: ExecutorName = setting(
        "pool",
        "XINGU_EXECUTOR",
        "Executor of runs: pool (worker processes that live as long as the run), in_process, "
        "celery, dask or k8s.",
    )
    max_steps: int = setting(
        0, "XINGU_MAX_STEPS", "Worker processes of a run in the pool; 0: number of cores.", ge=0
    )
    worker_memory_mb: int = setting(
        2048,
        "XINGU_WORKER_MEMORY_MB",
        "Memory above which a worker of the pool is replaced between two steps; 0: no limit.",
        ge=0,
    )
    worker_steps: int = setting(
        0,
        "XINGU_WORKER_STEPS",
        "Steps after which a worker of the pool is replaced; 0: no limit.",
        ge=0,
    )
    train_wait_seconds: float = setting(
        3600,
        "XINGU_TRAIN_WAIT_SECONDS",
        "How long a run waits while another run trains the same DataProvider, before it fails; "
        "0: it is refused at once.",
        ge=0,
    )
    lease_seconds: float = setting(
        300,
        "XINGU_LEASE_SECONDS",
        "Time after which another run may train a DataProvider if nothing was heard of the run "
        "that trained it, and it cannot be found out whether that run has ended.",
        gt=0,
    )


class ProvenanceFields(BaseModel):
    """Recorded with each train."""

    user_name: str | None = setting(
        None, "USERNAME", "Name of the user; empty: that of the process.", "--username"
    )
    host_name: str | None = setting(
        None, "HOSTNAME", "Name of the machine; empty: that of the network.", "--hostname"
    )
    github_actor: str | None = setting(None, "GITHUB_ACTOR", "User who started the CI job.")
    github_workflow: str | None = setting(None, "GITHUB_WORKFLOW", "Name of the CI workflow.")
    github_run_id: str | None = setting(None, "GITHUB_RUN_ID", "Id of the CI run.")
    github_run_number: str | None = setting(None, "GITHUB_RUN_NUMBER", "Number of the CI run.")


class SimpleFields(BaseModel):
    """A model without code."""

    simpledp_id: str | None = setting(None, "SIMPLEDP_ID", "Id of the model.", "--simpledp-id")
    simpledp_train_datasource: Addresses = setting(
        (),
        "TRAIN_DATASOURCE",
        "Files or URLs of the training data, separated by | or commas. The flag can be repeated.",
        "--simpledp-train-datasource",
    )
    simpledp_estimator_features: Names = setting(
        (),
        "ESTIMATOR_FEATURES",
        "Columns that the estimator uses, separated by commas.",
        "--simpledp-estimator-features",
    )
    simpledp_target_feature: str | None = setting(
        None, "TARGET_FEATURE", "Target column.", "--simpledp-target-feature"
    )
    simpledp_proba_class_index: int | None = setting(
        None,
        "PROBA_CLASS_INDEX",
        "Index of the class whose probability is the estimation; empty: the positive class.",
        "--simpledp-proba-class-index",
        ge=0,
    )
    simpledp_base_class: str | None = setting(
        None, "BASE_CLASS", "Dotted name of the base DataProvider.", "--simpledp-base-class"
    )
    simpledp_estimator_class: str | None = setting(
        None, "ESTIMATOR_CLASS", "Dotted name of the Estimator.", "--simpledp-estimator-class"
    )
    simpledp_estimator_class_params: JsonObject = setting(
        {},
        "ESTIMATOR_CLASS_PARAMS",
        "Parameters of the Estimator class, as JSON.",
        "--simpledp-estimator-class-params",
    )
    simpledp_estimator_params: JsonObject = setting(
        {},
        "ESTIMATOR_PARAMS",
        "Fixed parameters of the algorithm, as JSON.",
        "--simpledp-estimator-params",
    )
    simpledp_estimator_hyperparams: JsonObject = setting(
        {},
        "ESTIMATOR_HYPERPARAMS",
        "Hyperparameters of the algorithm, as JSON.",
        "--simpledp-estimator-hyperparams",
    )
    simpledp_estimator_hyperparams_search_space: JsonObject = setting(
        {},
        "ESTIMATOR_HYPERPARAMS_SEARCH_SPACE",
        "Search space of the hyperparameters, as JSON.",
        "--simpledp-estimator-hyperparams-search-space",
    )


GROUPS: tuple[type[BaseModel], ...] = (
    ProjectFields,
    DatabaseFields,
    WatchFields,
    StorageFields,
    TrainFields,
    ParallelFields,
    AutomationFields,
    AlertFields,
    ProvenanceFields,
    SigningFields,
    DeployFields,
    SimpleFields,
)
"""The groups in the order in which people see them."""


def setting_flags(field: FieldInfo) -> list[str]:
    """Return the flags of a setting on the command line, as click spells them."""
    extra = field.json_schema_extra
    return list(map(str, extra["flags"])) if isinstance(extra, dict) else []  # type: ignore[arg-type]


def shown_default(field: FieldInfo) -> str:
    """Return the default of a setting as a variable would have it; empty for none."""
    return "" if field.default_factory is not None else text_of(field.default)


def variable_defaults() -> dict[str, str]:
    """Return the defaults that are not empty, by variable."""
    fields = [field for group in GROUPS for field in group.model_fields.values()]
    return {str(field.alias): text for field in fields if (text := shown_default(field))}
