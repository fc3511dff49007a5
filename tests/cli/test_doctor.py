"""`xingu doctor`: what keeps a project from running."""

import json
import socket
import time
from dataclasses import replace

import dagster as dg
import pytest
from dagster_shared.error import SerializableErrorInfo

from tests.support.events import instance_of
from tests.support.ticks import ticked
from xingu.processes import Process
from xingu_dagster.engine.run_process import TAG

FAILED = SerializableErrorInfo("ValueError: no such town: 'Springfield'\n", [], "ValueError")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def started(instance, run_id, process):
    tags = {TAG: f"{run_id} {process.text}"}
    started = dg.DagsterRunStatus.STARTED
    instance.add_run(dg.DagsterRun("train", run_id=run_id, status=started, tags=tags))


def test_a_new_project_is_well(home, call):
    code, output, _ = call("doctor")
    assert code == 0
    assert output.startswith("All is well: looked at everything in ")


def test_what_keeps_a_project_from_running_is_found(home, call, monkeypatch):
    monkeypatch.setenv("TRAINED_MODEL_PATH", "elsewhere")
    with instance_of(home, "ours") as instance:
        ticked(instance, "xingu_retrain", 7300)
        ticked(instance, "xingu_alerts", 10, FAILED)
        this = Process.current()
        started(instance, "00000000-dead", replace(this, pid=4_000_000))
        started(instance, "11111111-here", this)
    code, output, _ = call("doctor", "--json", "--timeout", "60")
    document = json.loads(output)
    told = {one["subject"]: one["text"] for one in document["findings"]}
    assert (code, document["schema"], document["ok"]) == (1, "xingu.doctor/1", False)
    assert set(told) == {
        "daemon", "sensor 'xingu_retrain'", "sensor 'xingu_alerts'", "run 00000000", "settings",
    }  # fmt: skip
    assert "Dagster's daemon has never run" in told["daemon"]
    assert "has not ticked for 122 minutes" in told["sensor 'xingu_retrain'"]
    assert told["sensor 'xingu_alerts'"].endswith("ValueError: no such town: …")
    assert "4000000" in told["run 00000000"]
    assert "has ended. It blocks the queue" in told["run 00000000"]
    assert "Did you mean TRAINED_MODELS_PATH?" in told["settings"]


def test_what_hangs_is_reported_after_the_time_limit(home, call, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("XINGU_DB_URL", f"postgresql://u:hidden-9@127.0.0.1:{port}/x")
        began = time.monotonic()
        code, output, _ = call("doctor", "--timeout", "1")
    assert code == 1
    assert time.monotonic() - began < 10
    assert "no answer within 1 s" in output
    assert "hidden-9" not in output
