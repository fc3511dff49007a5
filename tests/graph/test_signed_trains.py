"""A project with SIGNING_KEY signs each train when it is saved, and the verdict of its checks."""

import json

import pytest
from click.testing import CliRunner

from tests.support.keys import write_keys
from tests.support.project import Project
from tests.support.toys import Houses
from xingu import Model
from xingu.errors import SettingsError, SignatureError
from xingu.registry.manifest import SIGNATURE
from xingu.registry.signing import verify_verdict
from xingu.workspace import Workspace
from xingu_dagster.cli.main import xingu


class Bad(Houses):
    """A train that misses its gate."""

    id = "bad"
    quality_gates = {"test": {"R2": (">=", 2.0)}}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("signed")


@pytest.fixture(scope="module")
def ours(home):
    return write_keys(home, "ours", password=b"sesame-street")


@pytest.fixture(scope="module")
def theirs(home):
    return write_keys(home, "theirs")


@pytest.fixture(scope="module")
def project(home, ours):
    keys = {"signing_key": "ours.pem", "signing_key_password": "sesame-street"}
    project = Project(home, [Houses, Bad], {**keys, "trusted_keys": "ours.pub.pem"})
    assets = ("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model",
              "trainset_estimations", "trainset_metrics")  # fmt: skip
    names = [f"{one.id}/{asset}" for one in project.providers for asset in assets]
    project.run(*names, raise_on_error=False)
    return project


@pytest.fixture
def command(home, monkeypatch):
    def run(*arguments, **environment):
        for name, value in {"PROJECT_HOME": home, **environment}.items():
            monkeypatch.setenv(name, str(value))
        return CliRunner().invoke(xingu, ["inventory", *arguments])

    return run


def current(project):
    return project.models.current("houses")


def test_a_train_is_signed_and_so_is_the_verdict_of_its_checks(project):
    package = project.models.package("houses", current(project))
    verdict = verify_verdict(package, Workspace(project.config).keys.trusted)
    assert verdict.accepted
    assert verdict.passed
    assert not verdict.failed
    assert (package / SIGNATURE).exists()


def test_the_verdict_of_a_refused_train_names_the_failed_check(project):
    [train] = project.models.trains("bad")
    package = project.models.package("bad", train)
    verdict = verify_verdict(package, Workspace(project.config).keys.trusted)
    assert not verdict.accepted
    assert any("quality_gates" in name for name in verdict.failed)


def test_model_load_verifies_against_the_keys_of_the_environment(
    project, home, ours, theirs, monkeypatch
):
    monkeypatch.setenv("XINGU_TRUSTED_KEYS", str(ours.public))
    assert Model.load("houses", path=home / "models").signer.startswith("ours.pub.pem")
    monkeypatch.setenv("XINGU_TRUSTED_KEYS", str(theirs.public))
    with pytest.raises(SignatureError, match="no trusted key"):
        Model.load("houses", path=home / "models")


def test_the_command_shows_signer_and_verdict_of_current_trains(project, command, ours):
    done = command("verify", "--json", "--trusted-keys", str(ours.public))
    assert done.exit_code == 0, done.output
    [one] = json.loads(done.output)["trains"]
    assert (one["train_id"], one["signature"], one["verdict"]) == (
        *(current(project), "valid", "passed"),
    )
    assert one["signer"].startswith("ours.pub.pem")


def test_the_command_fails_and_says_which_train_is_not_signed_by_a_trusted_key(
    project, command, theirs
):
    done = command("verify", "--all", XINGU_TRUSTED_KEYS=theirs.public)
    assert done.exit_code == 1
    assert f"houses/{current(project)}: no trusted key has signed" in done.output
    assert "0 of 2 trains as saved" in done.output


def test_the_command_names_a_damaged_file_without_any_key(project, command):
    package = project.models.package("houses", current(project))
    state = package / "provider_state.pkl"
    good = state.read_bytes()
    state.write_bytes(b"evil")
    done = command("verify", f"houses/{current(project)}")
    state.write_bytes(good)
    assert done.exit_code == 1
    assert "provider_state.pkl is not what was saved" in done.output


def test_a_train_can_be_signed_later(project, command, theirs, ours):
    train = f"houses/{current(project)}"
    assert command("sign", train, SIGNING_KEY=theirs.private).exit_code == 0
    assert command("verify", train, XINGU_TRUSTED_KEYS=theirs.public).output.count("valid") == 1
    password = {"SIGNING_KEY": ours.private, "SIGNING_KEY_PASSWORD": "sesame-street"}
    assert command("sign", train, **password).exit_code == 0


@pytest.mark.parametrize("variable", ["SIGNING_KEY", "XINGU_TRUSTED_KEYS"])
def test_a_key_that_cannot_be_read_is_named_before_anything_is_trained(home, variable):
    field = {"SIGNING_KEY": "signing_key", "XINGU_TRUSTED_KEYS": "trusted_keys"}[variable]
    project = Project(home, [Houses], {field: "none.pem"})
    with pytest.raises(SettingsError, match=rf"^{variable}: The .*none\.pem cannot be read"):
        Workspace(project.config).models  # noqa: B018


def test_the_text_of_a_key_is_never_shown(home, ours):
    text = ours.private.read_text()
    settings = Project(home, [Houses], {"signing_key": text}).config
    assert "MI" not in repr(settings)
    assert text.splitlines()[1] not in json.dumps(Workspace(settings).effective_settings({}))
    with pytest.raises(SettingsError) as raised:
        Workspace(settings).models  # noqa: B018 - its password is missing
    assert text.splitlines()[1] not in str(raised.value)
