"""Tests of a report's renderers: the terminal's table, the page, the workbook."""

import io
import json
import math
import re
import sys

import openpyxl
import pytest
from rich.console import Console

from tests.support.recorded import day
from xingu.errors import SettingsError
from xingu.reports.page import page, tables_html
from xingu.reports.terminal import print_report, sparks
from xingu.texts import counted, is_count, number

EVIL = "</script><b>&[bold]"


def printed(report, width=80, **options):
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    print_report(report, console, **options)
    return console.file.getvalue()


def charts_of(html: str) -> dict[str, dict]:
    """Return the charts of a page by the name of the metric."""
    found = re.findall(r'<script type="application/json" id="chart-[^"]*">(.*?)</script>', html)
    return {chart["layout"]["title"]["text"]: chart for chart in map(json.loads, found)}


@pytest.fixture
def many(trains):
    """A hundred trains of two branches, the newest better than the one before it."""
    for at in range(100):
        parameters = {"depth": at % 2, "rate": 0.1}
        metrics = {"RMSE": 200.0 - at, "MAE": at + 1.0, "R2": "NaN" if at == 99 else at / 100}
        trains.add(f"train-{at}", metrics, branch=f"b{at % 2}", parameters=parameters)
    return trains


# -- terminal -------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(many, width):
    assert max(map(len, printed(many.report(), width).splitlines())) <= width


def test_the_newest_that_fit_are_shown_and_the_rest_is_counted(many):
    text = printed(many.report())
    assert [f"train-{at} " in text for at in (99, 98, 97, 96)] == [True, True, True, False]
    assert "97 older trains not shown: --limit N" in text


def test_more_are_shown_one_table_below_the_other(many):
    text = printed(many.report(), limit=7)
    assert all(f"train-{at}" in text for at in range(93, 100))
    assert "93 older trains" in text


def test_the_reference_is_always_shown(many):
    assert "train-5\n" in re.sub(r" +\n", "\n", printed(many.report("train-5")))


def test_better_and_worse_are_marked_and_coloured(many):
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    print_report(many.report(), console)
    lines = console.file.getvalue().splitlines()
    rmse, mae = (next(line for line in lines if f" {name} " in line) for name in ("RMSE", "MAE"))
    assert re.search(r"\x1b\[32m +-1\.00▲", rmse)
    assert re.search(r"\x1b\[31m +\+1\.00▼", mae)


def test_only_hyperparameters_that_differ_are_shown(many):
    text = printed(many.report())
    assert "\ndepth" in text
    assert "\nrate" not in text
    assert "2 hyperparameters the same in all of them." in text


def test_settings_in_force_are_not_shown_although_they_differ(trains):
    for at in range(2):
        trains.add(
            f"t{at}", {"RMSE": 1.0}, settings=f'{{"PROJECT_HOME": "{at}"}}', host_name=f"h{at}"
        )
    text = printed(trains.report())
    assert "host name" in text
    assert "PROJECT_HOME" not in text


def test_all_trains_count_in_the_evolution_and_named_metrics_are_by_branch(many):
    assert re.search(r"test +RMSE +100 +200\.0 +101\.0 +101\.0 +200\.0 +█", printed(many.report()))
    by_branch = printed(many.report().select(["RMSE"]), branches=True)
    assert re.search(r"test +RMSE +b1 +50 +199\.0 +101\.0", by_branch)


def test_a_single_train_and_one_without_metrics_are_shown(trains):
    trains.add("only", parameters={"depth": 3})
    text = printed(trains.report())
    assert re.search(r"depth +3", text)
    assert "worse" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.0123456, "0.012346"), (1234.56, "1,234.6"), (-1e-7, "-1e-07"),
     (123456789.0, "123,456,789"), (math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "NaN")],
)  # fmt: skip
def test_numbers_have_the_digits_that_count(value, text):
    assert number(value) == text


def test_sparks_are_means_of_neighbours(many):
    values = many.report().evolution.query("name == 'MAE'")["value"]
    line = sparks(values)
    assert (len(line), line[0], line[-1], list(line)) == (12, "▁", "█", sorted(line))
    assert sparks(values[:1]) == ""


# -- page -----------------------------------------------------------------------------------------


def test_the_page_needs_nothing_from_elsewhere(many):
    text = page(many.report()).decode()
    own = text[text.index("</head>") :]
    assert "Plotly.newPlot" in own
    assert not re.search(r"""(src|href)=|https?://""", own)


