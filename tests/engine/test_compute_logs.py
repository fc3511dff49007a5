"""Tests that the output of steps is kept in a file, also if a step is killed, and is printed."""

import os
import signal
import subprocess
import sys

import pytest

from xingu_dagster.engine.compute_logs import ComputeLogManager

PRINTING = """
import os, signal, subprocess, sys
from xingu_dagster.engine.compute_logs import ComputeLogManager

with ComputeLogManager(sys.argv[1]).capture_logs(["run", "step"]):
    print("from python")
    print("an error", file=sys.stderr)
    subprocess.run(["echo", "from a child"], check=True)
    sys.stdout.flush()
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
print("afterwards")
"""


def printed(folder, how: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", PRINTING, str(folder), how]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def kept(folder):
    data = ComputeLogManager(str(folder)).get_log_data(["run", "step"])
    return (data.stdout or b"").decode(), (data.stderr or b"").decode()


def test_output_of_a_step_and_its_children_is_in_the_file_and_on_the_terminal(tmp_path):
    done = printed(tmp_path, "whole")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == ["from python", "from a child", "afterwards"]
    assert done.stderr == "an error\n"
    assert kept(tmp_path) == ("from python\nfrom a child\n", "an error\n")
    assert ComputeLogManager(str(tmp_path)).is_capture_complete(["run", "step"])


def test_a_killed_step_loses_nothing_of_what_it_printed(tmp_path):
    assert printed(tmp_path, "killed").returncode == -signal.SIGKILL
    assert kept(tmp_path) == ("from python\nfrom a child\n", "an error\n")
    assert not ComputeLogManager(str(tmp_path)).is_capture_complete(["run", "step"])


def test_no_process_is_started_to_show_it(tmp_path):
    def children():
        return subprocess.run(
            ["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, text=True
        ).stdout.split()

    before = children()
    with ComputeLogManager(str(tmp_path)).capture_logs(["run", "step"]):
        assert children() == before


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_streams_that_are_no_files_stay_as_they_are(tmp_path, stream, monkeypatch):
    import io

    text = io.StringIO()
    monkeypatch.setattr(sys, stream, text)
    with ComputeLogManager(str(tmp_path)).capture_logs(["run", "step"]):
        print("to a notebook", file=getattr(sys, stream))
    assert text.getvalue() == "to a notebook\n"
