"""Names of methods that are nearly right are found while a DataProvider is loaded."""

import pytest

from xingu import DataProvider, DataProviderFactory
from xingu.errors import DeclarationError
from xingu.model import Model
from xingu.provider.methods import BUILTIN_PLOTS, FAMILIES, near_misses


def load(**attributes):
    DataProviderFactory([type("Flights", (DataProvider,), {"id": "flights", **attributes})])


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("compute_trainset_model_metrics_x", "compute_trainsets_model_metrics_x"),
        ("render_batch_model_plot_x", "render_batch_model_plots_x"),
        ("compute_batch_metrics_x", "compute_batch_model_metrics_x"),
        ("Compute_Global_Model_Metrics_x", "compute_global_model_metrics_x"),
        ("compute_trainsetsmodel_metrics_x", "compute_trainsets_model_metrics_NAME"),
        ("compute_estimations_metrics_a_b", "compute_estimation_metrics_a_b"),
        ("compute_estimate_metrics_x", "compute_estimation_metrics_x"),
        ("render_trainsets_model_metrics_roc", "render_trainsets_model_plots_roc"),
        ("rander_global_model_plots_map", "render_global_model_plots_map"),
        ("compute_global_model_metrics", "compute_global_model_metrics_NAME"),
        ("render_batch_model_plots_", "render_batch_model_plots_NAME"),
    ],
)
def test_a_method_that_nearly_matches_is_an_error_with_a_suggestion(wrong, right):
    with pytest.raises(
        DeclarationError, match=rf"flights\.{wrong} is no .* Did you mean '{right}'"
    ):
        load(**{wrong: lambda self: {}})


@pytest.mark.parametrize(
    "name",
    [
        *(f"{family}_x" for family in FAMILIES),
        *["compute_metrics", "compute_speed", "render_map", "render_plots", "compute_batch_size"],
        *["compute_match_metrics", "compute_mode_metrics", "compute_metrics_of_global_warming"],
        *[
            "compute_distance_to_model_plots",
            "compute_estimation_error",
            "_compute_batch_metrics_x",
        ],
        *["estimate_batch", "plot_global_model", "compute", "compute_model", "metrics"],
    ],
)
def test_other_names_are_left_alone(name):
    load(**{name: lambda self: {}})


def test_what_xingu_itself_calls_its_methods_is_left_alone():
    assert [*near_misses(dir(DataProvider)), *near_misses(dir(Model))] == []


def test_an_attribute_or_a_method_that_is_switched_off_is_left_alone():
    load(compute_batch_metrics_x=None)


@pytest.mark.parametrize("off", [{"RoC"}, "ROC"])
def test_a_builtin_plot_that_there_is_not_is_an_error_with_a_suggestion(off):
    with pytest.raises(DeclarationError, match=r"flights\.builtin_plots_off is .*ROC"):
        load(builtin_plots_off=off)


def test_every_builtin_plot_can_be_switched_off():
    load(builtin_plots_off=set(BUILTIN_PLOTS))
