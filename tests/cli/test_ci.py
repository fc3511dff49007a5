"""The commands of the workflow files that `xingu init --ci` writes, as they stand in the files."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from xingu_dagster.scaffold import CI_FILES, write_project

ELSEWHERE = ("pip install", "make deploy", "git config")
"""Commands that need a network, a target, or change the user's configuration of git."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return write_project(tmp_path_factory.mktemp("ci") / "flats", "github").folder


def commands(project: Path, job: str) -> list[str]:
    steps = yaml.safe_load((project / CI_FILES["github"][0]).read_text())["jobs"][job]["steps"]
    found = [step["run"].strip() for step in steps if "run" in step]
    return [one for one in found if not one.startswith(ELSEWHERE)]


def test_a_merge_trains_and_a_pull_request_trains_what_it_changes(project):
    edit = 'sed -i \'s/"num_leaves": 15/"num_leaves": 9/\' dataproviders/apartments.py'
    pull_request = commands(project, "try")
    merge = [one for one in commands(project, "train") if one not in pull_request]
    script = ["set -e", *merge, edit, *pull_request]
    summary = project / "summary.md"
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(summary), "TRAINED_MODELS_PATH": "models",
        "TRAINED_MODELS_PATH__STAGING": "models", "BATCH_PREDICT": "false",
        "XINGU_EXECUTOR": "in_process", "XINGU_VERIFY_PACKAGES": "false", "COLUMNS": "80",
    }  # fmt: skip
    done = subprocess.run(
        ["sh", "-c", "\n".join(script)],
        cwd=project, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "apartment_price: its code differs from that of" in done.stdout
    text = summary.read_text()
    assert "samples of at most 20,000 rows of each source" in text
    assert re.search(r"\| test \| R2 \| [\d.]+ \| [\d.]+ \|", text)


@pytest.mark.parametrize("ci", CI_FILES)
def test_every_service_calls_the_same_commands(tmp_path, ci):
    folder = write_project(tmp_path / "flats", ci).folder
    text = (folder / CI_FILES[ci][0]).read_text()
    called = re.findall(r"make (\w+)", text)
    wanted = {"check", "try", "summary", "train", "deploy"}
    assert set(called) == wanted
    targets = re.findall(r"^(\w+):", (folder / "Makefile").read_text(), re.MULTILINE)
    assert wanted <= set(targets)
