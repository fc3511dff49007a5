"""Sets, batches and searches are drawn; what fails is kept, and the Model stays as it is."""

import pandas as pd
import plotly.graph_objects as go
import pytest

from tests.support.purity import unchanged
from tests.support.searches import Hills
from tests.support.stages import Stages, run_of, variant
from tests.support.toys import Houses, Kinds, Priced, houses
from xingu.errors import HookError
from xingu.provider.methods import BUILTIN_PLOTS
from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch, predicted
from xingu.stages.draw import EVALUATION_ONLY, draw_batch, draw_search, draw_sets
from xingu.stages.train import tune
from xingu.tuning.resolve import Tuning


class Drawn(Houses):
    """Has a method of every family of plots."""

    def render_trainsets_model_plots_rows(self, XY, Y_pred):
        return {"Rows": go.Figure()}

    def render_global_model_plots_model(self, model):
        return {"Model": go.Figure()}

    def render_batch_model_plots_batch(self, XY):
        return {"Batch": go.Figure()}


def raising(self, *_):
    raise ValueError("no idea")


def batch_of(model, **columns):
    data = houses(50, seed=1)
    XY = engineer_batch(model, clean_batch(model, {"houses": data})).assign(**columns)
    return XY, predicted(model, estimate_batch(model, XY))


@pytest.fixture(scope="module")
def model():
    return Stages(Drawn).evaluated()


@pytest.fixture(scope="module")
def sets(model):
    return draw_sets(model)


# -- sets -----------------------------------------------------------------------------------------


def test_built_in_plots_and_methods_are_drawn_of_each_set(sets):
    assert sets.failures.errors == []
    for plot in ("Predicted against true", "Residuals", "Rows"):
        named = [name for name in sets.figures if name.startswith(plot)]
        assert len(named) == 3, plot
        assert {sets.channels[name] for name in named} == {"trainsets"}
    assert all(isinstance(figure, go.Figure) for figure in sets.figures.values())


def test_plots_of_the_whole_model_are_drawn_once(sets):
    assert {name for name, channel in sets.channels.items() if channel == "global"} == {
        "Feature importance",
        "Model",
    }


@pytest.mark.parametrize(("cls", "left_out"), [(Houses, ("test",)), (Kinds, ())])
def test_plots_for_decisions_are_drawn_of_the_evaluation_set_only(cls, left_out):
    model = Stages(cls).evaluated()
    model.sets = {name: frame for name, frame in model.sets.items() if name not in left_out}
    evaluation_set = "val" if left_out else "test"
    names = [name for name in draw_sets(model).figures if name.startswith(EVALUATION_ONLY)]
    assert names
    assert all(evaluation_set in name for name in names), names


def test_plots_can_be_switched_off():
    gallery = draw_sets(Stages(variant(Drawn, builtin_plots_off=BUILTIN_PLOTS)).evaluated())
    assert {name.split(" ")[0] for name in gallery.figures} == {"Rows", "Model"}


def test_a_method_replaces_the_built_in_plot_of_its_name(model):
    mine = go.Figure()

    def render_global_model_plots_mine(self, model):
        return {"Feature importance": mine}

    cls = variant(render_global_model_plots_mine=render_global_model_plots_mine)
    assert draw_sets(Stages(cls).evaluated()).figures["Feature importance"] is mine


def test_a_method_that_raises_does_not_lose_the_others():
    cls = variant(Drawn, render_global_model_plots_bad=raising)
    gallery = draw_sets(Stages(cls).evaluated())
    assert "Model" in gallery.figures
    with pytest.raises(HookError, match="render_global_model_plots_bad raised ValueError"):
        gallery.failures.raise_collected()


def test_without_a_target_only_methods_are_drawn(model):
    bare = Stages(Drawn).evaluated()
    bare.sets = {name: frame.drop(columns="price") for name, frame in bare.sets.items()}
    gallery = draw_sets(bare)
    assert {name for name in gallery.figures if "Residuals" in name} == set()
    assert gallery.failures.errors == []


# -- batch ----------------------------------------------------------------------------------------


def test_a_batch_is_compared_with_training(model):
    gallery = draw_batch(model, *batch_of(model))
    assert gallery.failures.errors == []
    assert {"Drift", "Drift by column", "Batch"} <= set(gallery.figures)
    assert set(gallery.channels.values()) == {"batch_predict"}


def test_a_batch_with_targets_is_drawn_against_them():
    model = Stages(Priced).evaluated()
    XY, Y_pred = batch_of(model)
    assert "Residuals" in draw_batch(model, XY, Y_pred).figures
    known = XY.assign(price=XY["price"].where(XY.index < 40))
    assert "Residuals" in draw_batch(model, known, Y_pred).figures
    unknown = XY.assign(price=float("nan"))
    assert "Residuals" not in draw_batch(model, unknown, Y_pred).figures


def test_without_a_reference_there_is_no_drift():
    model = Stages(Drawn).evaluated()
    model.reference = None
    gallery = draw_batch(model, *batch_of(model))
    assert {name for name in gallery.figures if name.startswith("Drift")} == set()
    assert "Batch" in gallery.figures


# -- search ---------------------------------------------------------------------------------------


def test_a_search_is_drawn_unless_a_plot_is_off():
    stages = Stages(variant(Hills, hyperopt={**Hills.hyperopt, "evaluations": 8}))
    chosen = tune(stages.builder, stages.splits(), run_of(Hills), Tuning("self", workers=1))
    gallery = draw_search(chosen, "hills", ())
    assert "Optimization history" in gallery.figures
    assert set(gallery.channels.values()) == {"search"}
    less = draw_search(chosen, "hills", ("Optimization history",))
    assert set(gallery.figures) - set(less.figures) == {"Optimization history"}


# -- purity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [Drawn, Kinds])
def test_drawing_writes_nothing_into_the_model(cls):
    model = Stages(cls).evaluated()
    rows = batch_of(model)
    with unchanged(model, *(one for one in rows if isinstance(one, pd.DataFrame))):
        draw_sets(model)
        draw_batch(model, *rows)
