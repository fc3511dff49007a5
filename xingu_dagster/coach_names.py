"""Names of Xingu 2.0 on `Coach`, over the same graph and stores."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from xingu.api import Model, given_id, time_of
from xingu.compat.config import UNDEFINED, given_by, read_config
from xingu.config import ConfigManager, Settings
from xingu.config.fields import variable_defaults
from xingu.errors import did_you_mean
from xingu.provider.base import DataProvider
from xingu.provider.class_logger import ClassLogger
from xingu.provider.discovery import DataProviderFactory
from xingu.registry.gitops import commit_and_push, repository_of
from xingu.registry.listing import export
from xingu.registry.pins import FILE, read_inventory
from xingu.registry.store import ModelStore
from xingu.workspace import Workspace

LOAD_OPTIONS = (
    "pre_trained_train_session_id",
    "pre_trained_as_of",
    "pre_req_train_or_session_ids",
    "xingu_module",
    "model_class",
)
"""Options of `team_load`; the last two are not used."""


class CoachNames:
    """Methods and attributes that scripts written for Xingu 2.0 use.

    Attributes:
        config: The `ConfigManager`.
        defaults: Defaults of the settings, by variable.
        trained_in_session: Ids of the DataProviders that the last `team_train` trained, and of
            Models that were declared since.
        post_processing: False: a run evaluates its Models by itself.
        post_train_queue: None, for the same reason.
    """

    config = ConfigManager
    defaults: Mapping[str, str] = variable_defaults()
    post_processing = False
    post_train_queue = None
    logger = ClassLogger()

    settings: Settings
    dp_factory: DataProviderFactory
    trained: dict[str, Model]
    trained_in_session: list[str]
    team_train: Callable[..., dict[str, Model]]
    evaluate_and_estimate: Callable[[Sequence[str]], None]

    def get_config(
        self, config_item: str, default: Any = UNDEFINED, cast: Callable[[Any], Any] = UNDEFINED
    ) -> Any:
        """Return a setting of this Coach, or an environment variable, as text.

        Args:
            config_item: Name of the variable, for example ``PLOTS_PATH``.
            default: Returned if it is not set; without it, the default of the setting is.
            cast: Converts a text: `bool`, `int` or any other function.

        Raises:
            SettingsError: If it is not set and has no default, or `cast` refuses it.
        """
        return read_config(config_item, default, cast, given_by(self.settings))

    @cached_property
    def _workspace(self) -> Workspace:
        return Workspace(self.settings, Model)

    # -- train --------------------------------------------------------------------------------

    def team_train_parallel(self) -> dict[str, Model]:
        """Train all DataProviders of the factory, and evaluate none."""
        with self._set(post_process=False):
            return self.team_train()

    def team_train_member(self, dp: DataProvider | str) -> Model:
        """Train one DataProvider, and return its Model; it is not evaluated."""
        dp_id = dp if isinstance(dp, str) else str(dp.id)
        with self._set(post_process=False):
            return self.team_train([dp_id])[dp_id]

    def post_train_parallel(self) -> None:
        """Evaluate the DataProviders of `trained_in_session`, and estimate their batches.

        This is a run of the graph: it takes the latest train of each, also if another process has
        made it since, and no Model that was only declared.

        Raises:
            UnknownProviderError: If the factory does not have one of them.
            RunFailedError: If a phase failed, for example because there is no train.
        """
        self.evaluate_and_estimate(self.trained_in_session)

    def declare_trained(self, model: Model, post_process: bool = True) -> None:
        """Add a Model to `trained` and its id to `trained_in_session`; nothing is saved.

        A `Model` that is created with this Coach uses it as its prerequisite. Runs of the graph,
        such as `team_train`, do not: they load prerequisites from the model storage.

        Args:
            model: The Model.
            post_process: Call `trainsets_predict` if its sets are in memory.
        """
        self.trained[model.id] = model
        self.trained_in_session.append(model.id)
        if post_process and model.sets:
            model.trainsets_predict()

    def trained_ids(self) -> set[str]:
        """Return the ids of `trained`."""
        return set(self.trained)

    def find_model_for_dp(self, dp: DataProvider | str) -> Model | None:
        """Return the Model of a DataProvider out of `trained`; None if it is not there."""
        return self.trained.get(dp if isinstance(dp, str) else str(dp.id))

    @property
    def train_session_id(self) -> str | None:
        """Session of the last Model that was trained; before, that of the settings."""
        last = [self.trained[dp_id] for dp_id in self.trained_in_session if dp_id in self.trained]
        return last[-1].train_session_id if last else self.settings.train_session_id

    # -- load ---------------------------------------------------------------------------------

    def _store(self, path: str | None) -> ModelStore:
        """Return the model storage, or that at another path."""
        models = self._workspace.models
        return models if path is None else ModelStore(path, model_class=self._workspace.model_class)

    def _train_of(self, store: ModelStore, dp_id: str, options: Mapping[str, Any]) -> str:
        """Return the train that options of `team_load` name, else the current one."""
        preferred = options.get("pre_req_train_or_session_ids") or self.settings.preferred_trains
        return store.find(
            dp_id,
            session_id=given_id(options.get("pre_trained_train_session_id")),
            as_of=time_of(options.get("pre_trained_as_of")),
            preferred=preferred,
        )

    # -- inventory ----------------------------------------------------------------------------

    @property
    def inventory(self) -> dict[str, Any]:
        """Content of the project's `inventory.yaml`: ``models`` by id of the DataProvider."""
        return {"models": read_inventory(self._inventory_file)}

    def load_inventory(self) -> dict[str, Any]:
        """Return `inventory`."""
        return self.inventory

    def update_inventory(self) -> None:
        """Write the current trains into `inventory.yaml`; commit it if COMMIT_INVENTORY says so.

        Raises:
            SettingsError: If the file cannot be read, or git fails.
        """
        export(self._workspace.models, self._inventory_file)
        if self.settings.commit_inventory:
            self.git_commit_inventory()

    def git_commit_inventory(self) -> None:
        """Commit `inventory.yaml` alone, and push it if there is a remote.

        Raises:
            SettingsError: If git fails.
        """
        commit_and_push(self._inventory_file, "Update inventory.yaml")

    @property
    def git_repo(self) -> Any:
        """The git repository (of GitPython) of the project; None if there is none."""
        return repository_of(self.settings.project_home)

    # -- databases ----------------------------------------------------------------------------

    def init_db(self, con: object = None) -> None:  # noqa: ARG002 - there is one control DB
        """Create or migrate the tables of the control DB."""
        _ = self.xingu_db

    @property
    def databases(self) -> dict[str, dict[str, Any]]:
        """Databases of the settings by nickname, each with ``url`` (shown part) and ``conn``."""
        databases = self._workspace.databases
        return {
            nickname: {"url": databases.address(nickname), "conn": databases.engine(nickname)}
            for nickname in self.settings.source_databases()
        }

    @property
    def xingu_db(self) -> Any:
        """SQLAlchemy engine of the control DB."""
        return self._workspace.control.engine

    @property
    def xingu_db_table_prefix(self) -> str:
        """Beginning of the names of the tables of the control DB."""
        return self.settings.table_prefix

    @property
    def xingu_db_metadata(self) -> Any:
        """SQLAlchemy metadata of the tables of the control DB."""
        return self._workspace.control.tables.metadata

    @property
    def tables(self) -> dict[str, Any]:
        """SQLAlchemy tables of the control DB, by name without prefix."""
        tables = self._workspace.control.tables
        names = ("training", "training_attributes", "training_steps", "sets", "metrics_model",
                 "metrics_estimation", "estimations")  # fmt: skip
        return {name: getattr(tables, name) for name in names}

    @property
    def _inventory_file(self) -> Path:
        return self.settings.project_home / FILE

    @contextmanager
    def _set(self, **settings: Any) -> Iterator[None]:
        """Change settings for a block."""
        before, self.settings = self.settings, self.settings.model_copy(update=settings)
        try:
            yield
        finally:
            self.settings = before


def ids_of(dps: Iterable[DataProvider | str] | None) -> list[str] | None:
    """Return ids of DataProviders that are given as ids or as objects."""
    if dps is None:
        return None
    listed = [dps] if isinstance(dps, str | DataProvider) else dps
    return [one if isinstance(one, str) else str(one.id) for one in listed]


def check_names(method: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Raise TypeError if a method of Coach is called with an argument that it does not have."""
    for name in given:
        if name not in known:
            raise TypeError(f"Coach.{method} has no argument {name!r}.{did_you_mean(name, known)}")
