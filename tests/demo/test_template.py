"""The template shows everything that a DataProvider may declare or override."""

import inspect

import pytest

from dataproviders._template import Template
from xingu import DataProvider
from xingu.provider.discovery import DataProviderFactory
from xingu.provider.hooks import HOOKS

HELPERS = {
    *("make_estimator", "is_classifier", "log", "logger", "get_logger", "pre_req_model"),
    "batch_partition",
    *("random_data_split", "time_data_split", "get_metrics_computers", "get_plot_renderers"),
}
NAMES = {name for name in vars(DataProvider) if not name.startswith("_")} - HELPERS
FAMILIES = [
    "compute_trainsets_model_metrics", "compute_batch_model_metrics",
    "compute_global_model_metrics", "compute_estimation_metrics", "render_trainsets_model_plots",
    "render_batch_model_plots", "render_global_model_plots",
]  # fmt: skip


def test_it_is_not_discovered():
    assert Template.id not in DataProviderFactory(providers_folder="dataproviders")


@pytest.mark.parametrize("name", sorted(NAMES | set(HOOKS)))
def test_every_declaration_and_hook_is_in_it(name):
    assert name in vars(Template)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_metrics_and_plots_is_in_it(family):
    assert any(name.startswith(family) for name in vars(Template))


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_says_when_it_is_called(name):
    assert vars(Template)[name].__doc__


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_hooks_have_the_signatures_of_the_interface(name):
    template, interface = (
        list(inspect.signature(getattr(cls, name)).parameters) for cls in (Template, DataProvider)
    )
    assert template == interface
