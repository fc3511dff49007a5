"""Tests of the command's output: tables, records and JSON."""

import json
from datetime import datetime

import pytest
from rich.console import Console

from xingu_dagster.cli.output import (
    cell_text,
    make_console,
    make_table,
    minutes_of,
    paragraph,
    print_json,
    print_section,
    shown_paths,
)


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        (0, "0"),
        (True, "yes"),
        (False, "no"),
        (0.1 + 0.2, "0.3"),
        (1234567.0, "1.23457e+06"),
        ([1, None, "a"], "1, , a"),
        ({"a": 0.5, "b": [True]}, "a=0.5, b=yes"),
        ([], ""),
    ],
)
def test_a_value_becomes_the_text_of_a_cell(value, text):
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("iso", "text"),
    [("2026-01-02T03:04:05.678+00:00", "2026-01-02 03:04"), (None, ""), ("", "")],
)
def test_times_end_at_the_minute(iso, text):
    assert minutes_of(iso) == text


def test_a_paragraph_breaks_between_words_on_a_terminal_alone():
    text = (
        "There is no folder of DataProviders\nat /a/long/path/that-is-copied/dataproviders-of-mine"
    )
    terminal = Console(force_terminal=True, width=30)
    assert paragraph(text, terminal, "  ").splitlines() == [
        "  There is no folder of",
        "  DataProviders",
        "  at",
        "  /a/long/path/that-is-copied/dataproviders-of-mine",
    ]
    assert paragraph(text, Console(force_terminal=False, width=30)) == text


def test_paths_below_the_current_folder_are_relative_and_others_are_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = f"KeyError ({tmp_path}/a.py:3) /mnt{tmp_path}/b s3://{tmp_path}/c {tmp_path}s/d"
    whole = text.partition(") ")[2]
    assert shown_paths(text) == f"KeyError (a.py:3) {whole}"


def test_json_is_json_with_times_as_text(capsys):
    print_json([{"time": datetime(2026, 1, 1), "number": 1}])
    assert json.loads(capsys.readouterr().out) == [{"time": "2026-01-01 00:00:00", "number": 1}]


def test_a_record_is_printed_without_what_is_empty(capsys):
    print_section("Train", {"train_id": "calm-fox", "target": None, "pre_reqs": {}})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.strip()] == [
        ["Train"], ["train", "id", "calm-fox"],
    ]  # fmt: skip


@pytest.mark.parametrize("content", [{}, [], {"a": None}])
def test_a_section_without_content_is_not_printed(capsys, content):
    print_section("Empty", content)
    assert capsys.readouterr().out == ""


def test_columns_of_numbers_are_aligned_to_the_right(capsys):
    print_section("Rows", [{"set": "train", "rows": 5}, {"set": "val", "rows": 12345}])
    lines = capsys.readouterr().out.splitlines()
    ends = {len(line.rstrip()) for line in lines if line.strip().endswith("5")}
    assert len(ends) == 1


def test_long_texts_are_wrapped_and_not_cut(capsys):
    words = [f"word{number}" for number in range(30)]
    print_section("Long", {"text": " ".join(words)})
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 40
    assert printed.split()[2:] == words


def test_markup_is_printed_as_it_is(capsys):
    table = make_table("[b]title[/b]", "[red]")
    table.add_row("select [id] :smile:")
    make_console().print(table)
    printed = capsys.readouterr().out
    assert [text for text in ("[b]title[/b]", "[red]", "[id] :smile:") if text not in printed] == []
