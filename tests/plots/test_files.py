import asyncio
import json
import uuid
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure
from upath import UPath

from xingu.errors import HookError, MissingValueError
from xingu.plots import PlotFolder, figures_of, importance, load_plot, save_plots
from xingu.plots.files import file_stems
from xingu.plots.script import packed_script

HOSTILE = "</script><b>&x</b>"


class Painted:
    """What matplotlib figures offer; matplotlib itself is not needed to be drawn."""

    def savefig(self, file, **options):
        assert options["format"] == "png"
        file.write(b"\x89PNG")


class Page(HTMLParser):
    """Addresses that a page loads, its scripts and its pictures."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.scripts, self.images = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "script":
            self.scripts.append(attributes.get("type", "javascript"))
        if tag == "img":
            self.images.append(attributes["src"])
        if tag in ("script", "link", "iframe"):
            self.loads += [attributes[one] for one in ("src", "href") if one in attributes]


@pytest.fixture
def figure():
    return importance(pd.Series([3.0, 1.0], ["speed", HOSTILE]))


@pytest.fixture(params=["local", "file", "memory"])
def place(request, tmp_path):
    folder = {
        "local": UPath(tmp_path / "plots" / "train"),
        "file": UPath(f"file://{tmp_path}/plots/train"),
        "memory": UPath(f"memory://{uuid.uuid4()}/plots/train"),
    }[request.param]
    return PlotFolder(folder, shared=tmp_path / "shared")


def here(tmp_path, part="") -> PlotFolder:
    return PlotFolder(UPath(tmp_path), part)


def test_a_plot_is_saved_as_page_and_json_and_read_back(place, figure):
    [saved] = save_plots({"Feature importance": figure}, place)
    assert saved.name == "Feature importance"
    assert saved.html == place.train / "feature_importance.html"
    assert saved.json == place.train / "feature_importance.json"
    assert load_plot(saved.json) == figure


def test_saving_again_replaces_and_leaves_nothing_else(place, figure):
    save_plots({"a": go.Figure()}, place)
    save_plots({"a": figure}, place)
    names = sorted(path.name for path in place.train.iterdir())
    assert names == ["a.html", "a.json", "plotly.js"]
    assert load_plot(place.train / "a.json") == figure
    assert (place.train / "plotly.js").read_bytes() == packed_script()


@pytest.mark.parametrize("part", ["", "batch"])
def test_a_page_loads_the_script_of_the_folder_only_and_holds_the_data_once(tmp_path, figure, part):
    [saved] = save_plots({HOSTILE: figure}, here(tmp_path, part))
    text = saved.html.read_text(encoding="utf-8")
    page = Page(text)
    [address] = page.loads
    script = (Path(str(saved.html)).parent / address).resolve()
    assert script.read_bytes() == packed_script()
    assert script.parent == tmp_path
    assert page.scripts == ["javascript", "application/json", "javascript"]
    assert text.count(figure.to_json()) == 1
    assert HOSTILE not in text
    assert "<title>&lt;/script&gt;" in text


def test_pages_share_one_script(tmp_path, figure):
    save_plots(dict.fromkeys("abcdefghij", figure), here(tmp_path))
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes.pop("plotly.js") < 2_000_000
    assert sum(sizes.values()) < 200_000


def test_a_matplotlib_figure_becomes_a_page_with_its_picture(tmp_path):
    [saved] = save_plots({"painted": Painted()}, here(tmp_path))
    page = Page(saved.html.read_text(encoding="utf-8"))
    assert page.images == ["data:image/png;base64,iVBORw=="]
    assert "application/json" not in page.scripts
    assert saved.json is None
    assert [path.read_bytes() for path in saved.pictures] == [b"\x89PNG"]
    assert not (tmp_path / "plotly.js").exists()


def test_names_become_safe_file_names_and_stay_apart(tmp_path, figure):
    names = ["ROC (test)", "roc/test", "../../etc", "Ação", "…"]
    saved = save_plots(dict.fromkeys(names, figure), here(tmp_path))
    stems = [plot.html.stem for plot in saved]
    assert [plot.name for plot in saved] == names
    assert stems[0] == "roc_test"
    assert stems[1].startswith("roc_test-")
    assert stems[2:] == ["etc", "a_o", "plot"]
    assert {plot.html.parent for plot in saved} == {UPath(tmp_path)}


def test_no_plot_takes_the_name_of_another_file_or_folder():
    taken = ["index", "plots", "plotly", "batch", "Hyperparameters"]
    assert all(stem.startswith(f"{name.lower()}-") for name, stem in file_stems(taken).items())


def test_nothing_is_written_if_one_plot_is_no_figure(tmp_path, figure):
    with pytest.raises(HookError, match="'b' is a list; a plot is a plotly or a matplotlib Fig"):
        save_plots({"a": figure, "b": []}, here(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_plot_that_was_never_saved_is_said_to_be_missing(tmp_path):
    with pytest.raises(MissingValueError, match=r"There is no plot at .*roc\.json"):
        load_plot(UPath(tmp_path) / "roc.json")


def test_saved_json_is_what_plotly_reads(tmp_path, figure):
    [saved] = save_plots({"a": figure}, here(tmp_path))
    assert list(json.loads(saved.json.read_bytes())) == ["data", "layout"]


def test_a_plot_method_returns_figures_by_name(figure):
    result = {"drawn": figure, "painted": Painted()}
    assert figures_of(result, [], "flights.render_a") == result


def test_a_plot_method_that_returns_none_draws_nothing():
    assert figures_of(None, [], "flights.render_a") == {}


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (7, "returned int; return a dict of names to figures"),
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
    [saved] = save_plots({"painted": figure}, here(tmp_path), ["png", "svg"])
    assert Page(saved.html.read_text()).images[0].startswith("data:image/png;base64,iVBORw")
    assert [path.name for path in saved.pictures] == ["painted.png", "painted.svg"]
    assert b"<svg" in saved.pictures[1].read_bytes()
    assert figures_of({"painted": figure}, [], "flights.render_a") == {"painted": figure}


def test_pictures_that_cannot_be_drawn_are_one_warning(tmp_path, figure, monkeypatch, caplog):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nowhere"))
    saved = save_plots({"a": figure, "b": figure}, here(tmp_path), ["png", "svg"])
    assert [plot.pictures for plot in saved] == [(), ()]
    assert all(plot.html.exists() for plot in saved)
    [warning] = [one.getMessage() for one in caplog.records if "pictures" in one.getMessage()]
    assert "no pictures (png, svg) of 2 plots" in warning
    assert "the extra 'png' and a browser" in warning


@pytest.mark.usefixtures("browser")
def test_pictures_are_drawn_inside_a_running_event_loop_too(tmp_path, figure):
    async def as_in_a_notebook():
        return save_plots({"a": figure, "b": Painted()}, here(tmp_path), ["png"])

    saved = asyncio.run(as_in_a_notebook())
    assert [path.read_bytes()[:4] for plot in saved for path in plot.pictures] == [b"\x89PNG"] * 2
