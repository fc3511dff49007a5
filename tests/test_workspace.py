"""The composition root: stores, databases and folders that follow from the settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from upath import UPath

from tests.support.fitted import fit_model
from tests.support.toys import Houses, write_database
from xingu import Model
from xingu.config import Settings
from xingu.errors import ControlDbError, SettingsError
from xingu.records import TrainRun
from xingu.tracking.record import record_step
from xingu.workspace import Workspace

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty project, which the settings lead to; no other setting is made."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path / "project"))
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def workspace(**settings) -> Workspace:
    return Workspace(Settings.load(**settings))


def test_relative_folders_are_below_the_project_wherever_the_process_runs(home, monkeypatch):
    monkeypatch.chdir(home.parent)
    place = workspace(datasource_cache="cache")
    assert place.home == home
    assert (place.models.root, place.values.root) == (home / "models", home / ".xingu/values")
    assert place.plot_folders == (home / "plots", home / ".xingu/plots")
    assert place.cache_folder == UPath(home / "cache")


def test_absolute_folders_and_urls_stay_as_they_are(tmp_path):
    place = workspace(models=str(tmp_path / "m"), plots="s3://bucket/plots", values="memory://v")
    assert place.models.root == UPath(tmp_path / "m")
    assert str(place.plots) == "s3://bucket/plots"
    assert str(place.values.root).startswith("memory://")


def test_without_a_cache_folder_nothing_is_cached():
    assert workspace().cache_folder is None


def test_a_workspace_that_is_only_made_touches_no_disk(home):
    place = workspace(datasource_cache="cache")
    assert [place.models, place.values, place.databases, place.control, place.cache()]
    assert list(home.iterdir()) == []


def test_stores_are_made_once():
    place = workspace()
    assert place.models is place.models
    assert place.values is place.values
    assert place.databases is place.databases
    assert place.control is place.control


def test_models_are_loaded_with_the_class_that_was_asked_for(home):
    class OwnModel(Model):
        pass

    fit_model(Houses).save(home / "models")
    place = Workspace(Settings.load(), OwnModel)
    assert type(place.models.load("houses", place.models.find("houses"))) is OwnModel


def test_the_inventory_file_of_the_project_pins_trains(home):
    fit_model(Houses).save(home / "models")
    fit_model(Houses, ("new-owl", "late-noon")).save(home / "models")
    assert workspace().models.find("houses") == "new-owl"
    pins = {"models": {"houses": {"train_id": "calm-fox", "pinned": True}}}
    (home / "inventory.yaml").write_text(yaml.safe_dump(pins))
    assert workspace().models.find("houses") == "calm-fox"


def test_a_damaged_inventory_file_stops_whoever_wants_models_and_nobody_else(home):
    (home / "inventory.yaml").write_text("models: [")
    place = workspace()
    assert place.values.root == UPath(home / ".xingu/values")
    with pytest.raises(SettingsError, match=r"inventory\.yaml cannot be read"):
        _ = place.models


def test_the_control_db_is_the_database_called_xingu(home):
    place = workspace(databases={"db": write_database(home.parent / "houses.db")})
    run = TrainRun("houses", "calm-fox", "brave-day", "run-1")
    record_step(place.control, run, "train_fit_start")
    assert (home / ".xingu/control.db").is_file()
    assert place.databases.address("xingu") == place.control.address
    assert "houses.db" in place.databases.address("db")


def test_the_control_db_has_the_prefix_of_the_settings(home):
    place = workspace(table_prefix="acme_")
    record_step(place.control, TrainRun("houses", "t", "s", "r"), "train_fit_start")
    with place.control.read() as connection:
        statement = "SELECT status FROM acme_training_steps"
        assert connection.exec_driver_sql(statement).scalar() == "train_fit_start"


def test_a_control_db_that_nobody_wrote_is_an_error_that_names_it():
    place = workspace(control_db="sqlite:///elsewhere/control.db")
    with pytest.raises(ControlDbError, match=r"elsewhere/control\.db"), place.control.read():
        pass


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        ({}, "source_workers", 0),
        ({"datasource_workers": 3}, "source_workers", 3),
        ({"hyperopt_workers": 2}, "hyperopt_workers", 2),
        ({}, "picture_formats", ()),
        ({"plots_format": "png,html,svg"}, "picture_formats", ("png", "svg")),
    ],
)
def test_phases_receive_settings_as_values(settings, name, value):
    assert getattr(workspace(**settings), name) == value


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        ({"train_session_id": "brave-day"}, "train_session_id", "brave-day"),
        ({}, "train_session_id", ""),
        ({"preferred_trains": "a, b"}, "pre_req_train_or_session_ids", ("a", "b")),
        ({}, "save_sets", True),
        ({"save_sets": False}, "save_sets", False),
        ({}, "batch_predict_save_estimations", False),
        ({"save_estimations": True}, "batch_predict_save_estimations", True),
        ({"hyperopt_strategy": "self"}, "hyperopt_strategy", "self"),
    ],
)
def test_settings_are_the_options_of_a_run_that_gives_none(settings, name, value):
    assert getattr(workspace(**settings).options, name) == value


def test_a_workspace_of_models_alone_imports_no_database(home):
    code = (
        "import sys; from xingu.config import Settings; from xingu.workspace import Workspace; "
        "Workspace(Settings.load()).models.dataproviders(); "
        "print([n for n in ('sqlalchemy', 'duckdb', 'plotly', 'dagster') if n in sys.modules])"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PROJECT_HOME": str(home)}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.stdout == "[]\n", ended.stderr


def test_user_machine_and_ci_job_of_a_train_are_those_of_the_settings(home, monkeypatch):
    (home / ".env").write_text("USERNAME=ana\nHOSTNAME=box\n")
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    monkeypatch.setenv("GITHUB_WORKFLOW", "")
    known = workspace().provenance
    assert (known.user_name, known.host_name) == ("ana", "box")
    assert known.ci == {"github_run_id": "77"}


def test_an_address_that_cannot_be_used_leaves_no_channels_and_a_warning(caplog):
    workspace = Workspace(Settings.load(alert_urls="nosuch://host"))
    assert workspace.usable_alerts.channels == ()
    assert "No alerts are sent" in caplog.text
