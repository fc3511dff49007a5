"""The environment overrides `.env` under Dagster's commands too, which write the file over it."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.support.shop import ROOT
from xingu_dagster.engine import environment
from xingu_dagster.engine.environment import restore_environment

PROBE = """
import os
from pathlib import Path
from xingu.config import Settings

settings = Settings.load()
Path("seen").write_text(" ".join([os.environ["PLOTS_PATH"], settings.plots, settings.models]))
"""
VALIDATE = ["-m", "dagster", "definitions", "validate", "-m", "xingu_dagster.definitions"]
FROM_A_PARENT = f"""
import subprocess, sys
from dagster._cli.utils import get_possibly_temporary_instance_for_cli

with get_possibly_temporary_instance_for_cli():  # as `dagster dev` starts its servers
    subprocess.run([sys.executable, *{VALIDATE}], check=True)
"""


@pytest.fixture
def project(tmp_path):
    """A project whose only file of DataProviders writes down the settings that it sees."""
    (tmp_path / "dataproviders").mkdir()
    (tmp_path / "dataproviders" / "probe.py").write_text(PROBE)
    (tmp_path / ".env").write_text("PLOTS_PATH=from-file\nTRAINED_MODELS_PATH=of-file\n")
    shutil.copyfile(ROOT / "dagster.yaml", tmp_path / "dagster.yaml")
    return tmp_path


@pytest.mark.parametrize("command", [VALIDATE, ["-c", FROM_A_PARENT]], ids=["itself", "server"])
def test_a_command_of_dagster_sees_the_environment_that_it_was_started_with(project, command):
    variables = {"PLOTS_PATH": "from-environment", "DAGSTER_HOME": str(project)}
    inherited = {name: value for name, value in os.environ.items() if name != "PROJECT_HOME"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env={**inherited, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
    )
    assert (project / "seen").read_text() == "from-environment from-environment of-file", done


@pytest.fixture
def replaced(tmp_path, monkeypatch):
    """Pretends that `.env` has replaced a variable that the process was started with."""

    def replace(name, now="from-file", started="from-environment"):
        (tmp_path / ".env").write_text(f"{name}=from-file\n")
        (tmp_path / "started").write_bytes(f"{name}={started}\0LAST=x\0".encode())
        monkeypatch.setattr(environment, "STARTED_WITH", tmp_path / "started")
        monkeypatch.setenv(name, now)
        monkeypatch.chdir(tmp_path)
        restore_environment()
        return os.environ[name]

    return replace


def test_what_a_program_has_set_itself_is_kept(replaced):
    assert replaced("PLOTS_PATH") == "from-environment"
    assert replaced("PLOTS_PATH", now="from-program") == "from-program"


def test_the_instance_stays_the_one_that_dagster_has_chosen(replaced):
    assert replaced("DAGSTER_HOME") == "from-file"


def test_a_system_without_the_file_keeps_what_dagster_has_set(replaced, tmp_path, monkeypatch):
    assert replaced("PLOTS_PATH") == "from-environment"
    monkeypatch.setattr(environment, "STARTED_WITH", tmp_path / "nowhere")
    monkeypatch.setenv("PLOTS_PATH", "from-file")
    restore_environment()
    assert os.environ["PLOTS_PATH"] == "from-file"
