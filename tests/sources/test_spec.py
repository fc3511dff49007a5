"""Tests of valid declarations of sources, and of the errors for all others."""

import copy
from pathlib import Path

import pytest

from xingu.errors import DeclarationError
from xingu.sources import SqlSource, UrlSource, parse_sources


def parse_one(entry, name="flights"):
    (spec,) = parse_sources("delay", "train_dataset_sources", {name: entry})
    return spec


def refusal(entry, name="flights") -> str:
    with pytest.raises(DeclarationError) as caught:
        parse_one(entry, name)
    message = str(caught.value)
    assert message.startswith("delay.train_dataset_sources")
    return message


def test_a_query_is_kept_as_it_is_written():
    spec = parse_one({"source": "dw", "query": " SELECT '%s', ':x' -- end ", "group": "g"})
    assert spec == SqlSource("flights", "dw", " SELECT '%s', ':x' -- end ", "g")


@pytest.mark.parametrize(
    ("url", "format_", "compression"),
    [
        ("data/a.parquet", "parquet", None),
        ("data/a.pq", "parquet", None),
        ("file:///data/A.CSV", "csv", None),
        ("https://host/a.csv.gz?version=1.json", "csv", "gz"),
        ("s3://bucket/a.b/c.txt.bz2", "txt", "bz2"),
        ("a.tsv.xz", "txt", "xz"),
        ("memory://a.json.zst", "json", "zst"),
        ("a.ndjson.zip", "jsonl", "zip"),
        ("s3://bucket/folder.parquet/", "parquet", None),
    ],
)
def test_the_format_is_taken_from_the_suffix(url, format_, compression):
    spec = parse_one({"url": url})
    assert isinstance(spec, UrlSource)
    assert (spec.format, spec.compression) == (format_, compression)


def test_params_format_overrides_the_suffix_and_stays_in_the_declaration():
    declared = {"a": {"url": "a.txt", "params": {"format": "csv", "usecols": ["x"]}}}
    before = copy.deepcopy(declared)
    (spec,) = parse_sources("delay", "train_dataset_sources", declared)
    assert isinstance(spec, UrlSource)
    assert spec.format == "csv"
    assert spec.params == {"usecols": ["x"]}
    assert declared == before


def test_a_later_change_of_the_declaration_does_not_change_the_spec():
    declared = {"url": "a.csv", "params": {"usecols": ["x"]}}
    spec = parse_one(declared)
    declared["params"]["usecols"].append("y")
    assert isinstance(spec, UrlSource)
    assert spec.params["usecols"] == ["x"]


def test_a_path_object_is_a_url():
    assert parse_one({"url": Path("a.csv")}).url == "a.csv"


def test_the_declared_order_is_kept():
    declared = {name: {"url": f"{name}.csv"} for name in "cab"}
    assert [spec.name for spec in parse_sources("d", "a", declared)] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"source": "dw", "query": "q", "url": "a.csv"}, "has 'source' and 'url'; keep one"),
        ({"query": "q"}, "has none of 'source', 'url' and 'asset'; keep one"),
        ({"sorce": "dw", "query": "q"}, "Did you mean 'source'?"),
        ({"source": "dw", "qery": "q"}, "'qery' is not known beside 'source'"),
        ({"source": "dw", "qery": "q"}, "Did you mean 'query'?"),
        ({"url": "a.csv", "query": "q"}, "known: depends_on, group, observe_seconds, params, url"),
        ({"source": "dw"}, "['query'] is missing or empty; give a string"),
        ({"source": "dw", "query": 5}, "['query'] is a int; give a string"),
        ({"url": "  "}, "['url'] is missing or empty"),
        ({"url": "a.csv", "params": ["x"]}, "['params'] is a list; give a dict"),
        ({"url": "a.csv", "group": ["x"]}, "['group'] is ['x']; give a string"),
        ({"url": "a.xls"}, "known: parquet, csv, txt, json"),
        ({"url": "a.xls"}, "Declare it: 'params': {'format': 'csv'}"),
        ({"url": "data"}, "has no known format ('no suffix')"),
        ({"url": "a.gz"}, "has no known format"),
        ({"url": "a", "params": {"format": "parqet"}}, "Did you mean 'parquet'?"),
        ("SELECT 1", "is a str; give a dict"),
    ],
)
def test_a_wrong_entry_is_refused_with_what_to_do(entry, words):
    message = refusal(entry)
    assert message.startswith("delay.train_dataset_sources['flights']")
    assert words in message


def test_sources_have_names():
    assert "must be a non-empty string" in refusal({"url": "a.csv"}, name="")
    assert "must be a non-empty string" in refusal({"url": "a.csv"}, name=3)


def test_a_declaration_that_is_no_dict_is_refused():
    with pytest.raises(DeclarationError, match=r"delay\.get_it is a list; give a dict"):
        parse_sources("delay", "get_it", [])  # type: ignore[arg-type]


def test_no_secret_of_a_url_is_shown():
    url = "https://ann:pass1@host/a.csv?token=pass2&x-amz-signature=pass3&api_key=pass4&day=5"
    spec = parse_one({"url": url, "params": {"storage_options": {"secret": "pass5"}}})
    assert "pass" not in repr(spec)
    assert isinstance(spec, UrlSource)
    assert "pass" not in spec.label
    assert "day=***" in spec.label
    assert "pass" not in refusal({"url": url.replace(".csv", ".xls")})
