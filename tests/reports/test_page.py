"""The HTML page of a report."""

import json
import re
from html.parser import HTMLParser

import pytest

from xingu.plots.pages import plotly_script
from xingu.reports.page import LIMIT, page, tables_html, write_page


class Cells(HTMLParser):
    """The cells of all tables, row by row."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag in self.open:
            del self.open[len(self.open) - 1 - self.open[::-1].index(tag) :]

    def handle_data(self, data):
        if self.rows and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, name):
        return next(cells[1:] for cells in self.rows if cells and cells[0] == name)


def shown(report):
    """The page without plotly.js, which may contain anything."""
    return page(report).replace(plotly_script(), b"").decode()


def test_tables_show_values_differences_and_marks(trains):
    trains.add("a", {"RMSE": 2.0})
    trains.add("b", {"RMSE": 1.0})
    trains.add("c", {"RMSE": 3.0})
    cells = Cells(tables_html(trains.report()))
    assert cells.row("") == ["c", "b(reference)", "a"]
    assert [text.split() for text in cells.row("RMSE")] == [
        ["3.0000", "+2.00", "▼"], ["1.0000"], ["2.0000", "+1.00", "▼"]]  # fmt: skip


def test_a_single_train_has_no_reference_and_no_verdict(trains):
    trains.add("only", {"RMSE": 2.0}, parameters={"depth": 3})
    text = shown(trains.report())
    assert "(reference)" not in text
    assert "▲ better" not in text
    assert ">Hyperparameters<" in text


def test_only_hyperparameters_that_differ_have_a_row_and_the_others_are_counted(trains):
    for at in range(2):
        trains.add(f"t{at}", {"RMSE": 1.0}, parameters={"depth": at, "rate": 0.1})
    text = shown(trains.report())
    assert Cells(text).row("depth") == ["1", "0"]
    assert "<td>rate</td>" not in text
    assert "2 hyperparameters the same in all of them." in text


@pytest.mark.parametrize(("count", "note"), [(LIMIT, False), (LIMIT + 1, True), (LIMIT + 3, True)])
def test_more_trains_than_fit_are_counted_and_listed(trains, count, note):
    for at in range(count):
        trains.add(f"t{at}", {"RMSE": float(at)})
    text = shown(trains.report())
    assert ("in the charts and in the list below" in text) == note
    assert f"All {count} trains" in text
    assert text.count("<td>of-t") == count + min(count, LIMIT)


def test_each_metric_of_each_dataprovider_has_a_chart_with_its_data(trains):
    trains.add("a", {"RMSE": 2.0, "MAE": 1.0})
    trains.add("b", {"RMSE": 2.0}, dp="taxes")
    text = shown(trains.report())
    ids = re.findall(r'class="xingu-chart" id="([^"]*)"', text)
    assert len(ids) == len(set(ids)) == 3
    for one in ids:
        [data] = re.findall(f'id="{one}-json">(.*?)</script>', text)
        assert json.loads(data)["data"]


def test_a_report_without_metrics_has_no_charts(trains):
    trains.add("a")
    text = shown(trains.report())
    assert "<h3>Evolution</h3>" not in text
    assert 'class="xingu-chart"' not in text


def test_the_page_is_utf_8_and_says_so(trains):
    trains.add("maçã", {"erro médio": 1.0}, dp="preços")
    made = page(trains.report())
    assert b'<meta charset="utf-8">' in made
    assert "erro médio" in made.decode("utf-8")


def test_writing_again_replaces_the_page(trains, tmp_path):
    path = tmp_path / "report.html"
    for at in range(2):
        trains.add(f"t{at}", {"RMSE": 1.0})
        write_page(trains.report(), path)
    assert "t1" in path.read_text()
    assert [one.name for one in tmp_path.iterdir() if "control.db" not in one.name] == [path.name]
