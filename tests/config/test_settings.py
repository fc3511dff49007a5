import pytest

from xingu.config import Settings
from xingu.errors import SettingsError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for field in Settings.model_fields.values():
        monkeypatch.delenv(field.alias, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("TRAINED_MODELS_PATH=from-file\nPLOTS_PATH=from-file\n")
    monkeypatch.setenv("PLOTS_PATH", "from-environment")
    settings = Settings.load()
    assert (settings.models, settings.plots, settings.values) == (
        "from-file",
        "from-environment",
        ".xingu/values",
    )


def test_databases_are_pairs_of_nickname_and_url(monkeypatch):
    monkeypatch.setenv("DATABASES", "a|sqlite:///a.db| b | postgresql://u:secret@h/db")
    urls = Settings.load().databases
    assert {nick: url.get_secret_value() for nick, url in urls.items()} == {
        "a": "sqlite:///a.db",
        "b": "postgresql://u:secret@h/db",
    }


def test_passwords_are_not_shown(monkeypatch):
    monkeypatch.setenv("DATABASES", "b|postgresql://u:secret@h/db")
    monkeypatch.setenv("XINGU_DB_URL", "postgresql://u:secret@h/control")
    assert "secret" not in repr(Settings.load())


def test_an_odd_list_of_databases_is_an_error_without_its_content(monkeypatch):
    monkeypatch.setenv("DATABASES", "b|postgresql://u:secret@h/db|c")
    with pytest.raises(SettingsError, match=r"DATABASES: .*3 parts; write pairs") as caught:
        Settings.load()
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_value_that_is_none_of_those_allowed_names_the_variable(monkeypatch):
    monkeypatch.setenv("XINGU_EXECUTOR", "fastest")
    with pytest.raises(SettingsError, match="XINGU_EXECUTOR: .*'pool', 'in_process'"):
        Settings.load()


def test_relative_folders_are_below_the_projects_home(monkeypatch, tmp_path):
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path / "project"))
    settings = Settings.load()
    assert str(settings.place("models")) == str(tmp_path / "project" / "models")
    assert str(settings.place("/elsewhere/models")) == "/elsewhere/models"
    assert str(settings.place("s3://bucket/models")) == "s3://bucket/models"


def test_the_control_db_is_a_source_called_xingu(monkeypatch):
    monkeypatch.setenv("XINGU_DB_URL", "sqlite:///control.db")
    assert Settings.load().source_databases()["xingu"].get_secret_value() == "sqlite:///control.db"
