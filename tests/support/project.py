"""A project on disk, with its Dagster instance, for tests that materialize assets for real."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import dagster as dg

from tests.support.toys import write_database
from xingu import Coach, DataProvider, DataProviderFactory
from xingu.config import Settings
from xingu.registry.store import ModelStore
from xingu.values import ValueStore
from xingu_dagster.project import definitions_of

Provider = type[DataProvider]


@dataclass
class Project:
    """A folder, a database called `db`, and DataProviders."""

    home: Path
    providers: Sequence[Provider]
    settings: dict = field(default_factory=dict)

    @cached_property
    def config(self) -> Settings:
        if not (self.home / "houses.db").exists():
            write_database(self.home / "houses.db")
        databases = {"db": f"sqlite:///{self.home / 'houses.db'}"}
        return Settings.load(
            project_home=self.home,
            **{"databases": databases, "executor": "in_process", **self.settings},
        )

    @cached_property
    def definitions(self) -> dg.Definitions:
        return definitions_of(self.config, {str(cls.id): cls for cls in self.providers})

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.ephemeral()

    @property
    def values(self) -> ValueStore:
        return ValueStore(self.config.place(self.config.values))

    @property
    def models(self) -> ModelStore:
        return ModelStore(self.config.place(self.config.models))

    def run(self, *selection: str, raise_on_error: bool = True, config=None, tags=None):
        """Materialize assets given as ``dp/asset``; ``dp/*`` selects all of a group."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        graph = self.definitions.resolve_asset_graph()
        keys = [key for name in selection for key in self._keys(name, graph)]
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=keys,
            raise_on_error=raise_on_error,
            run_config=config or {},
            tags=tags,
        )

    @staticmethod
    def _keys(name, graph):
        if not name.endswith("/*"):
            return [dg.AssetKey(name.split("/"))]
        start = tuple(name.split("/")[:-1])
        return [
            key for key in graph.materializable_asset_keys if tuple(key.path[: len(start)]) == start
        ]

    def load(self, name: str):
        return self.values.read(tuple(name.split("/"))).value

    def metadata(self, name: str) -> dict:
        """Metadata of the latest materialization, as plain values; without ``xingu/``."""
        event = self.instance.get_latest_materialization_event(dg.AssetKey(name.split("/")))
        found = event.asset_materialization.metadata
        return {
            key.removeprefix("xingu/"): (
                value if isinstance(value, dg.TableMetadataValue) else value.value
            )
            for key, value in found.items()
        }


def coach_of(home, classes, instance=None, **settings) -> Coach:
    if not (home / "houses.db").exists():
        write_database(home / "houses.db")
    databases = {"db": f"sqlite:///{home / 'houses.db'}"}
    factory = DataProviderFactory(classes)
    instance = instance or dg.DagsterInstance.ephemeral()
    return Coach(factory, instance=instance, project_home=home, databases=databases, **settings)


def leftovers(home: Path) -> list[Path]:
    """Unfinished files, and values that are there only in part."""
    values = [path for path in (home / ".xingu/values").rglob("2*") if path.is_dir()]
    return [*home.rglob("*.tmp"), *(path for path in values if not (path / "record.json").exists())]


def everything_told(project: Project, caught: list[BaseException], caplog) -> str:
    """All that anybody could read of the runs of `project`."""
    texts = [f"{error} {error!r} {getattr(error, 'facts', '')}" for error in caught]
    texts += [record.getMessage() + repr(record.args) for record in caplog.records]
    for run in project.instance.get_runs():
        texts.append(repr(run))
        texts += [entry.to_json() for entry in project.instance.all_logs(run.run_id)]
        texts.append(repr(project.instance.get_job_snapshot(str(run.job_snapshot_id))))
    texts += [
        f"{path} {path.read_bytes().decode('latin-1')}"
        for path in project.home.rglob("*")
        if path.is_file()
    ]
    return "\n".join(texts)
