import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu import ConfigManager
from xingu.config import Settings
from xingu.errors import SettingsError


@pytest.fixture
def environment(monkeypatch):
    """Sets variables of the environment."""

    def set_all(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


def test_the_program_wins_over_the_environment_the_file_and_the_default(environment, project):
    assert ConfigManager.get("PLOTS_PATH") == "plots"
    (project / ".env").write_text("PLOTS_PATH=from-file\n")
    assert ConfigManager.get("PLOTS_PATH") == "from-file"
    environment(PLOTS_PATH="from-environment")
    assert ConfigManager.get("PLOTS_PATH") == "from-environment"
    ConfigManager.set("PLOTS_PATH", "from-program")
    assert ConfigManager.get("PLOTS_PATH") == "from-program"
    assert Settings.load().plots == "from-program"
    assert Settings.load(plots="from-argument").plots == "from-argument"


def test_the_class_and_its_instances_do_the_same(environment):
    environment(OF_MY_OWN="x")
    assert ConfigManager().get("OF_MY_OWN") == ConfigManager.get("OF_MY_OWN") == "x"


def test_a_name_that_is_not_set_has_the_default_of_the_caller():
    assert ConfigManager.get("OF_MY_OWN", None) is None
    assert ConfigManager.get("OF_MY_OWN", default="7", cast=int) == 7
    assert ConfigManager.get("PLOTS_PATH", "mine") == "mine"


def test_a_name_that_is_not_set_and_has_no_default_is_an_error_that_names_it():
    with pytest.raises(SettingsError, match=r"^PLOTZ_PATH: it is not set.*mean 'PLOTS_PATH'"):
        ConfigManager.get("PLOTZ_PATH")


@pytest.mark.parametrize("text", ["true", "YES", "1", "On", " tRuE "])
def test_what_means_true(environment, text):
    environment(SWITCH=text)
    assert ConfigManager.get("SWITCH", cast=bool) is True


@pytest.mark.parametrize("text", ["false", "NO", "0", "oFF"])
def test_what_means_false(environment, text):
    environment(SWITCH=text)
    assert ConfigManager.get("SWITCH", cast=bool) is False


@settings(max_examples=30)
@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_everything_else_is_no_truth_value_and_is_not_shown(text):
    ConfigManager.set_cache("SWITCH", f"?{text}")
    with pytest.raises(SettingsError) as caught:
        ConfigManager.get("SWITCH", cast=bool)
    assert str(caught.value) == "SWITCH: it must be true, false, yes, no, 1, 0, on or off."
    assert caught.value.__cause__ is None


def test_a_setting_accepts_the_same_truth_values(environment):
    environment(SAVE_SETS="Off", TRAIN="ON")
    assert (Settings.load().save_sets, Settings.load().train) == (False, True)


@pytest.mark.parametrize(
    ("cast", "expected"),
    [(int, "a whole number"), (float, "a number"), (json.loads, "what loads accepts")],
)
def test_a_value_that_cannot_be_converted_is_not_shown(environment, cast, expected):
    environment(OF_MY_OWN="tr0ub4dor")
    with pytest.raises(SettingsError, match=f"^OF_MY_OWN: it must be {expected}.$"):
        ConfigManager.get("OF_MY_OWN", cast=cast)


def test_variables_are_set_for_processes_that_this_one_starts(monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    ConfigManager.set({"PLOTS_PATH": "p", "SAVE_SETS": False})
    ConfigManager.set(["ONE", "TWO"], 1)
    ask = "import os; print(*map(os.environ.get, ('PLOTS_PATH', 'SAVE_SETS', 'ONE', 'TWO')))"
    answer = subprocess.run([sys.executable, "-c", ask], env=os.environ, capture_output=True)
    assert answer.stdout.decode().split() == ["p", "false", "1", "1"]
    assert ConfigManager.get("ONE") == 1
    ConfigManager.set("ONE")
    assert "ONE" not in os.environ
    assert ConfigManager.get("ONE", None) is None


def test_another_file_can_be_read_in_place_of_the_projects_own(project):
    (project / ".env").write_text("PLOTS_PATH=own\n")
    (project / "other.env").write_text("PLOTS_PATH=other\n")
    ConfigManager(project / "other.env")
    assert ConfigManager.get("PLOTS_PATH") == Settings.load().plots == "other"
    with pytest.raises(SettingsError, match="no file .*missing.env"):
        ConfigManager("missing.env")


def test_settings_of_a_constructor_are_read_from_nowhere_else(environment):
    environment(PLOTS_PATH="from-environment")
    assert Settings(models="m").plots == "plots"
