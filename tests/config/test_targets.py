"""Settings of the targets of deploys: chains, variables of single targets, and their errors."""

import boto3
import pytest

from tests.support.trains import write_train
from xingu.config import ConfigManager, Settings, aws
from xingu.config.deploy_fields import variable_of
from xingu.config.hints import notes_on
from xingu.errors import SettingsError
from xingu.workspace import Workspace


@pytest.fixture(autouse=True)
def chain(project, monkeypatch):
    """A chain of two targets, and a third target."""
    monkeypatch.setenv("DEPLOY_TARGETS", "staging, production; emea-staging")
    monkeypatch.setenv("TRAINED_MODELS_PATH__STAGING", "staging/models")
    monkeypatch.setenv("TRAINED_MODELS_PATH__EMEA_STAGING", "emea")


def notes() -> list[str]:
    return notes_on(ConfigManager.lookup())


def test_targets_form_chains_in_the_order_in_which_they_are_given():
    assert Settings.load().deploy_targets == (("staging", "production"), ("emea-staging",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a b", "is no name of a target"),
        ("a/b,c", "is no name of a target"),
        ("a-b,a_b", "the same target"),
        ("a;A", "the same target"),
        ("source", "no target may be called 'source'"),
    ],
)
def test_names_that_are_ambiguous_in_variables_are_refused(monkeypatch, text, problem):
    monkeypatch.setenv("DEPLOY_TARGETS", text)
    with pytest.raises(SettingsError, match=problem):
        Settings.load()


def test_a_variable_of_a_target_wins_over_that_of_the_project(monkeypatch):
    monkeypatch.setenv("DEPLOY_APPROVALS", "1")
    monkeypatch.setenv("DEPLOY_APPROVALS__EMEA_STAGING", "2")
    monkeypatch.setenv("DEPLOY_APPROVERS__STAGING", "ada, grace")
    settings = Settings.load()
    staging, emea = settings.target("staging"), settings.target("emea-staging")
    assert (staging.deploy_approvals, emea.deploy_approvals) == (1, 2)
    assert (staging.deploy_approvers, emea.deploy_approvers) == (("ada", "grace"), ())
    assert (staging.models, emea.models) == ("staging/models", "emea")


def test_a_target_without_storage_is_an_error_that_names_the_variable():
    with pytest.raises(SettingsError, match="TRAINED_MODELS_PATH__PRODUCTION: it is not set"):
        Settings.load().target("production")


def test_an_unknown_target_is_an_error_that_names_the_others():
    with pytest.raises(SettingsError, match="targets are staging, production, emea-staging"):
        Settings.load().target("staging2")


def test_all_errors_of_a_target_are_in_one_text_under_their_variables(monkeypatch):
    monkeypatch.setenv("DEPLOY_APPROVALS__PRODUCTION", "many")
    monkeypatch.setenv("XINGU_DB_URL__PRODUCTION", "{% NOWHERE_X %}")
    with pytest.raises(SettingsError) as caught:
        Settings.load().target("production")
    assert set(caught.value.facts["problems"]) == {
        variable_of(name, "production")
        for name in ("DEPLOY_APPROVALS", "XINGU_DB_URL", "TRAINED_MODELS_PATH")
    }


def test_placeholders_and_aws_are_read_when_the_target_is_used_only(monkeypatch, aws_url):
    monkeypatch.setenv("XINGU_DB_URL__STAGING", "postgresql://u:{% AWS_SECRET:pw %}@h/{% BASE %}")
    monkeypatch.setenv("BASE", "db")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    settings = Settings.load()
    aws.forget()
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    secrets = boto3.client("secretsmanager", endpoint_url=aws_url)
    secrets.create_secret(Name="pw", SecretString="tr0ub4dor")
    staging = settings.target("staging")
    assert staging.control_db.get_secret_value() == "postgresql://u:tr0ub4dor@h/db"
    assert "tr0ub4dor" not in repr(staging)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("XINGU_DB_URL__STAGIN", "Did you mean XINGU_DB_URL__STAGING?"),
        ("TRAINED_MODEL_PATH__EMEA_STAGING", "Did you mean TRAINED_MODELS_PATH__EMEA_STAGING?"),
        ("DEPLOY_APPROVALS__ELSEWHERE", "no setting of a target of DEPLOY_TARGETS"),
    ],
)
def test_misspelt_variables_of_targets_are_pointed_out(monkeypatch, name, meant):
    assert notes() == []
    monkeypatch.setenv(name, "1")
    [note] = notes()
    assert note.startswith(name)
    assert meant in note


def test_the_workspace_of_a_target_has_its_storage_and_no_pins_of_the_project(project):
    (project / "inventory.yaml").write_text("models: {houses: {train_id: old, pinned: true}}\n")
    workspace = Workspace(Settings.load())
    assert workspace.models.pinned("houses") == "old"
    for part, folder in (
        (workspace, "staging/models"),
        (workspace.below(("p",)), "staging/models/p"),
    ):
        target = part.target("staging")
        write_train(target.models, "houses", "new")
        assert target.models.current("houses") == "new"
        assert target.models.root == project / folder
        assert not target.has_control


def test_settings_that_are_given_read_no_environment():
    settings = Settings.given(deploy_targets="staging")
    with pytest.raises(SettingsError, match="does not read the environment"):
        settings.target("staging")
