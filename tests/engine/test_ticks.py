"""States of sensors, read from Dagster's storage."""

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import InstigatorStatus
from dagster_shared.error import SerializableErrorInfo

from tests.support.events import instance_of
from tests.support.ticks import ticked
from xingu_dagster.alerts import Watched, _silent
from xingu_dagster.engine.ticks import sensor_states

FAILED = SerializableErrorInfo("ValueError: no such town: 'Springfield'\n", [], "ValueError")


@pytest.fixture
def instance(tmp_path):
    with instance_of(tmp_path, "ours") as found:
        yield found


def test_a_sensor_is_late_after_ten_minutes_and_ten_intervals(instance):
    ticked(instance, "xingu_retrain", 601)
    ticked(instance, "xingu_alerts", 599)
    ticked(instance, "stopped", 9000, status=InstigatorStatus.STOPPED)
    late = {one.name: one.late for one in sensor_states(instance)}
    assert late == {"xingu_retrain": True, "xingu_alerts": False, "stopped": False}


def test_alerts_are_about_other_sensors_of_the_project_that_are_late_or_fail(instance):
    ticked(instance, "xingu_retrain", 7300)
    ticked(instance, "xingu_batches", 5, FAILED)
    ticked(instance, "xingu_alerts", 7300)
    ticked(instance, "of_others", 7300)
    told = {
        one.title: one.cause for one in _silent(instance, Watched({}, {}, frozenset(), "xingu"))
    }
    assert told.pop("The sensor xingu_batches fails") == "ValueError: no such town: …"
    assert list(told) == ["The sensor xingu_retrain has not ticked for 122 minutes"]


def test_an_instance_in_memory_has_no_sensors():
    assert list(sensor_states(dg.DagsterInstance.ephemeral())) == []
