"""Other assets as sources: their values, data versions, and place in the graph."""

import sqlite3
from dataclasses import dataclass

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from tests.support.project import Project, coach_of
from tests.support.toys import Houses, houses
from xingu import Model
from xingu.errors import RunFailedError, SourceError
from xingu_dagster.engine import compat

ORDERS = dg.AssetKey(["analytics", "orders"])


class FromAsset(Houses):
    """Trained on the value of another asset, applied to a second one."""

    train_dataset_sources = {"houses": {"asset": "analytics/orders"}}
    batch_predict_dataset_sources = {"houses": {"asset": "analytics/open"}}


class Depending(Houses):
    """Trained on a table that another asset writes."""

    train_dataset_sources = {
        "houses": {
            "source": "db",
            "query": "select * from houses",
            "depends_on": ["analytics/orders"],
        }
    }
    batch_predict_dataset_sources = {
        "houses": {"url": "open.csv", "depends_on": ["analytics/orders", "analytics/open"]}
    }


class TheirStore(dg.ConfigurableIOManager):
    """The IO manager of the surrounding project: pickles in a folder."""

    folder: str

    def handle_output(self, context, obj):
        pd.to_pickle(obj, self._path(context))

    def load_input(self, context):
        return pd.read_pickle(self._path(context))

    def _path(self, context):
        return f"{self.folder}/{'_'.join(context.asset_key.path)}.pkl"


@dataclass
class Foreign(Project):
    """A project of DataProviders inside other definitions."""

    orders = staticmethod(houses)
    their_assets: tuple = ()
    store: object = None

    @property
    def definitions(self) -> dg.Definitions:
        @dg.asset(key=ORDERS, io_manager_key="theirs")
        def orders():
            return self.orders()

        @dg.asset(key=["analytics", "open"], io_manager_key="theirs")
        def still_open():
            return houses().head(9)[["id", "size", "town"]]

        theirs = dg.Definitions(
            [*(self.their_assets or (orders, still_open))],
            resources={"theirs": self.store or TheirStore(folder=str(self.home))},
        )
        return dg.Definitions.merge(theirs, self.ours)

    @property
    def ours(self) -> dg.Definitions:
        return Project(self.home, self.providers, self.settings).definitions

    def stale(self, name: str) -> bool:
        graph = self.definitions.resolve_asset_graph()
        context = LoadingContextForTest(self.instance)
        resolver = CachingStaleStatusResolver(self.instance, graph, context)
        return resolver.get_status(key_of(name)) == StaleStatus.STALE


def key_of(name: str) -> dg.AssetKey:
    return dg.AssetKey(name.split("/"))


@pytest.fixture(autouse=True)
def forget():
    """Let each test ask anew whether Dagster has what the engine needs."""
    yield
    compat.usable.cache_clear()


@pytest.fixture
def project(tmp_path):
    return Foreign(tmp_path, [FromAsset])


def test_their_asset_and_our_model_are_made_in_one_run_and_in_several(project):
    result = project.run("analytics/orders", "analytics/open", "houses/*")
    assert result.success
    pd.testing.assert_frame_equal(project.load("houses/raw/houses"), houses())
    assert len(project.load("houses/batch/estimations").frame) == 9
    project.orders = lambda: houses().head(100)
    project.run("analytics/orders")
    project.run("houses/raw/houses")
    assert len(project.load("houses/raw/houses")) == 100


def test_an_asset_takes_the_place_of_the_external_data_in_the_graph(project):
    graph = project.definitions.resolve_asset_graph()
    assert graph.get(key_of("houses/raw/houses")).parent_keys == {ORDERS}
    assert key_of("houses/model") in dg.AssetSelection.assets(ORDERS).downstream().resolve(graph)
    assert not any(key.path[0] == "sources" for key in graph.get_all_asset_keys())


@pytest.mark.parametrize(
    "table",
    [
        lambda: pl.DataFrame(houses().to_dict("list")),
        lambda: pl.LazyFrame(houses().to_dict("list")),
        lambda: pa.Table.from_pandas(houses(), preserve_index=False),
    ],
    ids=["polars", "lazy", "pyarrow"],
)
def test_tables_of_polars_and_pyarrow_become_the_frame_of_pandas(tmp_path, table):
    class Memory(dg.IOManager):
        def handle_output(self, context, obj): ...

        def load_input(self, context):
            return table()

    project = Foreign(tmp_path, [FromAsset], store=Memory())
    project.run("analytics/orders", "houses/raw/houses")
    pd.testing.assert_frame_equal(project.load("houses/raw/houses"), houses())


