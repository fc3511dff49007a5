import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.config import ConfigManager, Settings, read_settings
from xingu.errors import SettingsError
from xingu.masking import masked


@pytest.fixture
def environment(monkeypatch):
    """Sets variables of the environment."""

    def set_all(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


def test_a_placeholder_is_replaced_by_a_variable_or_by_the_default_of_a_setting(environment):
    environment(STAGE="prod", TRAINED_MODELS_PATH="s3://bucket-{%STAGE%}/{% PLOTS_PATH %}")
    assert Settings.load().models == "s3://bucket-prod/plots"


def test_placeholders_are_replaced_in_the_file_and_in_arguments_too(environment, project):
    (project / ".env").write_text("STAGE=prod\nPLOTS_PATH={% STAGE %}/plots\n")
    settings = Settings.load(models="{% STAGE %}/models", databases={"a": "sqlite:///{% STAGE %}"})
    assert (settings.plots, settings.models) == ("prod/plots", "prod/models")
    assert settings.databases["a"].get_secret_value() == "sqlite:///prod"


def test_placeholders_are_nested_in_values_and_in_placeholders(environment):
    environment(STAGE="PROD", HOST_PROD="{% NAME %}.example", NAME="db")
    environment(XINGU_DB_URL="postgresql://u@{% HOST_{% STAGE %} %}/x")
    assert Settings.load().control_db.get_secret_value() == "postgresql://u@db.example/x"


def test_a_value_can_be_quoted_for_a_url(environment):
    environment(
        PASSWORD_X="p@ss/w:rd é", XINGU_DB_URL="postgresql://u:{% QUOTED:PASSWORD_X %}@h/db"
    )
    url = Settings.load().control_db.get_secret_value()
    assert url == "postgresql://u:p%40ss%2Fw%3Ard%20%C3%A9@h/db"
    assert "p@ss/w:rd" not in masked("refused p@ss/w:rd é")


def test_the_home_of_a_project_may_have_a_placeholder(environment, project):
    (project / "a").mkdir()
    (project / "a" / ".env").write_text("PLOTS_PATH=of-a\n")
    environment(FOLDER="a", PROJECT_HOME="{% FOLDER %}")
    assert Settings.load().plots == "of-a"


def test_a_missing_name_is_an_error_with_the_way_that_led_to_it(environment):
    environment(XINGU_DB_URL="postgresql://u:s3cr3t@{% DB_HOST %}/x", DB_HOST="{% SERVER_X %}")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert str(caught.value) == (
        "Settings cannot be read: XINGU_DB_URL: SERVER_X is not set; set it in the environment or "
        "in .env (XINGU_DB_URL → DB_HOST → SERVER_X)."
    )


def test_a_cycle_is_an_error_that_shows_it(environment):
    environment(PLOTS_PATH="s3cr3t/{% A_X %}", A_X="{% B_X %}", B_X="{% A_X %}")
    with pytest.raises(SettingsError, match="PLOTS_PATH: .*cycle, A_X → B_X → A_X") as caught:
        Settings.load()
    assert "s3cr3t" not in str(caught.value)


def test_a_placeholder_that_is_not_closed_is_an_error(environment):
    environment(PLOTS_PATH="a/{% STAGE }/b")
    with pytest.raises(SettingsError, match="PLOTS_PATH: a placeholder is not closed"):
        Settings.load()


def test_all_invalid_settings_are_in_one_error_and_the_others_are_read(environment):
    environment(PLOTS_PATH="{% NOWHERE_X %}", SAVE_SETS="perhaps", XINGU_KEEP_VALUES="0")
    environment(TRAINED_MODELS_PATH="m")
    with pytest.raises(SettingsError) as caught:
        Settings.load(modles="m")
    expected = {"modles", "PLOTS_PATH", "SAVE_SETS", "XINGU_KEEP_VALUES"}
    assert set(caught.value.facts["problems"]) == expected
    assert all(name in str(caught.value) for name in expected)
    reading = read_settings()
    assert (reading.settings.models, reading.settings.keep_values) == ("m", 3)


@given(st.text(st.sampled_from("ab {}%|'\"\\")))
def test_a_value_is_not_changed_by_what_looks_like_a_part_of_a_placeholder(text):
    ConfigManager.set_cache("PART", text.replace("{%", ""))
    ConfigManager.set_cache("WHOLE", "<{% PART %}>")
    assert ConfigManager.get("WHOLE") == f"<{text.replace('{%', '')}>"


def test_placeholders_are_kept_on_request(environment):
    environment(OF_MY_OWN="{% NOWHERE_X %}")
    assert ConfigManager.get("OF_MY_OWN", resolve=False) == "{% NOWHERE_X %}"
