"""Plots of the whole graph: what is drawn, saved, listed and switched off."""

import json
import re
from html import escape

import pandas as pd
import plotly.graph_objects as go
import pytest

from tests.support.control import rows
from tests.support.project import Project
from tests.support.toys import Kinds, Priced
from xingu.provider.methods import BUILTIN_PLOTS

DECISIONS = {"Threshold", "Gain", "Lift", "KS", "Confusion matrix", "Error by segment"}
CURVES = {"ROC", "Precision-recall", "Calibration"}
NUMBERS = {"Predicted against true", "Residuals"}
DRIFT = {"Drift", "Drift by column"}
SEARCH = {"Optimization history", "Parallel coordinates", "Hyperparameter importance"}


def names(project, asset):
    return {plot["name"] for plot in project.load(asset)}


def of_sets(plots):
    return {f"{plot} ({part})" for plot in plots for part in ("train", "val", "test")}


def pages_and_json(folder):
    files = [*folder.glob("*.html"), *folder.glob("*.json")]
    return {str(path) for path in files if path.name not in ("index.html", "plots.json")}


class Drawing(Priced):
    def render_trainsets_model_plots_own(self, XY, Y_pred, model):
        return {"Own": go.Figure()}

    def render_batch_model_plots_own(self, XY, Y_pred):
        return {"Own": go.Figure()}

    def render_global_model_plots_own(self, model):
        return {"Whole": go.Figure()}


class Quiet(Priced):
    builtin_plots_off = set(BUILTIN_PLOTS) - {"Residuals"}

    def render_batch_model_plots_mine(self, XY, Y_pred):
        return {"Residuals": go.Figure(layout_title_text="mine")}


class Few(Priced):
    builtin_plots_off = set(BUILTIN_PLOTS) - {"Feature importance"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("drawn"), [Drawing, Kinds])
    project.run("houses/*", "kinds/*")
    return project


def test_a_regression_is_drawn_by_set_and_its_errors_of_the_set_that_judges(drawn):
    assert names(drawn, "houses/plots") == {
        *of_sets(NUMBERS | {"Own"}),
        "Error by segment (test)",
        "Feature importance",
        "Whole",
    }


def test_a_classification_is_drawn_by_set_and_its_decisions_of_the_set_that_judges(drawn):
    decisions = {f"{plot} (test)" for plot in DECISIONS}
    assert names(drawn, "kinds/plots") == {*of_sets(CURVES), *decisions, "Feature importance"}


def test_a_batch_is_drawn_with_its_drift_and_where_its_target_is_known(drawn):
    known = NUMBERS | {"Error by segment", "Own"} | DRIFT
    assert names(drawn, "houses/batch/plots") == known
    assert names(drawn, "kinds/batch/plots") == CURVES | DECISIONS | DRIFT


def test_every_file_of_a_train_is_listed_in_the_control_db(drawn):
    query = "SELECT path FROM plots WHERE dataprovider_id = 'houses' AND channel = "
    train_id = drawn.metadata("houses/model")["train_id"]
    folder = drawn.home / "plots" / "houses" / train_id
    listed = {path for c in ("trainsets", "global") for (path,) in rows(drawn, f"{query}'{c}'")}
    assert listed == pages_and_json(folder)
    batch = {path for (path,) in rows(drawn, f"{query}'batch_predict'")}
    assert batch == pages_and_json(folder / "batch")
    of_model = rows(drawn, "SELECT DISTINCT name FROM plots WHERE channel = 'global'")
    assert set(of_model) == {("Feature importance",), ("Whole",)}


def test_all_builtin_plots_have_a_name_that_a_provider_can_switch_off():
    drawn = DECISIONS | CURVES | NUMBERS | DRIFT | SEARCH | {"Feature importance"}
    assert drawn == set(BUILTIN_PLOTS)


def test_a_provider_switches_builtin_plots_off_and_draws_its_own_in_their_place(tmp_path):
    project = Project(tmp_path, [Quiet])
    project.run("houses/*")
    assert names(project, "houses/plots") == of_sets(["Residuals"])
    [plot] = project.load("houses/batch/plots")
    assert '"mine"' in (tmp_path / plot["json"]).read_text()


def test_drawing_again_replaces_what_is_listed(tmp_path):
    project = Project(tmp_path, [Priced])
    project.run("houses/*")
    before = rows(project, "SELECT channel, name, path FROM plots ORDER BY 1, 2, 3")
    project.run("houses/plots")
    assert rows(project, "SELECT channel, name, path FROM plots ORDER BY 1, 2, 3") == before


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_pictures_are_saved_and_listed_on_demand(tmp_path, kind):
    project = Project(tmp_path, [Few], {"plots_format": kind})
    project.run("houses/*")
    [plot] = project.load("houses/plots")
    [picture] = plot["pictures"]
    start = {"png": b"\x89PNG", "svg": b"<svg"}[kind]
    assert (tmp_path / picture).read_bytes().startswith(start)
    assert (picture,) in rows(project, "SELECT path FROM plots")
    assert (tmp_path / plot["html"]).exists()


