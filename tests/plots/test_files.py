import asyncio
import json
import uuid
from html.parser import HTMLParser

import nbformat
import pandas as pd
import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure
from nbconvert import HTMLExporter
from upath import UPath

from xingu.errors import HookError, MissingValueError
from xingu.plots import figures_of, importance, load_plot, save_plots, write_notebook

HOSTILE = "</script><b>&x</b>"


class Painted:
    """What matplotlib figures offer; matplotlib itself is not needed to be drawn."""

    def savefig(self, file, **options):
        assert options["format"] == "png"
        file.write(b"\x89PNG")


class Page(HTMLParser):
    """Elements of a page that would load something, and its scripts."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.scripts, self.images = [], 0, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.scripts += tag == "script"
        if tag == "img":
            self.images.append(attributes["src"])
        if tag in ("script", "link", "iframe") and ("src" in attributes or "href" in attributes):
            self.loads.append(attributes)


@pytest.fixture
def figure():
    return importance(pd.Series([3.0, 1.0], ["speed", HOSTILE]))


@pytest.fixture(params=["local", "file", "memory"])
def folder(request, tmp_path):
    return {
        "local": UPath(tmp_path / "plots" / "train"),
        "file": UPath(f"file://{tmp_path}/plots/train"),
        "memory": UPath(f"memory://{uuid.uuid4()}/plots/train"),
    }[request.param]


def test_a_plot_is_saved_as_page_and_json_and_read_back(folder, figure):
    [saved] = save_plots({"Feature importance": figure}, folder)
    assert saved.name == "Feature importance"
    assert saved.html == folder / "feature_importance.html"
    assert saved.json == folder / "feature_importance.json"
    assert load_plot(saved.json) == figure


def test_saving_again_replaces_and_leaves_nothing_else(folder, figure):
    save_plots({"a": go.Figure()}, folder)
    save_plots({"a": figure}, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["a.html", "a.json"]
    assert load_plot(folder / "a.json") == figure


def test_a_page_loads_nothing_and_holds_plotly_and_the_data_once(tmp_path, figure):
    [saved] = save_plots({HOSTILE: figure}, UPath(tmp_path))
    text = saved.html.read_text(encoding="utf-8")
    page = Page(text)
    assert page.loads == []
    assert page.scripts == 2
    assert "window.Plotly = Plotly" in text
    assert text.count(figure.to_json()) == 1
    assert HOSTILE not in text.rsplit("<body>", 1)[1]
    assert "<title>&lt;/script&gt;" in text


def test_a_matplotlib_figure_becomes_a_page_with_its_picture(tmp_path):
    [saved] = save_plots({"painted": Painted()}, UPath(tmp_path))
    page = Page(saved.html.read_text(encoding="utf-8"))
    assert page.images == ["data:image/png;base64,iVBORw=="]
    assert page.scripts == 0
    assert saved.json is None


def test_names_become_safe_file_names_and_stay_apart(tmp_path, figure):
    names = ["ROC (test)", "roc/test", "../../etc", "Ação", "…"]
    saved = save_plots(dict.fromkeys(names, figure), UPath(tmp_path))
    stems = [plot.html.stem for plot in saved]
    assert [plot.name for plot in saved] == names
    assert stems[0] == "roc_test"
    assert stems[1].startswith("roc_test-")
    assert stems[2:] == ["etc", "a_o", "plot"]
    assert {plot.html.parent for plot in saved} == {UPath(tmp_path)}


def test_nothing_is_written_if_one_plot_is_no_figure(tmp_path, figure):
    with pytest.raises(HookError, match="'b' is a list; a plot is a plotly or a matplotlib Fig"):
        save_plots({"a": figure, "b": []}, UPath(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_plot_that_was_never_saved_is_said_to_be_missing(tmp_path):
    with pytest.raises(MissingValueError, match=r"There is no plot at .*roc\.json"):
        load_plot(UPath(tmp_path) / "roc.json")


def test_a_notebook_is_valid_and_carries_plotly_once(tmp_path, figure):
    path = tmp_path / "new" / "plots.ipynb"
    write_notebook({"first": figure, "second": figure, "painted": Painted()}, path)
    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    nbformat.validate(notebook)
    shown = [cell.outputs[0].data["text/html"] for cell in notebook.cells]
    assert [cell.source for cell in notebook.cells] == ["# first", "# second", "# painted"]
    assert ["window.Plotly = Plotly" in html for html in shown] == [True, False, False]
    assert [html.count(figure.to_json()) for html in shown] == [1, 1, 0]


def test_a_notebook_gives_a_figure_the_height_that_it_asks_for(tmp_path, figure):
    path = tmp_path / "plots.ipynb"
    # The name is what stands for the script while the rest is encoded.
    write_notebook({"<plotly.js/>": go.Figure(layout_height=1110), "plain": figure}, path)
    cells = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4).cells
    shown = [cell.outputs[0].data["text/html"] for cell in cells]
    assert "height:1110px" in shown[0]
    assert "height:600px" in shown[1]
    assert cells[0].source == "# <plotly.js/>"
    assert "window.Plotly = Plotly" in shown[0]


def test_an_exported_notebook_still_draws_every_figure(tmp_path, figure):
    path = tmp_path / "plots.ipynb"
    write_notebook({"first": figure, "second": figure}, path)
    body, _ = HTMLExporter().from_filename(str(path))
    assert body.count('Plotly.newPlot("figure-') == 2
    assert body.count("window.Plotly = Plotly") == 1
    assert body.count('celltag_xingu-plot" id=') == 2, "the style hides their code"


def test_saved_json_is_what_plotly_reads(tmp_path, figure):
    [saved] = save_plots({"a": figure}, UPath(tmp_path))
    assert list(json.loads(saved.json.read_bytes())) == ["data", "layout"]


def test_a_plot_method_returns_figures_by_name(figure):
    result = {"drawn": figure, "painted": Painted()}
    assert figures_of(result, [], "flights.render_a") == result


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "returned NoneType; return a dict of names to figures"),
        ({"a": "picture.png"}, "returned str as the plot 'a'; a plot is a plotly or a matplotlib"),
        ({"taken": go.Figure()}, "returned the plot 'taken' a second time; rename it"),
        ({1: go.Figure()}, "returned the name 1"),
    ],
)
def test_a_plot_method_that_returns_anything_else_is_told_so(result, said):
    with pytest.raises(HookError, match=f"flights.render_a {said}"):
        figures_of(result, ["taken"], "flights.render_a")


def test_a_matplotlib_figure_is_saved_as_page_and_pictures(tmp_path):
    figure = Figure()
    figure.subplots().plot([1, 2, 3])
    [saved] = save_plots({"painted": figure}, UPath(tmp_path), ["png", "svg"])
    assert Page(saved.html.read_text()).images[0].startswith("data:image/png;base64,iVBORw")
    assert [path.name for path in saved.pictures] == ["painted.png", "painted.svg"]
    assert b"<svg" in saved.pictures[1].read_bytes()
    assert figures_of({"painted": figure}, [], "flights.render_a") == {"painted": figure}


def test_pictures_that_cannot_be_drawn_are_one_warning(tmp_path, figure, monkeypatch, caplog):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nowhere"))
    saved = save_plots({"a": figure, "b": figure}, UPath(tmp_path), ["png", "svg"])
    assert [plot.pictures for plot in saved] == [(), ()]
    assert all(plot.html.exists() for plot in saved)
    [warning] = [one.getMessage() for one in caplog.records if "pictures" in one.getMessage()]
    assert "no pictures (png, svg) of 2 plots" in warning
    assert "the extra 'png' and a browser" in warning


@pytest.mark.usefixtures("browser")
def test_pictures_are_drawn_inside_a_running_event_loop_too(tmp_path, figure):
    async def as_in_a_notebook():
        return save_plots({"a": figure, "b": Painted()}, UPath(tmp_path), ["png"])

    saved = asyncio.run(as_in_a_notebook())
    assert [path.read_bytes()[:4] for plot in saved for path in plot.pictures] == [b"\x89PNG"] * 2
