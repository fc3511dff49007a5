"""Pages of plots in a browser without a network."""

import html
import re
import shutil
from datetime import UTC, datetime

import plotly.graph_objects as go
import pytest
from upath import UPath

from tests.support.browser import rendered
from xingu.plots import single_page
from xingu.plots.collect import Gallery
from xingu.plots.files import Header, PlotFolder, save_gallery
from xingu.records import TrainRun

PLOTS = {"one": go.Figure(go.Bar(y=[1])), "<b>two": go.Figure(), "three": go.Figure()}
SAVE = """<script>
URL.createObjectURL = blob => {
  blob.text().then(text => {
    document.body.innerHTML = "<pre></pre>"; document.body.firstChild.textContent = text;
  });
  return "#";
};
document.querySelector(".xingu-save").click();
</script>"""


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """A copy of the folder of a train."""
    plots = tmp_path_factory.mktemp("plots")
    gallery = Gallery()
    gallery.add_builtin("trainsets", PLOTS, "test")
    run = TrainRun("homes", "brave-fox", "session", "run")
    place = PlotFolder(UPath(plots / "homes" / "fox"), "batch", plots / "shared")
    save_gallery(gallery, place, Header(run, datetime.now(UTC)))
    return shutil.copytree(plots / "homes" / "fox", tmp_path_factory.mktemp("copy") / "fox")


def drawn(page: str) -> int:
    return page.count('class="js-plotly-plot"')


def test_the_index_page_draws_all_plots_and_names_those_without_a_title(browser, train):
    page = rendered(browser, f"file://{train}/index.html")
    assert drawn(page) == 3
    assert set(re.findall(r'class="gtitle"[^>]*>(.*?)</text>', page)) >= {"one (test)"}


def test_the_page_of_a_plot_in_a_folder_below_is_drawn(browser, train):
    assert drawn(rendered(browser, f"file://{train}/batch/one_test.html")) == 1


def test_a_page_without_plotly_says_what_to_do(browser, train, tmp_path):
    alone = shutil.copyfile(train / "index.html", tmp_path / "index.html")
    page = rendered(browser, f"file://{alone}")
    assert drawn(page) == 0
    assert '<p class="xingu-note">plotly.js was not found' in page


def test_a_single_page_needs_no_other_file(browser, train, tmp_path):
    (tmp_path / "plots.html").write_bytes(single_page(train))
    assert drawn(rendered(browser, f"file://{tmp_path}/plots.html")) == 3


def test_the_index_page_saves_itself_as_one_file(browser, train, tmp_path):
    (train / "saving.html").write_bytes((train / "index.html").read_bytes() + SAVE.encode())
    [saved] = re.findall(
        "<pre>(.*)</pre>", rendered(browser, f"file://{train}/saving.html"), re.DOTALL
    )
    (tmp_path / "saved.html").write_text(html.unescape(saved))
    page = rendered(browser, f"file://{tmp_path}/saved.html")
    assert drawn(page) == 3
