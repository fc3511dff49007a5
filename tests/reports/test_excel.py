"""The workbook of a report."""

import math

import openpyxl
import pytest

from xingu.reports.excel import write_workbook


@pytest.fixture
def book(tmp_path):
    """Write a report and read it again."""

    def written(report):
        write_workbook(report, tmp_path / "report.xlsx")
        return openpyxl.load_workbook(tmp_path / "report.xlsx")

    return written


def test_the_first_rows_and_columns_stay_visible(trains, book):
    trains.add("a", {"RMSE": 1.0})
    sheets = book(trains.report())
    assert {sheet.title: sheet.freeze_panes for sheet in sheets} == {
        "Trains": "A2",
        "Metrics": "D2",
        "Differences": "D2",
        "Hyperparameters": "C2",
        "Attributes": "C2",
        "Evolution": "A2",
    }


def test_a_report_without_metrics_has_all_sheets(trains, book):
    trains.add("a")
    sheets = book(trains.report())
    assert len(sheets.sheetnames) == 6
    assert sheets["Metrics"].max_row == 1


def test_only_differences_have_colours(trains, book):
    trains.add("a", {"RMSE": 1.0, "R2": 0.5})
    trains.add("b", {"RMSE": 2.0, "R2": 0.6})
    sheets = book(trains.report())
    coloured = {
        sheet.title: [cell.coordinate for row in sheet for cell in row if cell.fill.fill_type]
        for sheet in sheets
    }
    assert coloured.pop("Differences") == ["D2", "D3"]
    assert not any(coloured.values())


def test_parameters_that_are_lists_become_text_and_missing_ones_stay_empty(trains, book):
    trains.add("a", {"RMSE": 1.0}, parameters={"layers": [8, 4]})
    trains.add("b", {"RMSE": math.nan and 1.0}, parameters={"deep": True})
    rows = book(trains.report())["Hyperparameters"].iter_rows(min_row=2, values_only=True)
    found = {row[1]: row[2:] for row in rows}
    assert found["layers"] == (None, "[8, 4]")
    assert found["deep"] == (True, None)


def test_writing_again_replaces_the_file(trains, book):
    trains.add("a", {"RMSE": 1.0})
    book(trains.report())
    trains.add("b", {"RMSE": 1.0})
    assert book(trains.report())["Trains"].max_row == 3