def test_the_data_version_of_their_asset_is_recorded_and_decides_what_is_out_of_date(project):
    project.run("analytics/orders", "houses/raw/houses", "houses/cleaned", "houses/features")
    event = project.instance.get_latest_materialization_event(ORDERS).asset_materialization
    version = event.tags["dagster/data_version"]
    assert project.metadata("houses/raw/houses")["data versions upstream"] == {
        "analytics/orders": version
    }
    (source,) = project.values.record(("houses", "cleaned")).facts.sources
    assert source.declared == f"asset analytics/orders, data version {version}"
    assert not project.stale("houses/features")
    project.orders = lambda: houses().head(300)
    project.run("analytics/orders")
    assert project.stale("houses/raw/houses")
    project.run("houses/raw/houses")
    assert project.stale("houses/cleaned")
    project.run("houses/cleaned", "houses/features")
    assert not project.stale("houses/features")


def test_the_same_rows_again_leave_the_model_up_to_date(project):
    project.run("analytics/orders", "houses/raw/houses", "houses/cleaned")
    project.run("analytics/orders")
    project.run("houses/raw/houses")
    assert not project.stale("houses/cleaned")


TRAIN = [f"houses/{name}" for name in (
    "raw/houses", "cleaned", "features", "splits", "hyperparameters", "model"
)]  # fmt: skip
CHANGED = dg.AutomationCondition.any_deps_match(
    dg.AutomationCondition.data_version_changed() | dg.AutomationCondition.will_be_requested()
)


class Automated:
    """Conditions of all assets of a train, and who is requested at each tick."""

    def __init__(self, project, condition):
        self.project, self.condition, self.cursor = project, condition, None

    def tick(self) -> set[str]:
        """Return the assets that were requested."""
        definitions = self.project.definitions.map_asset_specs(func=self._conditioned)
        found = dg.evaluate_automation_conditions(
            definitions, self.project.instance, cursor=self.cursor
        )
        self.cursor = found.cursor
        return {name for name in TRAIN if found.get_num_requested(key_of(name))}

    def _conditioned(self, spec):
        ours = spec.key.to_user_string() in TRAIN
        return spec.replace_attributes(automation_condition=self.condition) if ours else spec


@pytest.mark.parametrize("provider", [FromAsset, Depending])
def test_automation_conditions_flow_from_their_table_to_our_model(tmp_path, provider):
    project = Foreign(tmp_path, [provider])
    eager = Automated(project, dg.AutomationCondition.eager())
    assert eager.tick() == set()  # their table is missing
    project.run("analytics/orders", *TRAIN)
    changed = Automated(project, CHANGED)
    for automated in (eager, changed):
        automated.tick()
        assert automated.tick() == set()
    project.run("analytics/orders")
    assert eager.tick() == changed.tick() == set(TRAIN)


def test_what_is_missing_is_made_once_their_table_is_there(project):
    project.run("analytics/orders", *TRAIN)
    missing = Automated(project, dg.AutomationCondition.on_missing())
    assert missing.tick() == set()
    project.instance.wipe_assets([ORDERS, *map(key_of, TRAIN)])
    assert missing.tick() == set()
    project.run("analytics/orders")
    assert "houses/raw/houses" in missing.tick()


def test_a_source_that_depends_on_assets_reads_its_table_and_has_them_upstream(tmp_path):
    project = Foreign(tmp_path, [Depending])
    houses().head(9).to_csv(tmp_path / "open.csv", index=False)
    graph = project.definitions.resolve_asset_graph()
    assert graph.get(key_of("houses/raw/houses")).parent_keys == {ORDERS}
    assert graph.get(key_of("houses/batch/raw/houses")).parent_keys == {
        ORDERS,
        key_of("analytics/open"),
    }
    ours = ["houses/raw/houses", "houses/cleaned", "houses/batch/raw/houses"]
    project.run("analytics/orders", "analytics/open", *ours)
    assert len(project.load("houses/raw/houses")) == 400
    assert len(project.load("houses/batch/raw/houses")) == 9
    assert not project.stale("houses/cleaned")
    with sqlite3.connect(tmp_path / "houses.db") as db:
        db.execute("delete from houses where id > 200")
    project.run("analytics/orders")
    assert project.stale("houses/raw/houses")
    project.run("houses/raw/houses")
    assert len(project.load("houses/raw/houses")) == 201
    assert project.stale("houses/cleaned")


def test_the_cache_knows_the_version_of_the_asset_that_writes_the_table(tmp_path):
    project = Foreign(tmp_path, [Depending], {"datasource_cache": "cache"})
    project.run("analytics/orders", "houses/raw/houses")
    with sqlite3.connect(tmp_path / "houses.db") as db:
        db.execute("delete from houses where id > 200")
    for rows in (400, 201):
        project.run("houses/raw/houses")
        assert len(project.load("houses/raw/houses")) == rows
        project.run("analytics/orders")


