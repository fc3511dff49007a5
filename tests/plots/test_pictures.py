"""Pictures of figures: optional, and never a reason to fail."""

import plotly.graph_objects as go
import pytest
from upath import UPath

from xingu.plots.pictures import save_pictures


class Painted:
    def savefig(self, file, **options):
        file.write(options["format"].encode())


class Broken:
    def savefig(self, file, **options):
        raise RuntimeError("no font\nand a long trace")


@pytest.fixture
def stems(tmp_path):
    return {name: UPath(tmp_path) / name for name in ("first", "second.v2")}


def test_without_a_format_nothing_is_written(stems, tmp_path):
    assert save_pictures({"first": Painted()}, stems, []) == {}
    assert save_pictures({}, stems, ["png"]) == {}
    assert list(tmp_path.iterdir()) == []


def test_each_plot_has_a_picture_of_each_format_beside_its_page(stems):
    saved = save_pictures({"first": Painted(), "second.v2": Painted()}, stems, ["png", "svg"])
    assert {name: [path.name for path in paths] for name, paths in saved.items()} == {
        "first": ["first.png", "first.svg"],
        "second.v2": ["second.v2.png", "second.v2.svg"],
    }
    assert saved["first"][1].read_bytes() == b"svg"


def test_a_broken_figure_is_one_warning_of_one_line(stems, caplog):
    assert save_pictures({"first": Broken(), "second.v2": Painted()}, stems, ["png"]) == {}
    [warning] = [record.getMessage() for record in caplog.records]
    assert warning.startswith("no pictures (png) of 2 plots: RuntimeError: no font; ")
    assert "long trace" not in warning


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    blocked = {"first": UPath(tmp_path) / "file" / "first"}
    assert save_pictures({"first": Painted()}, blocked, ["png"]) == {}
    assert "no pictures (png) of 1 plots" in caplog.text


def test_a_missing_browser_is_a_warning_that_names_the_extra(stems, caplog, monkeypatch, tmp_path):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nowhere"))
    assert save_pictures({"first": go.Figure()}, stems, ["png"]) == {}
    assert "need the extra 'png' and a browser" in caplog.text
