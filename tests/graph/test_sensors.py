"""Ticks of the sensors on a real instance: their run requests and messages."""

import dagster as dg
import pytest

from tests.support import toys
from tests.support.town import Houses, Light, Taxes, Town, assets_of
from tests.support.webhook import webhook
from xingu.errors import DeclarationError
from xingu_dagster.automation import SensorOptions
from xingu_dagster.automation_facts import Subject
from xingu_dagster.project import XinguProject
from xingu_dagster.resources import XinguResource
from xingu_dagster.spec import ProviderSpec


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    town = Town(tmp_path_factory.mktemp("town"))
    [request], _ = town.tick()
    assert town.launch(request)
    return town


def test_models_that_need_each_other_are_trained_by_one_run(town):
    assert town.current("houses")
    assert town.current("taxes")
    requests, told = town.tick()
    assert requests == []
    assert told.splitlines() == [
        "houses: no new data.", "taxes: no prerequisite was trained."
    ]  # fmt: skip


def test_new_rows_train_a_model_and_what_needs_it_once(town):
    before = town.current("houses"), town.current("taxes")
    town.add_rows(10)
    assert "houses: 10 new rows in houses (min 20), waits." in town.tick()[1]
    town.add_rows(15)
    [request], _ = town.tick()
    assert {one.partition("/")[0] for one in assets_of(request)} == {"houses", "taxes"}
    assert not any("batch" in one for one in assets_of(request))
    assert request.tags["xingu/reason"] == (
        "houses: 25 new rows in houses; taxes: houses is trained in the same run"
    )
    assert town.launch(request)
    after = town.current("houses"), town.current("taxes")
    assert not set(before) & set(after)
    assert town.tick()[0] == []


def test_a_batch_follows_its_data_and_its_model_without_training(town):
    [request], _ = town.tick("xingu_batch_predict")
    assert assets_of(request) >= {"houses/batch/estimations", "houses/batch/raw/houses"}
    assert not assets_of(request) & {"houses/model", "houses/raw/houses"}
    trained = town.current("houses")
    assert town.launch(request)
    assert town.current("houses") == trained
    assert town.tick("xingu_batch_predict") == ([], "houses: no new data; no prerequisite was "
                                                    "trained.")  # fmt: skip


TRAINED = ("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model",
           "trainset_estimations", "trainset_metrics")  # fmt: skip


class Parts(Houses):
    id = "parts"
    retrain = None
    batch_partitions = {"static": ["north", "south"]}
    batch_predict_dataset_sources = {
        "houses": {
            "source": "db",
            "query": "select * from houses where town = :partition_key",
            "watermark": "select max(id), count(*) from houses where town = :partition_key",
        }
    }


def test_of_a_batch_with_partitions_the_latest_one_follows_its_data(tmp_path):
    town = Town(tmp_path, Parts)
    town.project.run(*(f"parts/{name}" for name in TRAINED))
    [request], _ = town.tick("xingu_batch_predict")
    assert request.partition_key == "south"
    assert town.launch(request)
    assert town.tick("xingu_batch_predict")[0] == []
    town.add_rows(30)
    [request], _ = town.tick("xingu_batch_predict")
    assert request.partition_key == "south"


class Unbegun(Parts):
    id = "unbegun"
    batch_partitions = {"daily": "2999-01-01"}
    batch_predict_when = "* * * * *"


def test_of_a_batch_without_a_partition_yet_nothing_is_asked_for(tmp_path):
    town = Town(tmp_path, Unbegun)
    town.project.run(*(f"unbegun/{name}" for name in TRAINED))
    assert town.tick("xingu_batch_predict") == ([], "unbegun: its batch has no partition yet.")


def test_a_run_in_progress_is_reported_and_no_second_one_is_requested(town):
    town.add_rows(30)
    [request], _ = town.tick()
    job = town.project.definitions.resolve_implicit_global_asset_job_def()
    run = town.project.instance.create_run_for_job(
        job, asset_selection=frozenset(request.asset_selection), tags=request.tags
    )
    town.launched.add(request.run_key)
    requests, told = town.tick()
    assert (requests, f"houses: run {run.run_id[:8]} is training it." in told) == ([], True)
    town.project.instance.report_run_canceled(run)
    assert "tries again in 10 min" in town.tick()[1]


