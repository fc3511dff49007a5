"""Golden rows: a copy that estimates otherwise is not served, and plans tell differences."""

import pandas as pd
import pytest

from tests.support.fitted import fit_model
from tests.support.targets import GatedHouses
from xingu import Model
from xingu.deploy.difference import compared
from xingu.deploy.execute import execute
from xingu.deploy.plan import make_plan
from xingu.errors import CorruptPackageError


class Smaller(GatedHouses):
    estimator_params = {"n_estimators": 3, "num_leaves": 4, "min_child_samples": 5}


def test_a_copy_that_estimates_otherwise_at_the_target_is_not_served(project, monkeypatch):
    project.train("first")
    route = project.route()
    plan = make_plan(route, "houses")
    estimate = Model.predict
    monkeypatch.setattr(Model, "predict", lambda self, data: estimate(self, data) + 1)
    with pytest.raises(CorruptPackageError, match=r"estimates otherwise here.*golden row 0"):
        execute(route, plan)
    assert project.served() is None
    monkeypatch.undo()


def test_golden_rows_are_estimated_again_at_the_target(project):
    project.train("first")
    assert project.deploy().proven == len(project.model.sets["test"])


def test_a_plan_tells_by_how_much_estimations_differ_from_what_is_served(project):
    project.train("first")
    project.deploy()
    project.model = fit_model(Smaller)
    project.train("second")
    found = make_plan(project.route(), "houses").difference
    assert found is not None
    assert (found.problem, found.changed > 0.5) == ("", True)
    assert found.mean_absolute is not None
    assert found.max_absolute is not None
    assert 0 < found.mean_absolute < found.max_absolute


@pytest.mark.parametrize(
    ("new", "old", "changed", "largest"),
    [
        ([1.0, 2.0], [1.0, 2.5], 0.5, 0.5),
        ([1.0, None], [1.0, None], 0.0, 0.0),
        ([1.0, None], [1.0, 4.0], 0.5, 0.0),
        ([1e9], [1e9 + 0.1], 0.0, 0.1),
        (["a", "b"], ["a", "c"], 0.5, None),
        ([True, False], [True, True], 0.5, 1.0),
    ],
)
def test_estimations_are_compared_by_position(new, old, changed, largest):
    found = compared(pd.Series(new), pd.Series(old))
    assert (found.rows, found.changed) == (len(new), changed)
    assert found.max_absolute == (None if largest is None else pytest.approx(largest, rel=1e-3))


def test_other_numbers_of_rows_cannot_be_compared():
    assert compared(pd.Series([1.0]), pd.Series([1.0, 2.0])).problem == "1 and 2 estimations"
