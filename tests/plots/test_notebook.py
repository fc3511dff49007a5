"""The notebooks behind the link in the Dagster UI."""

import json

import nbformat
import pytest
from nbconvert import HTMLExporter

from xingu.plots.index import Entry, Part, Shown
from xingu.plots.notebook import write_notebook
from xingu.plots.script import packed_script

NAME = "a\nimport os; os.system('ls')"


@pytest.fixture
def folder(tmp_path):
    plots = (Entry(name=NAME, stem="a", channel="global"),)
    part = Part(dataprovider_id="homes", train_id="fox", time="now", drawn=0, plots=plots)
    shown = Shown("", part, {"a": json.dumps({"data": [], "layout": {"title": {"text": NAME}}})})
    write_notebook([shown], tmp_path / "homes" / "fox" / "plots.ipynb", tmp_path)
    return tmp_path


def converted(path) -> str:
    return HTMLExporter().from_filename(str(path))[0]


def test_notebooks_are_valid_and_hold_no_code(folder):
    for path in folder.rglob("*.ipynb"):
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
        assert [cell.source for cell in notebook.cells] == [""]


def test_plotly_is_in_a_notebook_that_all_share(folder):
    own = folder / "homes" / "fox" / "plots.ipynb"
    [library] = folder.glob("plotly-*.ipynb")
    assert own.stat().st_size < 50_000
    assert json.dumps(str(library)) in converted(own)
    assert packed_script().decode() in converted(library)


def test_a_converted_notebook_still_holds_every_figure(folder):
    shown = converted(folder / "homes" / "fox" / "plots.ipynb")
    assert shown.count('<figure class="xingu-plot"') == 1
    assert json.dumps(NAME) in shown
