"""The report that users get."""

import pytest

from xingu.errors import UntrainedModelError
from xingu.reports.compare import compare_trains
from xingu.reports.report import Report
from xingu.tracking.query import TrainFilter


@pytest.fixture
def report(trains):
    trains.add("a", {"RMSE": 2.0, "MAE": 1.0})
    trains.add("b", {"RMSE": 1.0, "MAE": 1.0})
    return trains.report()


def test_a_report_is_a_comparison_with_the_same_frames(trains, report):
    compared = compare_trains(trains.db, TrainFilter())
    assert isinstance(report, Report)
    assert report.metrics.equals(compared.metrics)
    assert report.evolution.equals(compared.evolution)
    assert report.references == compared.references


def test_a_selection_is_a_report_again(report):
    selected = report.select(["RMSE"]).with_directions({"RMSE": "more"})
    assert isinstance(selected, Report)
    assert "MAE" not in str(selected)
    assert selected.verdicts.loc[("houses", "test", "RMSE"), "b"] == -1


def test_a_prompt_shows_terminal_tables_without_colours(report, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as the kernel of a notebook does
    assert repr(report) == str(report)
    assert "RMSE" in repr(report)
    assert "\x1b" not in repr(report)


def test_a_notebook_shows_a_card_with_a_table(report):
    shown = report._repr_html_()
    assert shown.count("<table") == 1
    assert "<script" not in shown


def test_files_are_written_to_text_paths_too(report, tmp_path):
    report.to_html(str(tmp_path / "a.html"))
    report.to_excel(str(tmp_path / "a.xlsx"))
    assert (tmp_path / "a.html").stat().st_size > 1_000_000, "plotly is inside"
    assert (tmp_path / "a.xlsx").read_bytes()[:2] == b"PK"


def test_a_reference_may_be_a_full_train_id(trains, report):
    assert trains.report("of-a:a").references == {"houses": "a"}
    with pytest.raises(UntrainedModelError, match="use fewer filters") as caught:
        trains.report("of-c:c")
    assert caught.value.facts["train_id"] == "of-c:c"
