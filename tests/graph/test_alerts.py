"""The sensor of alerts: real runs, a real instance, a real webhook."""

import re

import dagster as dg
import pandas as pd
import pytest

from tests.support.project import Project, coach_of
from tests.support.toys import Houses, MeanEstimator
from tests.support.webhook import webhook
from xingu.errors import RunFailedError
from xingu_dagster.project import XinguProject


class Broken(Houses):
    """Its cleaning quotes a value of the data."""

    def clean_data_for_train(self, datasets):
        return datasets["houses"].astype({"town": float})


class Gated(Houses):
    """Its gate refuses every train."""

    quality_gates = {"test": {"R2": (">=", 2)}}
    estimator_class = MeanEstimator
    estimator_params = {}


class Warned(Houses):
    """A check warns about it."""

    checks = {"unique_index": "warn"}

    def clean_data_for_train(self, datasets):
        rows = super().clean_data_for_train(datasets)
        return pd.concat([rows, rows.head(20)])


@pytest.fixture
def inbox():
    with webhook() as found:
        yield found


@pytest.fixture
def watching(tmp_path, inbox):
    """Ticks of the sensor of a project, whose cursor survives between them."""

    class Watching(Project):
        cursor: str | None = None

        def tick(self):
            sensor = self.definitions.resolve_sensor_def("xingu_alerts")
            resources = {"xingu": (self.definitions.resources or {})["xingu"]}
            with dg.build_sensor_context(
                self.instance, cursor=self.cursor, resources=resources
            ) as context:
                result = sensor.evaluate_tick(context)
            self.cursor = result.cursor
            return result.skip_message

    def make(*classes, **settings):
        given = {"alert_webhook": inbox.url, "alert_link_base": "http://ui:3000/", **settings}
        project = Watching(tmp_path, classes, given)
        project.tick()
        return project

    return make


def test_a_failed_run_is_reported_once_with_its_first_cause_and_a_link(watching, inbox):
    project = watching(Broken)
    run = project.run("houses/*", raise_on_error=False)
    for _ in range(3):
        project.tick()
    (told,) = inbox.received
    assert told["kind"] == "run_failed"
    assert told["dataprovider"] == "houses"
    assert told["title"] == "houses: the step houses__prepare failed"
    assert (
        "clean_data_for_train raised ValueError: could not convert string to float: …"
        in (told["cause"])
    )
    assert re.search(r"\(test_alerts\.py:\d+\)$", told["cause"])
    assert told["link"] == f"http://ui:3000/runs/{run.run_id}"
    for town in ("north", "south", "west"):
        assert town not in str(told)


def test_repeated_failures_are_grouped_over_a_restart_of_the_daemon(watching, inbox):
    project = watching(Broken)
    told = [(project.run("houses/*", raise_on_error=False), project.tick())[1] for _ in range(3)]
    assert told == ["1 alert, 1 message", *["1 alert, 0 messages"] * 2]
    assert len(inbox.received) == 1


def test_a_gate_is_reported_as_a_refusal_and_not_as_a_failure(watching, inbox):
    project = watching(Gated, verify_packages=False)
    graph = project.definitions.resolve_asset_graph()
    train = [key.to_user_string() for key in graph.materializable_asset_keys
             if not {"batch", "plots"} & {*key.path}]  # fmt: skip
    assert not project.run(*train, raise_on_error=False).success
    project.tick()
    assert [one["kind"] for one in inbox.received if one["severity"] == "error"] == ["gate_refused"]


def test_a_successful_run_tells_its_warnings_once(watching, inbox):
    project = watching(Warned)
    assert project.run("houses/raw/houses", "houses/cleaned", "houses/features").success
    project.tick()
    project.tick()
    (told,) = inbox.received
    assert (told["kind"], told["severity"]) == ("check_warning", "warning")


def test_what_a_webhook_did_not_take_is_sent_by_a_later_tick(watching, inbox):
    project = watching(Broken)
    project.run("houses/*", raise_on_error=False)
    inbox.answers = [503]
    assert project.tick() == "1 alert, 1 message; 1 message will be sent again"
    project.tick()
    project.tick()
    assert len(inbox.received) == 2


def test_runs_of_other_jobs_and_manual_runs_are_not_reported(watching, inbox):
    project = watching(Broken)

    @dg.asset
    def foreign():
        raise ValueError

    dg.materialize([foreign], instance=project.instance, raise_on_error=False)
    coach = coach_of(project.home, [Broken], project.instance)
    with pytest.raises(RunFailedError):
        coach.team_train()
    assert project.tick() == "0 alerts, 0 messages"
    assert inbox.received == []


def test_coach_sends_alerts_itself_if_a_setting_says_so(tmp_path, inbox):
    given = {"alert_webhook": inbox.url, "alert_on_command": True}
    coach = coach_of(tmp_path, [Broken], **given)
    with pytest.raises(RunFailedError):
        coach.team_train()
    assert [one["kind"] for one in inbox.received] == ["run_failed"]


def test_a_project_without_a_channel_has_no_sensor(tmp_path):
    assert XinguProject([Houses]).sensors() == []
    assert not list(Project(tmp_path, [Houses]).definitions.sensors or ())
