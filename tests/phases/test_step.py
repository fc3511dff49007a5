"""Tests of the trigger that a run is tagged with."""

import pytest

from xingu_dagster.phases.step import trigger_of


@pytest.mark.parametrize(
    ("tags", "trigger"),
    [
        ({}, "command"),
        ({"xingu/trigger": "coach"}, "coach"),
        ({"dagster/from_ui": "true"}, "ui"),
        ({"dagster/from_ui": "true", "xingu/trigger": "coach"}, "ui"),
        ({"dagster/schedule_name": "nightly"}, "schedule"),
        ({"dagster/sensor_name": "new_rows", "dagster/partition": "a"}, "sensor"),
        ({"dagster/from_automation_condition": "true", "dagster/sensor_name": "x"}, "automation"),
        ({"dagster/backfill": "abc", "dagster/from_ui": "true"}, "backfill"),
    ],
)
def test_the_tags_of_dagster_decide_and_a_re_execution_does_not_inherit(tags, trigger):
    assert trigger_of(tags) == trigger
