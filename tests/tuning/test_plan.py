"""The plan of a search: what is declared, defaults, and what is refused."""

import pytest

from tests.support.toys import Houses, Taxes
from xingu.errors import DeclarationError
from xingu.tuning.plan import CLASSIFICATION, REGRESSION, SearchPlan


def plan_of(cls=Houses, **declared) -> SearchPlan:
    return SearchPlan.of(type("Declared", (cls,), {"hyperopt": declared})())


def test_a_regressor_is_searched_for_a_small_error_and_a_classifier_for_a_small_loss():
    regression, classification = plan_of(), plan_of(Taxes)
    assert (regression.metric, regression.direction) == ("RMSE", "minimize")
    assert (classification.metric, classification.direction) == ("Log Loss", "minimize")


@pytest.mark.parametrize("metric", REGRESSION)
def test_every_metric_of_regressors_has_a_direction(metric):
    assert plan_of(metric=metric).direction == ("maximize" if metric == "R2" else "minimize")


@pytest.mark.parametrize("metric", CLASSIFICATION)
def test_every_metric_of_classifiers_has_a_direction(metric):
    small_is_good = metric in ("Log Loss", "Brier")
    assert plan_of(Taxes, metric=metric).direction == ("minimize" if small_is_good else "maximize")


def test_a_declared_direction_wins():
    assert plan_of(direction="maximize").direction == "maximize"


def test_the_seed_is_that_of_the_provider_unless_declared():
    assert plan_of().seed == Houses.random_state
    assert plan_of(seed=None).seed == Houses.random_state
    assert plan_of(seed=0).seed == 0


def test_each_trial_has_a_seed_of_its_own_that_depends_on_the_seed_of_the_search():
    plans = plan_of(seed=1), plan_of(seed=2)
    seeds = [[plan.seed_of(number) for number in range(50)] for plan in plans]
    assert len({*seeds[0], *seeds[1]}) == 100
    assert seeds[0] == [plan_of(seed=1).seed_of(number) for number in range(50)]


def test_points_to_start_with_are_copied():
    point = {"x": 1}
    plan = plan_of(start_with=[point])
    point["x"] = 2
    assert plan.start_with == ({"x": 1},)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"evalutions": 3}, "no 'evalutions'.*Did you mean 'evaluations'"),
        ({"metric": "rmse"}, r"\['metric'\]: 'rmse'; known: RMSE"),
        ({"metric": "F1"}, "'F1'; known: RMSE"),
        ({"method": "bayes"}, "'bayes'; known: gp, forest"),
        ({"direction": "down"}, "'down'; known: minimize, maximize"),
        ({"evaluations": 0}, "0; write an integer of at least 1"),
        ({"evaluations": 2.0}, "2.0; write an integer"),
        ({"evaluations": True}, "True; write an integer"),
        ({"initial_points": 0}, "integer of at least 1"),
        ({"grid_levels": "5"}, "'5'; write an integer"),
        ({"seed": -1}, "integer of at least 0"),
        ({"folds": -1}, "integer of at least 0"),
        ({"folds": 1}, "write 0 for `val`, or at least 2"),
        ({"seconds": 0}, "0; write more than 0"),
        ({"seconds": -0.5}, "write more than 0"),
        ({"seconds": float("nan")}, "nan; write more than 0"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_name(declared, says):
    with pytest.raises(DeclarationError, match=rf"houses\.hyperopt.*{says}"):
        plan_of(**declared)


@pytest.mark.parametrize(
    "declared",
    [{"evaluations": 1}, {"folds": 0}, {"folds": 2}, {"seconds": 0.001}, {"seed": 0}],
)
def test_the_smallest_allowed_values_are_allowed(declared):
    ((name, value),) = declared.items()
    assert getattr(plan_of(**declared), name) == value
