"""Runs whose process is gone are found, marked as failed, and give back their places in pools."""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from xingu.processes import Process
from xingu_dagster.engine import compat, launcher
from xingu_dagster.engine.run_process import (
    TAG,
    close_dead_runs,
    dead_runs,
    process_of,
    process_tags,
)
from xingu_dagster.scaffold import TEMPLATES

STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dead() -> Process:
    source = "from xingu.processes import Process; print(Process.current().text)"
    found = Process.parse(subprocess.check_output([sys.executable, "-c", source], text=True))
    assert found is not None
    return found


@pytest.fixture
def instance(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text((TEMPLATES / "project/dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def started(instance, process: Process | None) -> str:
    run_id = dg.DagsterRun(job_name="job").run_id
    tags = {TAG: f"{run_id} {process.text}"} if process else {}
    instance.add_run(dg.DagsterRun(job_name="job", run_id=run_id, status=STARTED, tags=tags))
    return run_id


def monitor(instance) -> None:
    """Do what the daemon does every `poll_interval_seconds`."""
    context = SimpleNamespace(instance=instance, create_request_context=lambda: None)
    assert set(execute_run_monitoring_iteration(context, logging.getLogger())) <= {None}


def test_run_monitoring_marks_runs_whose_process_has_ended_as_failed_and_no_others(instance, dead):
    gone = started(instance, dead)
    others = [
        started(instance, Process.current()),
        started(instance, replace(dead, host="elsewhere")),
        started(instance, None),
    ]
    monitor(instance)
    assert instance.get_run_by_id(gone).status is FAILURE
    assert {instance.get_run_by_id(run_id).status for run_id in others} == {STARTED}
    texts = [entry.to_json() for entry in instance.all_logs(gone)]
    assert any(f"{dead} has ended" in text for text in texts)


def test_the_next_command_marks_dead_runs_as_failed_and_gives_their_places_back(instance, dead):
    gone, alive = started(instance, dead), started(instance, Process.current())
    storage = instance.event_log_storage
    storage.set_concurrency_slots("warehouse", 1)
    assert storage.claim_concurrency_slot("warehouse", gone, "step").is_claimed
    assert [run.run_id for run, _ in dead_runs(instance)] == [gone]
    assert close_dead_runs(instance) == [gone]
    assert instance.get_run_by_id(gone).status is FAILURE
    assert storage.claim_concurrency_slot("warehouse", alive, "step").is_claimed
    assert close_dead_runs(instance) == []


def test_a_re_execution_does_not_take_over_the_process_of_the_run_before(instance, dead):
    tags = process_tags("earlier")
    run = instance.add_run(dg.DagsterRun(job_name="job", status=STARTED, tags=tags))
    assert process_of(run) is None
    monitor(instance)
    assert instance.get_run_by_id(run.run_id).status is STARTED


def test_without_dagsters_internals_the_launcher_is_the_default_one(monkeypatch):
    assert launcher.RunLauncher is not dg.DefaultRunLauncher
    monkeypatch.setattr(compat, "usable", lambda part: part != "launcher")
    assert launcher.RunLauncher is dg.DefaultRunLauncher
    with pytest.raises(AttributeError):
        launcher.NoSuchLauncher  # noqa: B018


def test_this_repository_uses_the_same_launcher_as_new_projects():
    files = [ROOT / "dagster.yaml", TEMPLATES / "project/dagster.yaml"]
    sections = [file.read_text().partition("\nrun_launcher:")[2].partition("telemetry")[0]
                for file in files]  # fmt: skip
    assert sections[0] == sections[1] != ""