def test_charts_have_all_trains_with_their_branches(many):
    chart = charts_of(page(many.report()).decode())["RMSE"]
    assert {line["name"]: len(line["x"]) for line in chart["data"]} == {
        "test · b0": 50, "test · b1": 50}  # fmt: skip
    assert chart["layout"]["title"]["subtitle"]["text"] == "100 trains; lower is better"
    assert chart["data"][0]["x"][0] == f"{day(0):%Y-%m-%dT%H:%M:%S}"


def test_the_page_says_what_was_declared_of_a_metric_and_shows_it_as_colours(trains):
    trains.add("a", {"skew": 2.0})
    trains.add("b", {"skew": -1.0}, directions={"skew": "zero"})
    text = page(trains.report()).decode()
    chart = charts_of(text)["skew"]
    assert chart["layout"]["title"]["subtitle"]["text"] == "2 trains; closer to 0 is better"
    assert '<i class="better">-3.00' in text
    assert "metric directions" not in text


def test_what_is_not_finite_is_a_cross_with_its_name(many):
    cross = charts_of(page(many.report()).decode())["R2"]["data"][-1]
    assert (cross["name"], cross["text"]) == ("NaN or infinite", ["train-99 · test: NaN"])


def test_many_branches_are_put_together(trains):
    for at in range(30):
        trains.add(f"t{at}", {"RMSE": 1.0}, branch="main" if at % 2 else f"try-{at}")
    lines = charts_of(page(trains.report()).decode())["RMSE"]["data"]
    points = {line["name"]: len(line["x"]) for line in lines}
    assert (points["test · main"], points["test · other branches"]) == (15, 11)


def test_texts_of_the_user_are_no_html(trains):
    for train_id in ("a", "b"):
        trains.add(train_id + EVIL, {EVIL: 1.0}, dp=EVIL, branch=EVIL, parameters={EVIL: train_id})
    text = page(trains.report()).decode()
    assert "</script><b>" not in text
    assert "</script><b>" not in tables_html(trains.report())
    assert EVIL in printed(trains.report(), 200)


def test_the_page_is_written_where_it_is_told(many, tmp_path):
    many.report().to_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "The newest 8 trains; 92 older trains" in text
    assert text.count("<td>of-train-") == 108


# -- workbook -------------------------------------------------------------------------------------


def test_the_workbook_has_a_sheet_for_each_frame(many, tmp_path):
    many.report().to_excel(tmp_path / "report.xlsx")
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    frames = "Trains Metrics Differences Hyperparameters Attributes Evolution"
    assert book.sheetnames == frames.split()
    header, rmse, _, r2 = book["Metrics"].iter_rows(values_only=True)
    assert header[:4] == ("dataprovider_id", "set", "name", "train-99")
    assert rmse[:4] == ("houses", "test", "RMSE", 101)
    assert r2[3] == "NaN"
    assert book["Trains"]["D2"].value == day(99).replace(tzinfo=None)
    fills = [cell.fill.fgColor.rgb for cell in book["Differences"]["D"][1:3]]
    assert fills == ["00D5F0E4", "00FBDDCB"]


def test_no_text_becomes_a_formula_or_breaks_the_file(trains, tmp_path):
    trains.add(
        "a", {"note": "=1+1", "long": "x" * 40_000, "bell": "a\x07\ufffeb", "RMSE": math.inf}
    )
    trains.report().to_excel(tmp_path / "report.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx")["Metrics"]
    values = {row[2].value: row[3] for row in sheet.iter_rows(min_row=2)}
    assert (values["note"].value, values["note"].data_type) == ("=1+1", "s")
    assert (values["bell"].value, values["RMSE"].value) == ("ab", "inf")
    assert len(values["long"].value) == 32_767


def test_without_openpyxl_it_says_what_to_install(trains, tmp_path, monkeypatch):
    trains.add("a")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(SettingsError, match=r"pip install 'xingu\[excel\]'"):
        trains.report().to_excel(tmp_path / "report.xlsx")


@pytest.mark.parametrize(
    ("count", "name", "text"),
    [(0, "train", "0 trains"), (1, "train", "1 train"), (2, "train", "2 trains"),
     (1, "query", "1 query"), (2, "query", "2 queries"), (2, "day", "2 days")],
)  # fmt: skip
def test_a_count_has_a_plural(count, name, text):
    assert counted(count, name) == text


@pytest.mark.parametrize(("metric", "count"), [("Rows", True), ("Rows with target", True),
                                               ("RMSE", False), ("Rowset", False)])  # fmt: skip
def test_a_number_of_rows_has_no_decimals_and_a_metric_keeps_its_own(metric, count):
    assert is_count(metric) is count
    assert number(200.0, whole=count) == ("200" if count else "200.00")
    assert number(1_234_567_890.0, whole=True) == "1,234,567,890"
    assert number(2.5, whole=True) == "2.5000"
