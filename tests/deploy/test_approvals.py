"""Approvals are for one package and one target, by people other than the trainer, and expire."""

import pytest

from xingu.deploy.approvals import approve, approved_by
from xingu.deploy.plan import make_plan
from xingu.errors import ApprovalMissingError, DeployRefusedError


@pytest.fixture(autouse=True)
def two_approvals(project):
    """Staging demands two approvals; the first train is there to be deployed."""
    project.set(DEPLOY_APPROVALS__STAGING="2")
    project.train("first")


def approved(project, user, train_id="first", target="staging"):
    """Approve a train as a user."""
    project.set(USERNAME=user)
    route = project.route(target)
    models = route.source.models
    digest = models.package_record("houses", train_id).manifest_sha256
    entry = approve(route, models.manifest("houses", train_id), digest)
    project.set(USERNAME="ada")
    return entry


def test_without_approvals_nothing_is_deployed_and_the_text_says_who_may_approve(project):
    approved(project, "grace")
    with pytest.raises(ApprovalMissingError) as caught:
        project.deploy()
    text = str(caught.value)
    assert "needs 2 approvals by people other than ada, who trained it; approved by grace" in text
    assert "everyone but ada" in text
    assert "`xingu approve houses first --target staging`" in text
    assert project.served() is None


def test_enough_approvals_release_the_train_and_are_in_the_ledger(project):
    approved(project, "grace")
    approved(project, "linus")
    project.deploy()
    newest = project.workspace.target("staging").models.ledger("houses").newest()
    assert newest.deployment.approvals == ("grace", "linus")


def test_two_approvals_of_one_person_count_once(project):
    approved(project, "grace")
    approved(project, "grace")
    with pytest.raises(ApprovalMissingError):
        project.deploy()


def test_who_trained_cannot_approve(project):
    with pytest.raises(DeployRefusedError, match="ada may not approve"):
        approved(project, "ada")


def test_only_named_people_may_approve_if_there_are_any(project):
    project.set(DEPLOY_APPROVERS__STAGING="grace,ada")
    with pytest.raises(DeployRefusedError, match="who may: grace"):
        approved(project, "linus")
    approved(project, "grace")


def test_an_approval_of_one_train_does_not_release_another(project):
    approved(project, "grace")
    approved(project, "linus")
    project.train("second")
    with pytest.raises(ApprovalMissingError):
        project.deploy()


def test_an_approval_for_one_target_does_not_count_for_another(project):
    approved(project, "grace")
    route = project.route()
    manifest = route.source.models.manifest("houses", "first")
    digest = route.source.models.package_record("houses", "first").manifest_sha256
    assert approved_by(route, manifest, digest) == ("grace",)
    project.set(TRAINED_MODELS_PATH__PRODUCTION="targets/staging", DEPLOY_TARGETS="production")
    assert approved_by(project.route("production"), manifest, digest) == ()


def test_an_approval_of_another_package_of_the_same_name_does_not_count(project):
    approved(project, "grace")
    route = project.route()
    manifest = route.source.models.manifest("houses", "first")
    assert approved_by(route, manifest, "0" * 64) == ()


def test_an_approval_expires(project):
    project.set(DEPLOY_APPROVAL_DAYS__STAGING="0.0000001")
    approved(project, "grace")
    assert make_plan(project.route(), "houses").approvals == ()


def test_a_rollback_needs_no_approval(project):
    approved(project, "grace")
    approved(project, "linus")
    project.deploy()
    project.set(DEPLOY_APPROVALS__STAGING="0")
    project.train("second")
    project.deploy()
    project.set(DEPLOY_APPROVALS__STAGING="2")
    project.deploy(train_id="first")
    assert project.served() == "first"