def test_without_a_browser_there_is_one_warning_and_the_html(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nowhere"))
    project = Project(tmp_path, [Priced], {"plots_format": "html,png", "batch_predict": False})
    project.run("houses/plots", *(f"houses/{one}" for one in BEFORE_PLOTS))
    warned = [one for one in caplog.records if "no pictures (png)" in one.getMessage()]
    assert len(warned) == 1
    assert all((tmp_path / plot["html"]).exists() for plot in project.load("houses/plots"))


BEFORE_PLOTS = (
    *("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model"),
    "trainset_estimations",
)


def index_of(project, dp_id):
    return (folder_of(project, dp_id) / "index.html").read_text(encoding="utf-8")


def folder_of(project, dp_id):
    return project.home / "plots" / dp_id / project.metadata(f"{dp_id}/model")["train_id"]


@pytest.mark.parametrize("dp_id", ["houses", "kinds"])
def test_the_index_page_has_every_plot_of_the_train_test_first_with_its_metrics(drawn, dp_id):
    page = index_of(drawn, dp_id)
    plots = len(drawn.load(f"{dp_id}/plots")) + len(drawn.load(f"{dp_id}/batch/plots"))
    assert page.count('<figure class="xingu-plot') == plots
    titles = re.findall("<h2>(.*?)</h2>", page)
    assert titles == ["test", "val", "train", "Model", "Batch"]
    table = drawn.load(f"{dp_id}/trainset_metrics")
    sections = dict(zip(titles, page.split("<h2>")[1:], strict=True))
    for name in ("test", "val", "train"):
        for row in table[table["set"] == name].itertuples():
            shown = row.value_number if pd.notna(row.value_number) else row.value_text
            assert f'<td>{escape(str(row.name))}</td><td title="{shown}">' in sections[name]
    assert "Rows" in sections["Batch"]


def test_all_files_of_a_train_have_less_than_6_mb(drawn):
    for root in (drawn.home / "plots", drawn.home / ".xingu" / "plots"):
        for dp_id in ("houses", "kinds"):
            files = (root / dp_id).rglob("*")
            assert sum(path.stat().st_size for path in files if path.is_file()) < 2_500_000


def test_trains_of_a_project_share_plotly_on_the_disk(drawn):
    [shared] = (drawn.home / ".xingu" / "plots").glob("plotly-*.js")
    own = [folder_of(drawn, dp_id) / "plotly.js" for dp_id in ("houses", "kinds")]
    assert all(path.samefile(shared) for path in own)


@pytest.mark.parametrize("asset", ["houses/plots", "houses/batch/plots"])
def test_the_links_come_first_in_the_metadata(drawn, asset):
    shown = drawn.metadata(asset)
    assert list(shown)[:3] == ["open plots", "page", "plots"]
    assert shown["page"] == str(folder_of(drawn, "houses") / "index.html")


def test_plots_that_are_drawn_without_metrics_have_a_page_too(tmp_path):
    project = Project(tmp_path, [Few])
    project.run(*(f"houses/{one}" for one in BEFORE_PLOTS), "houses/plots")
    page = index_of(project, "houses")
    assert re.findall("<h2>(.*?)</h2>", page) == ["Model"]
    assert "<table>" not in page


def test_a_plot_name_becomes_neither_code_nor_html(tmp_path):
    project = Project(tmp_path, [Hostile])
    project.run(*(f"houses/{one}" for one in BEFORE_PLOTS), "houses/plots")
    texts = [path.read_text() for path in tmp_path.rglob("*.html")]
    notebooks = [json.loads(path.read_text()) for path in tmp_path.rglob("plots.ipynb")]
    assert [cell["source"] for one in notebooks for cell in one["cells"]] == [""]
    texts += ["".join(cell["outputs"][0]["data"]["text/html"]) for cell in notebooks[0]["cells"]]
    assert len(texts) == len(HOSTILE) + 2
    assert not [text for text in texts if "<img" in text or "alert(1)</script" in text]
    assert {name for (name,) in rows(project, "SELECT DISTINCT name FROM plots")} == set(HOSTILE)


HOSTILE = (
    "a\nimport os",
    "</script><script>alert(1)</script>",
    '"><img src=x>',
    "=cmd|' /C calc'!A1",
)


class Hostile(Few):
    builtin_plots_off = set(BUILTIN_PLOTS)

    def render_global_model_plots_hostile(self, model):
        return {name: go.Figure(layout_title_text=name) for name in HOSTILE}
