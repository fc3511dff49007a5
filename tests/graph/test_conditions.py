"""Automation conditions beside the sensors: what follows a model, and that nothing runs twice."""

import dagster as dg
import pytest

from tests.support.town import Houses, Taxes, Town
from xingu_dagster.project import XinguProject
from xingu_dagster.translator import XinguTranslator

FOLLOWS = {("trainset_estimations",), ("trainset_metrics",), ("plots",)}


class Follows(XinguTranslator):
    """Metrics and plots follow their model, once its blocking checks have passed."""

    def get_automation_condition(self, props):
        if props.path not in FOLLOWS:
            return None
        passed = dg.AutomationCondition.all_deps_blocking_checks_passed()
        return dg.AutomationCondition.eager() & passed


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    town = Town(tmp_path_factory.mktemp("town"))
    classes = {"houses": Houses, "taxes": Taxes}
    project = XinguProject(classes, settings=town.project.config, translator=Follows())
    town.project.definitions = project.definitions()
    return town


@pytest.fixture(scope="module")
def requested(town):
    """Evaluate the conditions as Dagster's own sensor does; gives what they request."""
    cursor = None

    def evaluate():
        nonlocal cursor
        defs, instance = town.project.definitions, town.project.instance
        found = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)
        cursor = found.cursor
        keys = defs.resolve_asset_graph().materializable_asset_keys
        return {key.to_user_string() for key in keys if found.get_num_requested(key)}

    return evaluate


def test_conditions_ask_for_nothing_after_a_run_of_the_sensor(town, requested):
    requested()
    [request], _ = town.tick()
    assert town.launch(request)
    assert requested() == set()
    assert town.tick()[0] == []


def test_metrics_and_plots_follow_a_model_that_is_trained_without_them(town, requested):
    parts = ("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model")
    town.project.run(*(f"houses/{one}" for one in parts))
    assert requested() == {
        "houses/trainset_estimations", "houses/trainset_metrics", "houses/plots"
    }  # fmt: skip
