"""A broken file is an asset that says why; validation of the definitions refuses it."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from tests.support.toys import write_database
from xingu import Coach
from xingu.config import Settings
from xingu.errors import DeclarationError
from xingu_dagster.project import build_definitions

ROOT = Path(__file__).parents[2]
MODULE = "xingu_dagster.definitions"

HOUSES = "from tests.support.toys import Houses\n\nclass Homes(Houses):\n    id = 'homes'\n"
UNDECLARED = (
    "from tests.support.toys import Houses\n\nclass Bad(Houses):\n    id = 'bad'\n"
    "    quality_gates = {'test': {'R2': 'high'}}\n"
)


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "dataproviders_x"
    folder.mkdir()
    write_database(tmp_path / "houses.db")
    (folder / "homes.py").write_text(HOUSES)
    (folder / "bad.py").write_text("import nothing_like_this\n")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("dataproviders_x")]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if path != str(tmp_path)]


def settings(home):
    return {
        "project_home": home,
        "dataproviders_folder": "dataproviders_x",
        "databases": {"db": f"sqlite:///{home / 'houses.db'}"},
        "executor": "in_process",
    }


def test_a_broken_file_is_an_asset_whose_materialization_says_why(home):
    (home / "dataproviders_x" / "undeclared.py").write_text(UNDECLARED)
    definitions = build_definitions(Settings.load(**settings(home)))
    graph = definitions.resolve_asset_graph()
    broken = graph.asset_keys_for_group("broken")
    assert {key.path[-1] for key in broken} == {"bad", "dataproviders_x_bad"}
    assert dg.AssetKey(["homes", "model"]) in graph.materializable_asset_keys
    key = dg.AssetKey(["broken", "dataproviders_x_bad"])
    assert "No module named 'nothing_like_this'" in str(graph.get(key).description)
    job = definitions.resolve_implicit_global_asset_job_def()
    with pytest.raises(DeclarationError, match=r"bad\.py cannot be imported"):
        job.execute_in_process(asset_selection=[key])


def test_validation_of_the_definitions_refuses_it(home, monkeypatch):
    (home / "dataproviders_x" / "undeclared.py").write_text(UNDECLARED)
    monkeypatch.setenv("DAGSTER_IS_DEFS_VALIDATION_CLI", "1")
    with pytest.raises(DeclarationError, match=r"bad\.py cannot be imported.*\nbad\.quality_gates"):
        build_definitions(Settings.load(**settings(home)))


def test_the_command_that_validates_fails_and_names_the_file(home):
    done = subprocess.run(
        [*f"{sys.executable} -m dagster definitions validate -m".split(), MODULE],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DATAPROVIDER_FOLDER": "dataproviders_x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "bad.py cannot be imported" in done.stdout + done.stderr


def test_a_coach_trains_the_others_and_then_says_what_it_could_not(home):
    instance = dg.DagsterInstance.ephemeral()
    coach = Coach(instance=instance, progress=False, post_process=False, **settings(home))
    assert list(coach.team_train(["homes"])) == ["homes"]
    with pytest.raises(DeclarationError, match=r"bad\.py cannot be imported"):
        coach.team_train()
    assert list(coach.trained) == ["homes"]