@pytest.mark.parametrize("engine", ["", "stock"])
def test_all_materialized_partitions_are_read(tmp_path, monkeypatch, engine):
    monkeypatch.setenv("XINGU_ENGINE", engine)
    compat.usable.cache_clear()
    days = dg.StaticPartitionsDefinition(["a", "b", "c"])

    @dg.asset(key=ORDERS, partitions_def=days)
    def orders(context):
        return houses().assign(part=context.partition_key)

    store = {"io_manager": dg.FilesystemIOManager(base_dir=str(tmp_path))}
    ours = Foreign(tmp_path, [FromAsset]).ours
    defs = dg.Definitions.merge(dg.Definitions([orders], resources=store), ours)
    instance, job = dg.DagsterInstance.ephemeral(), defs.resolve_implicit_global_asset_job_def()
    raw = key_of("houses/raw/houses")

    def read():
        return job.execute_in_process(instance=instance, asset_selection=[raw])

    with pytest.raises(SourceError, match="no partition of it was materialized.*Materialize it"):
        read()
    for part in ("c", "a"):
        dg.materialize([orders], instance=instance, partition_key=part, resources=store)
    read()
    found = Project(tmp_path, [FromAsset]).load("houses/raw/houses")
    assert list(found["part"].unique()) == ["a", "c"]
    assert len(found) == 800
    assert found.index.is_unique


def test_the_configuration_of_the_run_reaches_their_io_manager(tmp_path):
    project = Foreign(tmp_path, [FromAsset], store=TheirStore.configure_at_launch())
    place = tmp_path / "elsewhere"
    place.mkdir()
    config = {"resources": {"theirs": {"config": {"folder": str(place)}}}}
    project.run("analytics/orders", "houses/raw/houses", config=config)
    assert [path.name for path in place.iterdir()] == ["analytics_orders.pkl"]
    assert len(project.load("houses/raw/houses")) == 400


@pytest.mark.parametrize("value", [None, [1, 2], {"a": houses()}])
def test_a_value_that_is_no_table_is_refused_with_what_to_do(project, value):
    project.orders = lambda: value
    project.run("analytics/orders")
    with pytest.raises(SourceError, match=r"analytics/orders cannot be read.*'depends_on'"):
        project.run("houses/raw/houses")


def test_an_asset_that_was_never_made_is_refused_with_what_to_do(project):
    with pytest.raises(SourceError, match=r"Materialize it; or.*'query': sql, 'depends_on'"):
        project.run("houses/raw/houses")


def test_an_external_asset_is_refused_with_what_to_do(tmp_path):
    project = Foreign(tmp_path, [FromAsset])
    project.their_assets = (dg.AssetSpec(ORDERS),)
    with pytest.raises(SourceError, match=r"'depends_on': \['analytics/orders'\]"):
        project.run("houses/raw/houses")


def test_a_coach_says_that_it_has_only_the_key_of_the_asset(tmp_path):
    with pytest.raises(
        RunFailedError, match="have only its key.*with_io_manager_key.*'depends_on'"
    ):
        coach_of(tmp_path, [FromAsset], progress=False).team_train()


class Second(Houses):
    """Trained on what another model has estimated."""

    id = "second"
    train_dataset_sources = {
        "estimated": {"asset": "houses/batch/estimations"},
        "houses": {"source": "db", "query": "select * from houses where id < 50"},
    }
    batch_predict_dataset_sources = {}

    def clean_data_for_train(self, datasets):
        return super().clean_data_for_train(datasets).join(datasets["estimated"])


def test_a_coach_trains_on_the_estimations_of_another_model_in_the_same_run(tmp_path):
    coach = coach_of(tmp_path, [Houses, Second], progress=False)
    assert set(coach.team_train()) == {"houses", "second"}
    values = Project(tmp_path, []).values
    assert "estimation" in values.read(("second", "cleaned")).value.frame
    assert list(values.read(("second", "raw", "estimated")).value.columns) == ["estimation"]


def test_a_model_outside_of_dagster_says_that_the_asset_is_loaded_in_runs_only(project):
    proofs = ["houses/trainset_estimations", "houses/trainset_metrics"]
    project.run("analytics/orders", *TRAIN, *proofs)
    model = Model.load("houses", path=project.config.place(project.config.models))
    with pytest.raises(SourceError, match="'houses' is the Dagster asset analytics/open, which is"):
        model.batch_predict()
