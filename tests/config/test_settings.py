import pytest

from xingu.config import Settings
from xingu.errors import SettingsError


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


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("DATAPROVIDER_LIST", " a, b ,,", "dataproviders", ("a", "b")),
        ("DATAPROVIDER_LIST", "", "dataproviders", ()),
        ("PRE_REQ_TRAIN_OR_SESSION_IDS", "one", "preferred_trains", ("one",)),
        ("PLOTS_FORMAT", "html,png", "plots_format", ("html", "png")),
        ("DATABASES", "  ", "databases", {}),
        ("SAVE_SETS", "false", "save_sets", False),
        ("XINGU_KEEP_VALUES", "1", "keep_values", 1),
    ],
)
def test_a_variable_is_parsed(monkeypatch, variable, value, field, expected):
    monkeypatch.setenv(variable, value)
    assert getattr(Settings.load(), field) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("XINGU_KEEP_VALUES", "0"),
        ("PARALLEL_DATASOURCE_MAX_WORKERS", "-1"),
        ("PLOTS_FORMAT", "gif"),
        ("XINGU_DB_TABLE_PREFIX", "a; DROP TABLE"),
        ("SAVE_SETS", "perhaps"),
        ("DATABASES", "postgresql://u:secret@h/db|nick"),
        ("DATABASES", "nick|secret"),
        ("DATABASES", "a|sqlite://|a|sqlite://"),
    ],
)
def test_a_value_out_of_range_is_an_error_that_names_the_variable(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"^Settings cannot be read: {variable}") as caught:
        Settings.load()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_variable_leaves_the_default(monkeypatch, tmp_path, value):
    (tmp_path / ".env").write_text("PLOTS_PATH=drawn\n")
    for field in Settings.model_fields.values():
        monkeypatch.setenv(str(field.alias), value)
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path))
    assert Settings.load() == Settings(project_home=tmp_path)


def test_a_file_that_is_no_utf_8_is_named_with_its_line(monkeypatch, tmp_path):
    (tmp_path / ".env").write_bytes(b"A=1\nPLOTS_PATH=gr\xe1ficos\n")
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match=r"\.env, line 2: .*UTF-8"):
        Settings.load()


def test_arguments_override_the_environment(monkeypatch):
    monkeypatch.setenv("PLOTS_PATH", "from-environment")
    assert Settings.load(plots="from-argument").plots == "from-argument"


def test_the_file_of_settings_is_in_the_projects_home(monkeypatch, tmp_path):
    home = tmp_path / "project"
    home.mkdir()
    (home / ".env").write_text("PLOTS_PATH=from-home\n")
    assert Settings.load(project_home=home).plots == "from-home"
    monkeypatch.setenv("PROJECT_HOME", str(home))
    assert Settings.load().plots == "from-home"


def test_a_setting_is_returned_by_the_name_of_its_variable(monkeypatch):
    monkeypatch.setenv("XINGU_KEEP_VALUES", "7")
    monkeypatch.setenv("OF_MY_OWN", "x")
    settings = Settings.load()
    assert settings.get("XINGU_KEEP_VALUES") == 7
    assert settings.get("OF_MY_OWN") == "x"
    assert settings.get("NOT_SET", "default") == "default"


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().plots = "other"  # type: ignore[misc]
