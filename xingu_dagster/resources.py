"""XinguResource: storage, databases and options of a project as a resource of Dagster.

Steps, and the IO manager, get a Workspace from it, or from the Workspace itself where a project is
configured by its environment. A process makes one Workspace of equal resources, so that steps of a
run share its open stores and databases.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import dagster as dg
from pydantic import Field, SecretStr

from xingu.api import Model
from xingu.config import Settings
from xingu.options import RunOptions
from xingu.sources.given import connected
from xingu.workspace import Workspace

KEY = "xingu"
"""Key of the resource, unless a project has a key prefix or names another one."""


def _setting(name: str) -> Any:
    """Return a field with the default and the description of a setting."""
    field = Settings.model_fields[name]
    default = field.get_default(call_default_factory=True)
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    description = str(field.description).replace(", separated by commas", "")
    return Field(list(default) if isinstance(default, tuple) else default, description=description)


_NONE: Any = dg.ResourceDefinition.hardcoded_resource(None)


class Connections:
    """Databases that are given as Python objects, by nickname.

    An object is a SQLAlchemy engine, a function that returns a connection, or a resource of Dagster
    that has an `engine`, a `get_connection()` or a `connect()`.
    """

    def __init__(self, databases: Mapping[str, Any]) -> None:
        self.given = {nickname: _connect_of(one) for nickname, one in databases.items()}


class XinguResource(dg.ConfigurableResource):
    """Storage, databases and options of a project of DataProviders.

    Relative paths and SQLite files are relative to `project_home`. Give addresses that hold a
    password as ``dg.EnvVar``: Dagster shows other values in the UI. With ``configure_at_launch()``
    all fields are in the launchpad.

    Example::

        XinguResource(
            databases={"warehouse": dg.EnvVar("WAREHOUSE_URL"), "lake": duckdb_resource},
            control_db=dg.EnvVar("XINGU_DB_URL"),
            models="s3://bucket/models",
        )
    """

    project_home: str = Field(".", description="Folder that relative paths are relative to.")
    databases: dict[str, str] = Field(
        {},
        description="URLs of databases by nickname. In Python also SQLAlchemy engines, functions "
        "that return a connection, and resources with `engine`, `get_connection` or `connect`.",
    )
    control_db: str = _setting("control_db")
    table_prefix: str = _setting("table_prefix")
    models: str = _setting("models")
    plots: str = _setting("plots")
    plots_format: list[str] = _setting("plots_format")
    values: str = _setting("values")
    keep_values: int = _setting("keep_values")
    datasource_cache: str | None = _setting("datasource_cache")
    datasource_workers: int = _setting("datasource_workers")
    hyperopt_workers: int = _setting("hyperopt_workers")
    train_session_id: str | None = _setting("train_session_id")
    preferred_trains: list[str] = _setting("preferred_trains")
    save_sets: bool = _setting("save_sets")
    save_estimations: bool = _setting("save_estimations")
    verify_packages: bool = _setting("verify_packages")
    train_wait_seconds: float = _setting("train_wait_seconds")
    lease_seconds: float = _setting("lease_seconds")
    alert_webhook: str = _setting("alert_webhook")
    alert_urls: list[str] = _setting("alert_urls")
    alert_kinds: list[str] = _setting("alert_kinds")
    alert_link_base: str = _setting("alert_link_base")
    alert_seconds: float = _setting("alert_seconds")
    connections: dg.ResourceDependency[Any] = _NONE
    """Databases that were given as Python objects."""

    def __init__(self, **fields: Any) -> None:
        databases = fields.get("databases") or {}
        if isinstance(databases, Mapping):
            given = {name: one for name, one in databases.items() if not isinstance(one, str)}
            if given:
                urls = {name: url for name, url in databases.items() if name not in given}
                connections = dg.ResourceDefinition.hardcoded_resource(Connections(given))
                fields = {**fields, "databases": urls, "connections": connections}
        super().__init__(**fields)

    @property
    def options(self) -> RunOptions:
        """The options of a run that gives none, as the launchpad shows them."""
        names = {
            "train_session_id": self.train_session_id,
            "save_sets": self.save_sets,
            "pre_req_train_or_session_ids": tuple(self.preferred_trains),
            "batch_predict_save_estimations": self.save_estimations,
        }
        known = {name: one for name, one in names.items() if not isinstance(one, dg.EnvVar | None)}
        return RunOptions(**known)

    @property
    def workspace(self) -> Workspace:
        """The stores and databases, inside a step."""
        names = sorted(set(type(self).model_fields) - {"connections"})
        given = json.dumps({name: getattr(self, name) for name in names}, sort_keys=True)
        return _workspace(given, self.connections)

    def backend(self, nickname: str) -> str:
        """Return the first part of the URL of a database, outside of steps; empty: not known."""
        url = self.databases.get(nickname, "")
        text = url.get_value() if isinstance(url, dg.EnvVar) else url
        return (text or "").partition(":")[0].partition("+")[0]

    def load_model(self, dp_id: str, train_id: str | None = None, key_prefix: str = "") -> Model:
        """Return a saved Model, inside a step.

        Args:
            dp_id: Id of its DataProvider.
            train_id: Its train; None: the current one.
            key_prefix: That of the translator.

        Raises:
            UntrainedModelError: If there is none.
        """
        prefix = tuple(key_prefix.split("/")) if key_prefix else ()
        models = self.workspace.below(prefix).models
        model = models.load(dp_id, models.find(dp_id, train_id=train_id))
        assert isinstance(model, Model)  # noqa: S101
        return model

    @contextmanager
    def outside_of_steps(self) -> Iterator["XinguResource"]:
        """Give the resource with its environment variables read, for scripts."""
        with self.process_config_and_initialize_cm() as ready:
            yield ready


@lru_cache(maxsize=16)
def _workspace(given: str, connections: Connections | None) -> Workspace:
    settings = Settings.given(**json.loads(given))
    return Workspace(settings, Model, connections.given if connections else None)


def workspace_of(resources: Any, key: str, prefix: tuple[str, ...] = ()) -> Workspace:
    """Return the Workspace of assets with a key prefix.

    Args:
        resources: The resources of a context.
        key: Key of an XinguResource or a Workspace.
        prefix: Key prefix of the assets.
    """
    resource = getattr(resources, key)
    workspace = resource.workspace if isinstance(resource, XinguResource) else resource
    return workspace.below(prefix)


def _connect_of(database: Any) -> Any:
    """Return the engine, or a function that connects."""
    if not isinstance(database, dg.ConfigurableResource):
        return _engine_or_function(database)

    @contextmanager
    def connect() -> Iterator[Any]:
        with (
            database.process_config_and_initialize_cm() as ready,
            connected(_engine_or_function(ready)) as connection,
        ):
            yield connection

    return connect


def _engine_or_function(database: Any) -> Any:
    engine = getattr(database, "engine", None)
    for one in (engine, getattr(database, "get_connection", None)):
        if one is not None:
            return one
    if hasattr(database, "dialect") or callable(database):
        return database
    return database.connect
