"""A batch with partitions, through Dagster."""

import dagster as dg
import pandas as pd
import pytest

from tests.support.control import rows
from tests.support.project import Project, coach_of
from tests.support.toys import Houses, MeanEstimator
from xingu.errors import SettingsError
from xingu.values import partition_key

TRAIN = ["houses/raw/houses", "houses/cleaned", "houses/features", "houses/splits",
         "houses/hyperparameters", "houses/model", "houses/trainset_estimations"]  # fmt: skip
BATCH = [f"houses/batch/{name}" for name in ("raw/houses", "cleaned", "features", "estimations",
                                             "sinks/sheet", "sinks/prices")]  # fmt: skip
QUERY = """select id, size, town, :partition_key as town_read from houses
    where id < 90 and town = :partition_key"""


class Towns(Houses):
    estimator_class = MeanEstimator
    estimator_params = {}
    batch_predict_dataset_sources = {"houses": {"source": "db", "query": QUERY}}
    batch_partitions = {"static": ["north", "south", "west"]}
    batch_predict_sinks = {
        "sheet": {"url": "out/{partition_key}.csv"},
        "prices": {"database": "db", "table": "prices"},
    }

    def clean_data_for_batch_predict(self, datasets):
        assert self.batch_partition is not None
        return super().clean_data_for_train(datasets).assign(read_as=self.batch_partition.key)


class FailsSouth(Towns):
    def clean_data_for_batch_predict(self, datasets):
        if self.batch_partition.key == "south":
            raise ValueError("no rain in the south")
        return super().clean_data_for_batch_predict(datasets)


TOWNS = dg.StaticPartitionsDefinition(["north", "south", "west"])
OURS = dg.AssetIn(["houses", "batch", "estimations"], input_manager_key="xingu_io")


@dg.asset(partitions_def=TOWNS, ins={"ours": OURS})
def of_one(ours: pd.DataFrame):
    return ours


@dg.asset(ins={"ours": OURS})
def of_all(ours):
    return sorted(ours)


@dg.asset(ins={"ours": OURS})
def frame_of_all(ours: pd.DataFrame):
    return ours


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose model is trained, and whose partition north is estimated."""
    project = Project(tmp_path_factory.mktemp("towns"), [Towns], {"save_estimations": True})
    assert project.run(*TRAIN).success
    estimate(project, "north")
    return project


def estimate(project, *partitions, **given):
    """Materialize all of the batch for a partition, or for a range in one run."""
    tags = {"dagster/partition": partitions[0]}
    if len(partitions) > 1:
        tags = {
            "dagster/asset_partition_range_start": partitions[0],
            "dagster/asset_partition_range_end": partitions[-1],
        }
    return project.run(*BATCH, tags=tags, **given)


def value(project, name, partition):
    return project.values.read(partition_key(("houses", *name.split("/")), partition))


def prices(project):
    return pd.read_sql("select * from prices", f"sqlite:///{project.home / 'houses.db'}")


def estimations(project):
    return pd.DataFrame(
        rows(project, 'select time, "index" from estimations'), columns=["time", "index"]
    )


def test_a_partition_reads_its_rows_and_keeps_values_of_its_own(project):
    before = value(project, "batch/estimations", "north").record.value_id
    estimate(project, "south")
    assert value(project, "batch/estimations", "north").record.value_id == before
    for town in ("north", "south"):
        features = value(project, "batch/features", town).value.frame
        assert set(features["town"]) == set(features["read_as"]) == {town}
        estimations = value(project, "batch/estimations", town)
        assert estimations.record.facts.partition == town
        assert list(estimations.value.frame.index) == list(features.index)
    made = project.instance.get_materialized_partitions(
        dg.AssetKey(["houses", "batch", "estimations"])
    )
    assert {"north", "south"} <= made


def test_metrics_and_plots_are_those_of_the_partition(project):
    project.run(*BATCH, "houses/batch/metrics", "houses/batch/plots",
                tags={"dagster/partition": "west"})  # fmt: skip
    (train,) = (project.home / "plots/houses").iterdir()
    assert [path.name for path in (train / "partitions").iterdir()] == ["west"]
    assert value(project, "batch/metrics", "west").record.facts.partition == "west"


def test_the_partition_is_no_state_of_the_data_provider(project):
    state = value(project, "batch/estimations", "north").value.state
    assert "batch_partition" not in state.attributes()


def test_a_partition_that_is_repeated_replaces_its_rows_only(project):
    estimate(project, "south")
    before = estimations(project)
    estimate(project, "south")
    assert sorted(estimations(project)["index"]) == sorted(before["index"])
    counts = prices(project).groupby("partition_key").size().to_dict()
    expected = {town: len(value(project, "batch/estimations", town).value.frame)
                for town in ("north", "south")}  # fmt: skip
    assert {town: counts[town] for town in expected} == expected
    assert len(estimations(project)) == sum(counts.values())
    for town in expected:
        assert len(pd.read_csv(project.home / f"out/{town}.csv")) == expected[town]


def test_a_run_of_several_partitions_makes_each_one(project):
    assert estimate(project, "north", "south", "west").success
    made = project.instance.get_materialized_partitions(
        dg.AssetKey(["houses", "batch", "estimations"])
    )
    assert made == {"north", "south", "west"}
    for town in made:
        assert set(value(project, "batch/features", town).value.frame["town"]) == {town}
    assert set(prices(project)["partition_key"]) == made
    assert project.metadata("houses/batch/estimations")["partitions of the run"] == 3


def test_partitions_before_the_one_that_fails_are_recorded(tmp_path):
    project = Project(tmp_path, [FailsSouth])
    project.run(*TRAIN)
    result = estimate(project, "north", "south", "west", raise_on_error=False)
    assert not result.success
    made = project.instance.get_materialized_partitions(dg.AssetKey(["houses", "batch", "cleaned"]))
    assert made == {"north"}


def test_a_run_without_a_partition_says_how_to_give_one(project):
    result = project.run(*BATCH, raise_on_error=False)
    (failed,) = result.get_step_failure_events()
    assert "xingu batch-predict --partition KEY" in failed.step_failure_data.error.to_string()


def test_assets_of_others_get_their_partition_or_all(project):
    estimate(project, "north", "south", "west")
    definitions = dg.Definitions.merge(
        project.definitions, dg.Definitions(assets=[of_one, of_all, frame_of_all])
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=project.instance, partition_key="south", asset_selection=[of_one.key]
    )
    south = value(project, "batch/estimations", "south").value.frame
    pd.testing.assert_frame_equal(result.output_for_node("of_one"), south)
    result = job.execute_in_process(
        instance=project.instance, asset_selection=[of_all.key, frame_of_all.key]
    )
    assert result.output_for_node("of_all") == ["north", "south", "west"]
    assert len(result.output_for_node("frame_of_all")) == len(prices(project))


def test_a_coach_estimates_partitions_that_it_is_asked_for(tmp_path, caplog):
    coach = coach_of(tmp_path, [Towns], progress=False)
    coach.team_train()
    assert "The batch of houses has partitions and was left out" in caplog.text
    assert coach.team_batch_predict() == {}
    found = coach.team_batch_predict(partition="north..south")["houses"]
    assert len(found) == len(pd.read_sql("select * from prices", f"sqlite:///{tmp_path}/houses.db"))
    with pytest.raises(SettingsError, match="There is no partition 'nort' of houses"):
        coach.team_batch_predict(partition="nort")
    with pytest.raises(SettingsError, match="has partitions"):
        coach.single_batch_predict(coach.trained["houses"])
