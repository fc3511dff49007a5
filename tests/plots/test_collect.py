"""The figures of a Model, built-in and of methods."""

import plotly.graph_objects as go
import pytest

from xingu.errors import HookError
from xingu.plots.collect import Gallery, figures_of, is_matplotlib, is_plotly


class Painted:
    def savefig(self, file, **options):
        """Only the name counts here."""


@pytest.fixture
def gallery():
    return Gallery()


def test_names_have_their_set_and_each_figure_its_channel(gallery):
    gallery.add_builtin("trainsets", {"ROC": go.Figure()}, "val")
    gallery.add_builtin("global", {"Feature importance": go.Figure()})
    assert gallery.channels == {"ROC (val)": "trainsets", "Feature importance": "global"}
    assert gallery.figures.keys() == gallery.channels.keys()


def test_a_method_replaces_the_built_in_figure_of_its_name(gallery):
    own = go.Figure(layout_title_text="own")
    gallery.add_builtin("trainsets", {"ROC": go.Figure()}, "val")
    gallery.add("trainsets", {"ROC": own}, "flights.render_a", "val")
    assert gallery.figures == {"ROC (val)": own}


def test_two_methods_cannot_draw_one_plot_of_one_set(gallery):
    gallery.add("trainsets", {"speed": go.Figure()}, "flights.render_a", "val")
    gallery.add("trainsets", {"speed": go.Figure()}, "flights.render_b", "test")
    gallery.add("global", {"speed": go.Figure()}, "flights.render_c")
    with pytest.raises(HookError, match="flights.render_d returned the plot 'speed' a second time"):
        gallery.add("trainsets", {"speed": go.Figure()}, "flights.render_d", "val")
    assert set(gallery.figures) == {"speed (val)", "speed (test)", "speed"}


def test_a_refused_result_adds_nothing(gallery):
    with pytest.raises(HookError):
        gallery.add("global", {"good": go.Figure(), "bad": 1}, "flights.render_a")
    assert gallery.figures == {}
    gallery.add("global", {"good": go.Figure()}, "flights.render_b")


def test_a_method_may_draw_nothing(gallery):
    gallery.add("global", None, "flights.render_a")
    assert gallery.figures == {}


def test_a_failed_method_does_not_prevent_others(gallery):
    with gallery.failures.collect():
        gallery.add("global", [], "flights.render_a")
    gallery.add("global", {"good": go.Figure()}, "flights.render_b")
    assert list(gallery.figures) == ["good"]
    with pytest.raises(HookError, match="flights.render_a returned list"):
        gallery.failures.raise_collected()


@pytest.mark.parametrize(
    ("figure", "plotly", "matplotlib"),
    [
        (go.Figure(), True, False),
        (Painted(), False, True),
        ("picture.png", False, False),
        (None, False, False),
        ({"data": [], "layout": {}}, False, False),
        (go.Scatter(), False, False),
    ],
    ids=["plotly", "matplotlib", "text", "none", "dict", "trace"],
)
def test_figures_are_recognized_by_their_methods(figure, plotly, matplotlib):
    assert (is_plotly(figure), is_matplotlib(figure)) == (plotly, matplotlib)
    if not plotly and not matplotlib:
        with pytest.raises(HookError, match="a plot is a plotly or a matplotlib Figure"):
            figures_of({"a": figure}, [], "flights.render_a")
