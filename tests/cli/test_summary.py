"""What a terminal shows when a run has ended."""

import io

import pytest
from rich.console import Console

from xingu_dagster.cli.summary import print_summary


def record(**changes) -> dict:
    return {
        "id": "prices", "status": "success", "train_id": "wise-owl", "current": True,
        "metrics": {"train": {"RMSE": 15107.8, "Rows": 1050.0}, "test": {"RMSE": 21008.6}},
        "files": {}, "sinks": {}, "failures": [], "warnings": [], **changes,
    }  # fmt: skip


@pytest.fixture
def shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def shown(*records: dict, **changes) -> str:
        file = io.StringIO()
        console = Console(file=file, width=80, markup=False, highlight=False)
        document = {
            "dataproviders": records, "broken": {}, "error": "", "status": "success",
            "run_id": "0123456789", "seconds": 3.21, "log": str(tmp_path / "run.log"), **changes,
        }  # fmt: skip
        print_summary(document, console, traces=False)
        return file.getvalue()

    return shown


def test_numbers_are_those_of_the_report(shown):
    lines = [line.split() for line in shown(record()).splitlines()]
    assert ["RMSE", "15,108", "21,009"] in lines
    assert ["Rows", "1,050"] in lines


def test_metrics_of_many_classes_are_counted_and_the_report_is_named(shown):
    many = {f"F1 (class {number})": 0.5 for number in range(30)}
    text = shown(record(metrics={"test": many}))
    assert text.count("F1 (class") == 12
    assert "18 more: xingu report --train wise-owl" in text


def test_places_are_those_that_people_open(shown, tmp_path):
    plots = tmp_path / "plots"
    files = {"plots": str(plots), "metrics": "values/m", "estimations": "values/e"}
    assert "values/e" in shown(record(files=files))
    plots.mkdir()
    (plots / "index.html").write_text("")
    text = shown(record(files=files, sinks={"sheet": "prices.csv", "table": "prices on db"}))
    assert "plots        plots/index.html\n" in text
    assert "prices.csv\n" in text
    assert "prices on db\n" in text
    assert "values/" not in text


def test_paths_within_messages_are_relative_to_the_current_folder(shown, tmp_path):
    failure = {"phase": "fit", "message": "it broke", "cause": f"KeyError ({tmp_path}/a.py:3)"}
    text = shown(record(status="failed", failures=[failure]))
    assert "    KeyError (a.py:3)\n" in text
    assert "Log: run.log." in text


def test_a_run_that_fails_for_a_file_alone_says_so(shown):
    broken = {"dataproviders_bad": "bad.py cannot be imported: SyntaxError"}
    text = shown(record(), broken=broken, status="failed")
    assert "! bad.py cannot be imported: SyntaxError\n" in text
    assert "Run 01234567 failed after 3.2 s, because of what cannot be used." in text
