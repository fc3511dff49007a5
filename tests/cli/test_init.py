"""`xingu init` writes a project that runs, completes one, and never changes a file."""

import os
import re
import resource
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from xingu.config import Settings
from xingu.errors import StorageError, StorageFullError
from xingu_dagster.scaffold import CI_FILES, write_project

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def toml(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text())


def test_a_new_project_has_all_that_its_commands_need(output_of, here):
    output = output_of("init", "my_project")
    written = files(here / "my_project")
    assert max(map(len, output.splitlines()[1:])) <= 80
    assert {line.split()[0] for line in output.splitlines() if line.startswith("  ")} >= {
        *written,
        "cd",
        "xingu",
    }
    assert set(written) == {
        ".env.example", ".gitignore", "Makefile", "README.md", "dagster.yaml",
        "data/apartments_for_sale.csv", "data/apartments_sold.csv",
        "dataproviders/apartments.py", "pyproject.toml", "workspace.yaml",
    }  # fmt: skip
    assert not [name for name, text in written.items() if b"@name@" in text or b"@loc" in text]


def test_the_instance_of_a_new_project_is_configured_as_the_demos(output_of, here):
    output_of("init", "my_project")
    ours, written = (
        yaml.safe_load((folder / "dagster.yaml").read_text())
        for folder in (ROOT, here / "my_project")
    )
    assert written == ours


def test_the_data_of_the_example_is_always_the_same(output_of, here):
    output_of("init", "my_project")
    data = files(here / "my_project" / "data")
    assert {name: sha256(text).hexdigest()[:12] for name, text in data.items()} == {
        "apartments_sold.csv": 'd531e162be5f', "apartments_for_sale.csv": 'acf752d6a0ff',
    }  # fmt: skip


def test_what_is_there_is_left_as_it_is_and_named(output_of, here):
    (here / "Makefile").mkdir()
    (here / "README.md").write_text("mine")
    output = output_of("init", ".")
    assert "Left as they were: Makefile, README.md\n" in output
    assert "  cd " not in output
    assert (here / "README.md").read_text() == "mine"
    assert (here / "dataproviders" / "apartments.py").exists()


def test_a_second_time_changes_nothing(output_of, here):
    output_of("init", ".", "--docker")
    before = files(here)
    assert output_of("init", ".", "--docker").startswith(f"Nothing is missing in {here}.\n")
    assert files(here) == before


def test_a_project_with_models_gets_no_example(output_of, here):
    (here / "dataproviders").mkdir()
    (here / "dataproviders" / "mine.py").write_text("")
    assert "The example was left out" in output_of("init", ".")
    assert not (here / "data").exists()
    assert [path.name for path in (here / "dataproviders").iterdir()] == ["mine.py"]


def test_what_files_that_are_kept_lack_is_said(output_of, here):
    (here / "pyproject.toml").write_text("[tool.dagster]\n")
    (here / ".gitignore").write_text(".env\n.venv\n/models\n")
    output = output_of("init", ".")
    assert "Note: pyproject.toml has no [tool.dg]" in output
    [lacking] = [line for line in output.splitlines() if ".gitignore lacks" in line]
    assert "/plots/" in lacking
    assert "models" not in lacking
    assert ".env" not in lacking


@pytest.mark.parametrize("name", ["my-project", "2nd try!", "日本", "xingu", "a.b", "Xingu_Core"])
def test_any_name_of_a_folder_gives_valid_names(here, name):
    made = write_project(here / "deep" / name)
    project = toml(made.folder)
    assert made.folder.name == name
    distribution = Requirement(project["project"]["name"]).name
    assert distribution not in {"xingu", "xingu-core", "dagster"}
    assert project["tool"]["dagster"]["code_location_name"] == made.location
    assert made.location.replace("_", "a").isalnum()


@pytest.mark.parametrize("exists", [False, True])
def test_a_full_disk_leaves_nothing_behind(here, exists):
    if exists:
        (here / "project").mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(StorageFullError):
            write_project(here / "project")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(here) == {}
    assert (here / "project").exists() == exists


def test_a_file_is_no_folder_for_a_project(here):
    (here / "project").write_text("mine")
    with pytest.raises(StorageError, match="is a file"):
        write_project(here / "project")


@pytest.mark.parametrize("ci", CI_FILES)
def test_a_workflow_runs_the_targets_of_the_makefile(output_of, here, ci):
    output_of("init", ".", "--ci", ci)
    text = (here / CI_FILES[ci][0]).read_text()
    assert text.index("pip install .") < text.index("make check") < text.index("make train")
    assert ci == "jenkins" or yaml.safe_load(text)["jobs" if ci == "github" else "train"]


def test_the_makefile_runs_the_command(output_of, here):
    output_of("init", ".")
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", "train", "ui"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["xingu train", "xingu ui"]


def test_a_dockerfile_is_written_on_request(output_of, here):
    output_of("init", ".", "--docker")
    assert "pip install" in (here / "Dockerfile").read_text()
    assert ".env" in (here / ".dockerignore").read_text().splitlines()


def test_the_example_of_settings_names_settings(output_of, here):
    output_of("init", ".")
    named = re.findall(r"^# ([A-Z_]+)=", (here / ".env.example").read_text(), re.MULTILINE)
    assert named
    assert set(named) <= {field.alias for field in Settings.model_fields.values()}


def test_dg_loads_a_new_project(output_of, here):
    output_of("init", "my_project")
    project = here / "my_project"
    done = subprocess.run(
        [sys.executable, "-m", "dagster_dg_cli.cli", "check", "defs"],
        cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(project)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "All definitions loaded successfully" in done.stdout, done.stdout + done.stderr
