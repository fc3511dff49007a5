import os
import subprocess
import sys
from dataclasses import replace

import pytest

from xingu import processes
from xingu.processes import Process

SLEEP = "import sys, time; print('x', flush=True); time.sleep(60)"


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE) as process:
        process.stdout.read(1)
        yield process
        process.kill()


def test_this_process_runs_and_survives_a_round_trip_as_text():
    process = Process.current()
    assert process.pid == os.getpid()
    assert process.state == "running"
    assert Process.parse(process.text) == process
    assert Process.parse("") is Process.parse(None) is Process.parse('{"pid": 1}') is None


@pytest.mark.parametrize("proc", [True, False], ids=["proc", "ps"])
def test_a_process_that_was_killed_has_ended_even_before_its_parent_collects_it(
    sleeper, monkeypatch, tmp_path, proc
):
    if not proc:  # as on macOS
        monkeypatch.setattr(processes, "_PROC", tmp_path)
    started = processes._started(sleeper.pid)
    process = replace(Process.current(), pid=sleeper.pid, started=started)
    assert process.state == "running"
    sleeper.kill()
    if not proc:
        sleeper.wait()
    else:
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert process.state == "ended"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"started": "1"}, "ended"),
        ({"boot": "another"}, "ended"),
        ({"host": "elsewhere"}, "unknown"),
        ({"space": "container"}, "unknown"),
        ({"started": ""}, "unknown"),
    ],
    ids=["same id", "restarted", "machine", "container", "no start time"],
)
def test_the_state_of_another_process_with_this_id(change, state):
    assert replace(Process.current(), **change).state == state
