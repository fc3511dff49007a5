"""Deploys, refusals, and the train that a target serves afterwards."""

import pytest

from tests.support.webhook import webhook
from xingu import Model
from xingu.deploy.execute import execute
from xingu.deploy.plan import make_plan, previous_train
from xingu.deploy.route import route_within
from xingu.errors import (
    ApprovalMissingError,
    CorruptPackageError,
    DeployConflictError,
    DeployRefusedError,
    SettingsError,
    UntrainedModelError,
)
from xingu.registry.lifecycle import pin, refuse
from xingu.registry.transfer import copy_package
from xingu.tracking.copying import count_train


def refusals(project, target="staging", train_id=None):
    plan = make_plan(project.route(target), "houses", train_id)
    return {(one.kind, one.text) for one in plan.refusals}


def test_the_current_train_is_deployed_with_its_rows_and_loads_from_the_target(project):
    run = project.train("first")
    done = project.deploy()
    target = project.workspace.target("staging")
    assert (done.changed, project.served()) == (True, "first")
    assert count_train(target.control, run) == count_train(project.workspace.control, run)
    model = Model.load("houses", path=target.models.root)
    assert model.train_id == "first"
    assert Model.load("houses", train_session_id="of-first", path=target.models.root)
    [entry] = target.models.ledger("houses").entries()
    assert (entry.action, entry.deployment.user, entry.deployment.comment) == (
        "deploy", "ada", "because",
    )  # fmt: skip
    assert entry.deployment.gates == {"test R2": "0.9 (must be >= 0.8)"}
    assert entry.deployment.package == done.plan.package


def test_deploying_what_is_there_does_nothing_and_says_so(project):
    project.train("first")
    project.deploy()
    again = project.deploy()
    assert (again.plan.action, again.changed) == ("nothing", False)
    assert len([*project.workspace.target("staging").models.ledger("houses").entries()]) == 1


def test_rows_that_were_left_out_are_copied_later_without_an_entry(project):
    run = project.train("first")
    project.deploy(with_rows=False)
    target = project.workspace.target("staging")
    assert not target.control.exists
    later = project.deploy()
    assert (later.plan.action, later.changed) == ("rows", False)
    assert count_train(target.control, run) == count_train(project.workspace.control, run)


def test_the_second_target_takes_what_the_first_one_serves(project):
    project.train("first")
    project.deploy()
    project.train("second")
    project.deploy("production")
    assert (project.served(), project.served("production")) == ("first", "first")
    with pytest.raises(UntrainedModelError, match="staging has no train second"):
        project.deploy("production", "second")


def test_a_train_that_is_only_stored_in_the_target_before_is_not_promoted(project):
    project.train("first")
    project.deploy()
    project.train("second")
    route = project.route()
    source, target = route.source.models, route.target.models
    ids = ("houses", "second")
    copy_package(source.package(*ids), target.package(*ids), source.manifest(*ids))
    found = refusals(project, "production", "second")
    assert ("verdict", "staging has never served second: deploy it there first.") in found


def test_a_train_below_its_gate_is_refused_with_the_figure(project):
    project.train("first", r2=0.7)
    with pytest.raises(DeployRefusedError, match="test R2 is 0.7; it must be >= 0.8") as caught:
        project.deploy()
    assert not isinstance(caught.value, ApprovalMissingError)
    assert project.served() is None


def test_all_reasons_of_a_refusal_are_reported_at_once(project):
    project.set(DEPLOY_REQUIRE_CLEAN_GIT="yes", DEPLOY_APPROVALS="1")
    project.train("first", r2=0.7, failed="leakage", provenance={"git_dirty": True})
    assert {kind for kind, _ in refusals(project)} == {"gate", "check", "git", "approval"}


def test_a_train_on_samples_is_not_deployed(project):
    project.train("first", provenance={"sample_rows": 100})
    [(kind, text)] = refusals(project, train_id="first")
    assert (kind, text.partition(" of its")[0]) == ("verdict", "first was trained on samples")


def test_a_refused_train_is_not_deployed(project):
    project.train("first")
    models = project.workspace.models
    refuse(models, models.manifest("houses", "first"), "quality_gates")
    assert ("verdict", "first was refused: quality_gates.") in refusals(project, train_id="first")


