"""The commands deploy, rollback, approve and in-production."""

import json

import dagster as dg
import pytest

from tests.support.events import instance_of
from tests.support.targets import fit_houses, targets_in
from xingu.deploy.execute import execute
from xingu.errors import DeployConflictError


@pytest.fixture(scope="module")
def model():
    return fit_houses()


@pytest.fixture
def project(tmp_path, model, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return targets_in(tmp_path, model, monkeypatch)


@pytest.fixture
def deploy(call, project):
    """Call `xingu deploy` for houses."""

    def deploy(*arguments, to="staging"):
        return call("deploy", "--dps", "houses", "--to", to, *arguments)

    return deploy


def test_a_deploy_says_what_it_does_and_what_is_served(deploy, project):
    project.train("calm-fox")
    code, output, errors = deploy("--comment", "the first one")
    assert (code, output.split(";")[0]) == (0, "staging serves houses calm-fox")
    assert "copying" in errors
    code, output, _ = deploy()
    assert (code, output) == (
        0, "staging serves houses calm-fox already: there was nothing to do.\n",
    )  # fmt: skip


def test_the_graph_of_dagster_shows_what_a_target_serves(deploy, project, monkeypatch):
    project.train("calm-fox")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with instance_of(project.home, "stock") as instance:
        assert deploy()[0] == 0
        key = dg.AssetKey(["houses", "deploy", "staging"])
        event = instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["xingu/serves"].value == "calm-fox"


def test_the_graph_shows_the_deploys_before_one_that_failed(call, project, monkeypatch):
    project.train("calm-fox")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    deploys = iter([execute])

    def fail_second(*arguments):
        if (real := next(deploys, None)) is None:
            raise DeployConflictError("another process was faster")
        return real(*arguments)

    monkeypatch.setattr("xingu.deploy.execute.execute", fail_second)
    with instance_of(project.home, "stock") as instance:
        assert call("deploy", "--dps", "houses,houses", "--to", "staging")[0] != 0
        key = dg.AssetKey(["houses", "deploy", "staging"])
        assert instance.get_latest_materialization_event(key) is not None


def test_a_plan_shows_what_decides_and_changes_nothing(deploy, project, tmp_path):
    project.train("calm-fox")
    project.deploy()
    project.train("brave-cat")
    code, output, _ = deploy("--plan")
    assert code == 0
    shown = {" ".join(line.split()[:2]) for line in output.splitlines()}
    assert {"action deploy", "gates test", "replaces calm-fox"} <= shown
    assert max(map(len, output.splitlines())) <= 80
    assert project.served() == "calm-fox"


def test_a_stored_plan_is_applied_once_and_refused_when_its_inputs_changed(
    call, deploy, project, tmp_path
):
    file = str(tmp_path / "plan.json")
    project.train("calm-fox")
    assert deploy("--plan", "-o", file)[0] == 0
    assert call("deploy", "--apply", file)[0] == 0
    assert project.served() == "calm-fox"
    code, output, _ = call("deploy", "--apply", file)
    assert (code, "nothing to do" in output) == (0, True)
    project.train("brave-cat")
    project.deploy()
    code, _, errors = call("deploy", "--apply", file)
    assert code == 1
    assert "out of date" in errors
    assert "action: deploy → rollback" in errors
    (tmp_path / "plan.json").write_text("{}")
    assert call("deploy", "--apply", file)[0] == 1


def test_a_train_below_its_gate_exits_with_3(deploy, project):
    project.train("calm-fox", r2=0.5)
    for arguments in ([], ["--plan"]):
        code, output, errors = deploy(*arguments)
        assert code == 3
        assert "test R2 is 0.5; it must be >= 0.8" in " ".join((output + errors).split())


def test_a_missing_approval_exits_with_4_and_approve_gives_it(call, deploy, project):
    project.set(DEPLOY_APPROVALS__STAGING="1")
    project.train("calm-fox")
    assert deploy()[0] == 4
    assert call("approve", "houses", "calm-fox", "--target", "staging")[0] == 3
    project.set(USERNAME="grace")
    code, output, _ = call("approve", "houses", "calm-fox", "--target", "staging", "--json")
    assert (code, json.loads(output)["approvals"]) == (0, ["grace"])
    assert deploy()[0] == 0


def test_rollback_and_in_production_tell_the_history(call, project):
    for name in ("calm-fox", "brave-cat"):
        project.train(name)
        project.deploy()
    command = ("rollback", "houses", "--target", "staging", "--to")
    code, output, _ = call(*command, "previous", "--comment", "prices were off")
    assert (code, output.startswith("staging again serves houses calm-fox")) == (0, True)
    assert call(*command, "nonsense")[0] == 3
    code, output, _ = call("in-production", "--json")
    [served] = json.loads(output)["served"]
    assert (served["train_id"], served["action"], served["comment"]) == (
        "calm-fox", "rollback", "prices were off",
    )  # fmt: skip
    _, output, _ = call("in-production", "--target", "staging", "--at", "2020-01-01")
    assert "nothing" in output


def test_a_changed_ledger_makes_in_production_fail(call, project):
    for name in ("calm-fox", "brave-cat"):
        project.train(name)
        project.deploy()
    history = project.workspace.target("staging").models.folder("houses") / "history"
    (history / "0000000001.json").write_text("{}")
    code, output, errors = call("in-production")
    assert (code, "brave-cat" in output, "ledger is damaged" in errors) == (1, True, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["deploy", "--to", "staging"],
        ["deploy", "--dps", "a,b", "--to", "staging", "--train", "x"],
        ["deploy", "--dps", "a", "--to", "staging", "-o", "x"],
        ["deploy", "--apply", __file__, "--no-db"],
        ["in-production", "--at", "yesterday"],
    ],
)
def test_wrong_usage_exits_with_2(call, project, arguments):
    assert call(*arguments)[0] == 2