@pytest.fixture
def inbox():
    with webhook() as inbox:
        yield inbox


class Fragile(Light):
    id = "fragile"
    retrain = {"when": "on_new_data", "then": "register", "limits": {"failures": 2,
                                                                     "retry_after": 0}}  # fmt: skip
    fails = False

    def data_split_for_train(self, data):
        if Fragile.fails:
            raise ValueError("no split today")
        return super().data_split_for_train(data)


def test_failures_are_tried_again_until_the_policy_stops_and_a_train_by_hand_ends_that(
    tmp_path, inbox
):
    town = Town(tmp_path, Fragile, alert_webhook=inbox.url)
    Fragile.fails = True
    for _ in range(2):
        [request], _ = town.tick()
        assert not town.launch(request)
    requests, told = town.tick()
    assert requests == []
    assert "stopped after 2 failed runs in a row" in told
    town.tick()
    [alert] = inbox.received  # once, not at each tick
    assert (alert["kind"], alert["dataprovider"]) == ("policy_tripped", "fragile")
    assert "stopped after 2 failed runs in a row" in alert["text"]
    Fragile.fails = False
    town.project.run("fragile/*")
    assert "no new data" in town.tick()[1]


def test_a_train_that_is_only_registered_leaves_the_one_before_it_current(tmp_path):
    Fragile.fails = False
    town = Town(tmp_path, Fragile)
    town.project.run("fragile/*")
    before = town.current("fragile")
    town.add_rows(5)
    [request], _ = town.tick()
    assert town.launch(request)
    assert town.current("fragile") == before
    newest = town.project.models.ledger("fragile").newest()
    assert newest is not None
    assert (newest.action, newest.train_id == before) == ("train", False)
    assert "no new data" in town.tick()[1]


def test_a_source_that_cannot_be_observed_does_not_hold_up_the_others(tmp_path):
    class Lost(Light):
        id = "lost"
        train_dataset_sources = {"gone": {"url": "gone.csv"}}
        retrain = "on_new_data"

    town = Town(tmp_path, Houses, Lost)
    town.project.run("houses/*")
    town.add_rows(30)
    [request], _ = town.tick()
    assert {one.partition("/")[0] for one in assets_of(request)} == {"houses"}


def test_names_of_sensors_follow_the_resource_and_are_off_by_default(tmp_path):
    resource = XinguResource(project_home=str(tmp_path))
    given = {"settings": resource, "resource_key": "team"}
    [retrain, batch] = XinguProject([Houses], **given).definitions().sensors or []
    assert [retrain.name, batch.name] == ["team_retrain", "team_batch_predict"]
    assert retrain.default_status is dg.DefaultSensorStatus.STOPPED
    own = SensorOptions(seconds=5, running=True, per_dataprovider=True)
    some = XinguProject([Houses, Taxes], **given, sensors=own).sensors()
    assert [one.name for one in some] == [
        "team_retrain__houses", "team_retrain__taxes", "team_batch_predict__houses"
    ]  # fmt: skip
    assert some[0].default_status is dg.DefaultSensorStatus.RUNNING
    assert XinguProject([Houses], **given, sensors=False).definitions().sensors == []
    assert XinguProject([toys.Houses], **given).sensors() == []


def test_tags_of_runs_of_a_long_name_are_accepted_by_dagster_and_differ():
    def subject(name):
        cls = type("Long", (Light,), {"id": name, "retrain": "on_new_data"})
        spec = ProviderSpec(cls)
        assert spec.policy is not None
        return Subject(spec, spec.policy, ())

    one, other = subject("a" * 80), subject("a" * 81)
    assert one.tag != other.tag
    assert max(map(len, one.tag.split("/"))) <= 63


def test_a_policy_that_cannot_be_used_breaks_its_dataprovider_alone(tmp_path):
    class Wrong(Light):
        id = "wrong"
        retrain = "sometimes"

    with pytest.raises(DeclarationError, match="wrong.retrain is 'sometimes'"):
        XinguProject([Wrong], settings=XinguResource(project_home=str(tmp_path))).assets()