def test_a_rollback_copies_nothing_and_names_what_it_took_back(project):
    for name in ("first", "second", "third"):
        project.train(name)
        project.deploy()
    route = route_within(project.workspace, "staging")
    assert previous_train(route, "houses") == "second"
    done = execute(route, make_plan(route, "houses", "first", with_rows=False))
    assert (done.plan.action, done.copied, project.served()) == ("rollback", None, "first")
    newest = route.target.models.ledger("houses").newest()
    assert newest is not None
    assert (newest.action, newest.rolled_back) == ("rollback", ("third", "second"))
    assert ("verdict", "third was rolled back to first in staging.") in refusals(
        project, "production", "third"
    )


def test_deploys_and_rollbacks_are_announced_and_a_deploy_without_changes_is_not(project):
    with webhook() as inbox:
        project.set(ALERT_WEBHOOK_URL=inbox.url)
        for name in ("first", "second"):
            project.train(name)
            project.deploy()
        project.deploy()
        project.deploy(train_id="first")
    kinds = [(one["kind"], one["facts"]["train_id"]) for one in inbox.received]
    assert kinds == [("deployment", "first"), ("deployment", "second"), ("rollback", "first")]
    assert "houses: staging rolled back to first instead of second, by ada" in inbox.texts[-1]


def test_deploying_an_older_train_that_was_served_is_a_rollback(project):
    for name in ("first", "second"):
        project.train(name)
        project.deploy()
    assert project.deploy(train_id="first").plan.action == "rollback"
    assert project.served() == "first"


def test_another_deploy_meanwhile_makes_the_slower_one_fail(project):
    project.train("first")
    route = project.route()
    slow = make_plan(route, "houses")
    project.train("second")
    project.deploy()
    with pytest.raises(DeployConflictError, match="another process has made second current"):
        execute(route, slow)
    assert project.served() == "second"


def test_the_same_deploy_meanwhile_leaves_nothing_to_do(project):
    project.train("first")
    route = project.route()
    slow = make_plan(route, "houses")
    project.deploy()
    assert not execute(route, slow).changed


def test_a_package_that_was_changed_after_the_plan_is_not_served(project):
    project.train("first")
    route = project.route()
    plan = make_plan(route, "houses")
    package = route.source.models.package("houses", "first")
    file = package.joinpath(
        *next(iter(route.source.models.manifest("houses", "first").files)).split("/")
    )
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(CorruptPackageError):
        execute(route, plan)
    assert project.served() is None
    assert {kind for kind, _ in refusals(project)} == {"package"}


def test_a_target_with_the_storage_of_its_source_is_an_error(project):
    project.set(TRAINED_MODELS_PATH__STAGING="models")
    with pytest.raises(SettingsError, match="same model storage as project"):
        project.route()


def test_a_target_without_a_control_db_takes_models_alone(project):
    project.train("first")
    project.set(XINGU_DB_URL__STAGING="")
    [(kind, text)] = refusals(project)
    assert kind == "target"
    assert "XINGU_DB_URL__STAGING" in text
    assert "--no-db" in text
    project.deploy(with_rows=False)
    assert project.served() == "first"


def test_a_pinned_target_is_left_alone(project):
    project.train("first")
    project.deploy()
    models = project.workspace.target("staging").models
    pin(models, models.manifest("houses", "first"))
    project.train("second")
    assert {kind for kind, _ in refusals(project)} == {"target"}


def test_pull_takes_the_released_train_into_the_environment_of_the_target(project):
    project.train("first")
    project.deploy()
    project.set(
        TRAINED_MODELS_PATH__SOURCE="targets/staging",
        TRAINED_MODELS_PATH="mine",
        TRAINED_MODELS_PATH__PRODUCTION="{% TRAINED_MODELS_PATH %}",
        XINGU_DB_URL__PRODUCTION="{% XINGU_DB_URL %}",
    )
    project.monkeypatch.delenv("TRAINED_MODELS_PATH__STAGING")
    route = project.route("production", pull=True)
    execute(route, make_plan(route, "houses", with_rows=False))
    assert project.workspace.models.current("houses") == "first"


def test_a_train_without_rows_in_the_source_is_judged_by_the_scores_in_its_package(project):
    project.train("first")
    project.deploy(with_rows=False)
    plan = make_plan(project.route("production"), "houses")
    assert (plan.refusals, plan.rows) == ((), None)
    project.deploy("production")
    again = project.deploy("production")
    assert (again.plan.action, project.served("production")) == ("nothing", "first")
