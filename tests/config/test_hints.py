import logging

import pytest

from xingu.config import Settings, settings
from xingu.config.hints import VARIABLES, misspelt

USUAL = {
    "PATH", "HOME", "USER", "LOGNAME", "HOST", "LANG", "SHELL", "PWD", "DATABASE_URL", "PYTHONPATH",
    "GITHUB_ACTOR_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_WORKFLOW_REF", "AWS_SECRET_ACCESS_KEY", "CI",
    "DAGSTER_HOME", "DEBUGINFOD_URLS", "XINGU_ENGINE", "XINGU_VERIFIER", "VIRTUAL_ENV", "HOSTTYPE",
    "XINGU_DB_URL__STAGING", "TRAINED_MODELS_PATH__PRODUCTION", "DVC", "DVC_TRAINED_MODELS_PATH",
}  # fmt: skip


def test_usual_variables_and_settings_are_not_taken_for_misspelt():
    assert misspelt(frozenset(USUAL | VARIABLES)) == {}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TRAINED_MODEL_PATH", "TRAINED_MODELS_PATH"),
        ("DATABASE", "DATABASES"),
        ("XINGU_DB", "XINGU_DB_URL"),
        ("DATAPROVIDERS_FOLDER", "DATAPROVIDER_FOLDER"),
        ("hyperopt_strategy", "HYPEROPT_STRATEGY"),
        ("PARALLEL_TRAINS_MAX_WORKERS", "PARALLEL_TRAIN_MAX_WORKERS"),
    ],
)
def test_a_name_that_is_close_to_a_setting_is_pointed_out(name, meant):
    assert misspelt(frozenset({name})) == {name: meant}


def test_a_process_warns_once_of_each_misspelt_name_and_of_dvc(monkeypatch, project, caplog):
    settings._warn_once.cache_clear()
    (project / ".env").write_text("TRAINED_MODEL_PATH=x\n")
    monkeypatch.setenv("DVC_TRAINED_MODELS_PATH", "y")
    monkeypatch.setenv("DVC_QUERY_CACHE_PATH", "y")
    with caplog.at_level(logging.WARNING):
        Settings.load()
        Settings.load()
    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == [
        "TRAINED_MODEL_PATH",
        "DVC_QUERY_CACHE_PATH,",
    ]
    settings._warn_once.cache_clear()
