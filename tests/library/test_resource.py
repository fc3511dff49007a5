"""XinguResource: storage and databases of a project as a resource of Dagster."""

import sqlite3
from contextlib import contextmanager, nullcontext
from typing import Any

import dagster as dg
import duckdb
import pytest
from sqlalchemy import create_engine

from tests.support.foreign import run
from tests.support.toys import Houses, houses
from xingu import Model
from xingu.config import Settings
from xingu_dagster import XinguIOManager, XinguProject, XinguResource
from xingu_dagster.resources import XinguResource as Direct

RAW = 'key:"houses/raw/houses"'


class Lake(dg.ConfigurableResource):
    """A resource as dagster-duckdb's: its method is a context manager."""

    path: str

    @contextmanager
    def get_connection(self):
        with duckdb.connect(self.path) as connection:
            yield connection


class Warehouse(dg.ConfigurableResource):
    """A resource with an engine."""

    path: str

    @property
    def engine(self):
        return create_engine(f"sqlite:///{self.path}")


@pytest.fixture(scope="module")
def files(tmp_path_factory, database):
    folder = tmp_path_factory.mktemp("files")
    with duckdb.connect(folder / "lake.duckdb") as lake:
        lake.register("rows", houses())
        lake.execute("CREATE TABLE houses AS SELECT * FROM rows")
    return {"sqlite": database.removeprefix("sqlite:///"), "lake": str(folder / "lake.duckdb")}


def raw_rows(home, database, **options):
    resource = XinguResource(project_home=str(home), databases={"db": database})
    project = XinguProject([Houses], settings=resource)
    result = run(project.definitions(), RAW, **options)
    (event,) = result.get_asset_materialization_events()
    return event.materialization.metadata["dagster/row_count"].value


def given_databases(files):
    return {
        "a URL": f"sqlite:///{files['sqlite']}",
        "a variable": dg.EnvVar("HOUSES_URL"),
        "an engine": create_engine(f"sqlite:///{files['sqlite']}"),
        "a function": lambda: sqlite3.connect(files["sqlite"]),
        "a resource with get_connection": Lake(path=dg.EnvVar("LAKE_PATH")),
        "a resource with an engine": Warehouse(path=files["sqlite"]),
    }


@pytest.mark.parametrize("kind", given_databases({"sqlite": "", "lake": ""}))
def test_a_database_can_be_given_as(kind, files, tmp_path, monkeypatch):
    monkeypatch.setenv("HOUSES_URL", f"sqlite:///{files['sqlite']}")
    monkeypatch.setenv("LAKE_PATH", files["lake"])
    assert raw_rows(tmp_path, given_databases(files)[kind]) == 400


def test_a_function_that_returns_no_connection_is_an_error_that_says_so(tmp_path):
    with pytest.raises(Exception, match="'db'.*cannot be reached: get_connection gave a dict"):
        raw_rows(tmp_path, lambda: nullcontext({}))


def test_a_password_in_a_variable_is_in_no_definition(monkeypatch):
    monkeypatch.setenv("HOUSES_URL", "postgresql://ana:t0ps3cret@host/db")
    resource = XinguResource(databases={"db": dg.EnvVar("HOUSES_URL")})
    definitions = XinguProject([Houses], settings=resource).definitions()
    dg.Definitions.validate_loadable(definitions)
    job = definitions.resolve_implicit_global_asset_job_def()
    snapshot = dg.serialize_value(job.get_job_snapshot())
    assert "t0ps3cret" not in snapshot + repr(resource)


def test_settings_can_be_given_at_launch(tmp_path, database):
    project = XinguProject([Houses], settings=XinguResource.configure_at_launch())
    config = {"project_home": str(tmp_path), "databases": {"db": database}, "values": "kept"}
    run(project.definitions(), RAW, run_config={"resources": {"xingu": {"config": config}}})
    assert (tmp_path / "kept" / "houses" / "raw").is_dir()


def test_the_defaults_are_those_of_the_settings():
    resource, settings = XinguResource(), Settings.model_fields
    for name in set(Direct.model_fields) - {"connections", "project_home", "databases"}:
        default = settings[name].default
        default = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        assert getattr(resource, name) == (list(default) if isinstance(default, tuple) else default)


def test_an_asset_of_theirs_loads_a_model_through_the_resource(tmp_path, database):
    resource = XinguResource(project_home=str(tmp_path), databases={"db": database})
    project = XinguProject([type("Simple", (Houses,), {"checks": {}})], settings=resource)

    @dg.asset(deps=[dg.AssetKey(["houses", "trainset_metrics"])], required_resource_keys={"xingu"})
    def trained(context) -> str:
        return context.resources.xingu.load_model("houses").train_id

    instance = dg.DagsterInstance.ephemeral()
    result = run(
        dg.Definitions.merge(project.definitions(), dg.Definitions([trained])),
        '+key:"houses/trainset_metrics"', "key:trained", RAW, 'key:"houses/cleaned"',
        'key:"houses/features"', 'key:"houses/splits"', 'key:"houses/hyperparameters"',
        instance=instance,
    )  # fmt: skip
    assert (
        result.output_for_node("trained") == Model.load("houses", path=tmp_path / "models").train_id
    )

    @dg.asset(ins={"model": dg.AssetIn(["houses", "model"], input_manager_key="xingu_io")})
    def elsewhere(model: Model) -> str:
        return model.train_id

    io_manager: Any = XinguIOManager(XinguResource(project_home=str(tmp_path)))
    other = dg.Definitions(
        [elsewhere, dg.AssetSpec(["houses", "model"])], resources={"xingu_io": io_manager}
    )
    found = run(other, "key:elsewhere", instance=instance)
    assert found.output_for_node("elsewhere") == result.output_for_node("trained")
