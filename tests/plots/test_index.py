"""The index page of a train."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import plotly.graph_objects as go
import pytest
from upath import UPath

from xingu.errors import MissingValueError
from xingu.plots import single_page
from xingu.plots.collect import Gallery
from xingu.plots.files import Header, PlotFolder, save_gallery
from xingu.plots.script import packed_script
from xingu.records import MetricRow, TrainRun

RUN = TrainRun("homes", "brave-fox", "session", "run")
WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
HOSTILE = "</td><script>alert(1)</script>"


class Painted:
    def savefig(self, file, **options):
        file.write(b"\x89PNG")


@pytest.fixture(params=["local", "memory"])
def train(request, tmp_path) -> UPath:
    return UPath(tmp_path) if request.param == "local" else UPath(f"memory://{uuid.uuid4()}/train")


def save(train, part, channel, figures, set_name=None, metrics=()):
    gallery = Gallery()
    gallery.add_builtin(channel, figures, set_name)
    save_gallery(gallery, PlotFolder(train, part), Header(RUN, WHEN, metrics))


def sections(train) -> dict[str, str]:
    page = (train / "index.html").read_text(encoding="utf-8")
    titles = re.findall("<h2>(.*?)</h2>", page)
    return dict(zip(titles, page.split("<section ")[1:], strict=True))


def test_all_parts_of_a_train_are_on_one_page(train):
    save(train, "batch", "batch_predict", {"Residuals": go.Figure()})
    save(train, "hyperparameters", "search", {"History": go.Figure()})
    save(train, "", "trainsets", {"Residuals": go.Figure()}, "test")
    found = sections(train)
    assert list(found) == ["test", "Batch", "Search"]
    ids = re.findall('<figure class="xingu-plot" id="(.*?)"', "".join(found.values()))
    assert ids == ["residuals_test", "batch-residuals", "hyperparameters-history"]


def test_sets_come_in_the_order_of_their_weight(train):
    gallery = Gallery()
    for name in ("train", "holdout", "val", "test"):
        gallery.add_builtin("trainsets", {"ROC": go.Figure()}, name)
    gallery.add_builtin("global", {"Importance": go.Figure()})
    save_gallery(gallery, PlotFolder(train), Header(RUN, WHEN))
    assert list(sections(train)) == ["test", "val", "train", "holdout", "Model"]


def test_metrics_are_rounded_for_people_and_exact_on_demand(train):
    metrics = [
        MetricRow("test", "R2", 0.123456789, None),
        MetricRow("test", "Rows", 1234567.0, None),
        MetricRow("test", "AUC", None, "undefined: one class"),
        MetricRow("test", "Odd", float("nan"), None),
        MetricRow("val", "R2", 0.5, None),
    ]
    save(train, "", "trainsets", {"ROC": go.Figure()}, "test", metrics)
    found = sections(train)
    assert '<td>R2</td><td title="0.123456789">0.1235</td>' in found["test"]
    assert '<td>Rows</td><td title="1234567.0">1,234,567</td>' in found["test"]
    assert ">undefined: one class</td>" in found["test"]
    assert ">nan</td>" in found["test"]
    assert "0.5" in found["val"]


def test_drawing_again_replaces_the_part(train):
    save(train, "", "trainsets", {"ROC": go.Figure(), "KS": go.Figure()}, "test")
    save(train, "", "trainsets", {"ROC": go.Figure()}, "test")
    assert sections(train)["test"].count("<figure") == 1


def test_steps_that_write_at_the_same_time_lose_no_plot(tmp_path):
    for attempt in range(10):
        folder = UPath(tmp_path / str(attempt))
        parts = {"": "trainsets", "batch": "batch_predict", "hyperparameters": "search"}
        with ThreadPoolExecutor(3) as pool:
            jobs = [
                pool.submit(save, folder, part, channel, {f"of {channel}": go.Figure()})
                for part, channel in parts.items()
            ]
        assert [job.result() for job in jobs] == [None] * 3
        assert list(sections(folder)) == ["Sets", "Batch", "Search"]


def test_a_plot_that_needs_room_takes_the_width_of_the_page(train):
    figures = {"tall": go.Figure(layout_height=900), "lines": go.Figure(go.Parcoords())}
    save(train, "", "global", figures)
    found = re.findall(
        'class="xingu-plot xingu-wide" id="(.*?)" style="height:(.*?)px"', page(train)
    )
    assert found == [("tall", "900"), ("lines", "500")]


def test_pictures_and_hostile_names_are_shown_as_they_are(train):
    metrics = [MetricRow("test", HOSTILE, None, HOSTILE)]
    save(train, "", "trainsets", {HOSTILE: Painted()}, "test", metrics)
    save(train, "batch", "batch_predict", {HOSTILE: go.Figure(layout_title_text=HOSTILE)})
    assert HOSTILE not in page(train)
    assert "data:image/png;base64,iVBORw==" in page(train)


def test_what_is_damaged_or_gone_is_left_out_with_a_warning(train, caplog):
    save(train, "batch", "batch_predict", {"a": go.Figure(), "b": go.Figure()})
    save(train, "hyperparameters", "search", {"c": go.Figure()})
    (train / "batch" / "a.json").unlink()
    (train / "hyperparameters" / "plots.json").write_bytes(b"{")
    save(train, "", "global", {"d": go.Figure()})
    assert {name: text.count("<figure") for name, text in sections(train).items()} == {
        "Model": 1,
        "Batch": 1,
    }
    assert "a.json is missing" in caplog.text
    assert "plots.json is damaged" in caplog.text


def test_a_single_page_has_plotly_in_it_and_loads_nothing(train):
    save(train, "", "global", {"a": go.Figure()})
    whole = single_page(train)
    assert whole.count(packed_script()) == 1
    assert b'src="plotly.js"></script></head>' not in whole
    assert b'src="plotly.js"></script></head>' in page(train).encode()


def test_a_single_page_of_nothing_is_an_error_that_names_the_folder(train):
    with pytest.raises(MissingValueError, match="There are no plots in"):
        single_page(train)


def page(train) -> str:
    return (train / "index.html").read_text(encoding="utf-8")
