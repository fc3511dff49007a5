"""A train goes from files and SQLite to S3 and PostgreSQL, and from there back."""

from uuid import uuid4

import pytest

from tests.support.targets import fit_houses, targets_in
from xingu import Model
from xingu.deploy.execute import execute
from xingu.deploy.history import in_production
from xingu.deploy.plan import make_plan, previous_train
from xingu.deploy.route import route_within
from xingu.tracking.copying import count_train


@pytest.fixture(scope="module")
def model():
    return fit_houses()


@pytest.fixture(params=["to the cloud", "from the cloud"])
def project(request, tmp_path, model, monkeypatch, s3_url, postgres_schema):
    cloud = {"TRAINED_MODELS_PATH": f"{s3_url}/{uuid4().hex}", "XINGU_DB_URL": postgres_schema}
    if request.param == "to the cloud":
        cloud = {f"{name}__STAGING": value for name, value in cloud.items()}
    return targets_in(tmp_path, model, monkeypatch, **cloud)


def test_two_deploys_a_rollback_and_a_promotion(project):
    first, second = project.train("first"), project.train("second")
    for run in (first, second):
        done = project.deploy(train_id=run.train_id)
        target = project.workspace.target("staging")
        assert (done.changed, project.served()) == (True, run.train_id)
        assert done.rows == count_train(project.workspace.control, run)
        assert done.rows == count_train(target.control, run)
    assert not project.deploy(train_id="second").changed
    route = route_within(project.workspace, "staging")
    back = make_plan(route, "houses", previous_train(route, "houses"), with_rows=False)
    assert execute(route, back).plan.action == "rollback"
    project.deploy("production")
    root = project.workspace.target("production").models.root
    assert Model.load("houses", path=root).train_id == "first"
    [served] = in_production(target, "staging")
    assert (served.train_id, served.replaced, served.faults) == ("first", "second", ())
