"""Declarations of sinks."""

from pathlib import Path

import pytest

from xingu.errors import DeclarationError
from xingu.sinks.spec import FileSink, TableSink, parse_sinks


def test_files_and_tables_are_parsed_in_the_declared_order():
    declared = {
        "sheet": {"url": Path("out") / "scores.CSV"},
        "lake": {"url": "s3://bucket/scores", "format": "parquet"},
        "scores": {"database": "dw", "table": "analytics.scores"},
        "history": {"database": "dw", "table": "h", "mode": "append", "key": "id"},
    }
    assert parse_sinks("houses", declared) == (
        FileSink("sheet", "out/scores.CSV", "csv"),
        FileSink("lake", "s3://bucket/scores", "parquet"),
        TableSink("scores", "dw", "analytics.scores"),
        TableSink("history", "dw", "h", "append", ("id",)),
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("out.csv", r"is 'out.csv'; give \{'url'"),
        ({}, r"give \{'url': address\} for a file"),
        ({"url": "a.csv", "table": "t"}, "for a file, or"),
        ({"url": "a.xlsx"}, r"\['format'\] is 'xlsx'; known: csv, parquet"),
        ({"url": "a"}, r"\['format'\] is ''"),
        ({"url": " "}, r"\['url'\] is ' '; give a non-empty string"),
        ({"url": "a.csv", "fromat": "csv"}, "'fromat' is not known beside 'url'.* 'format'"),
        ({"table": "t"}, r"\['database'\] is None"),
        ({"database": "d", "table": "t", "mode": "upsert"}, r"\['mode'\] is 'upsert'; known: rep"),
        ({"database": "d", "table": "t", "key": 3}, r"\['key'\] is 3; give a column"),
    ],
)
def test_a_malformed_sink_is_an_error_that_says_where_and_what_to_write(entry, said):
    with pytest.raises(DeclarationError, match=r"houses\.batch_predict_sinks\['out'\].*" + said):
        parse_sinks("houses", {"out": entry})


def test_sinks_that_are_no_dict_are_an_error():
    with pytest.raises(DeclarationError, match="is a list; give a dict"):
        parse_sinks("houses", [{"url": "a.csv"}])  # pyright: ignore
