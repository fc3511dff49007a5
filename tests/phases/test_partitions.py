"""Partitions of batches as Dagster's, before anything runs."""

import datetime as dt

import dagster as dg
import pytest

from tests.support.toys import Houses
from xingu.errors import DeclarationError, SettingsError
from xingu.provider.partitions import parse_partitions
from xingu.records import BatchPartition
from xingu_dagster import XinguTranslator, build_xingu_assets
from xingu_dagster.inspection.declarations import Declarations
from xingu_dagster.partitions import (
    chosen_partitions,
    latest_partition,
    partition_of,
    partition_tags,
    partitions_def_of,
)

TOWNS = dg.StaticPartitionsDefinition(["north", "south", "west"])
SOLD = "select * from sales where sold >= :partition_start and town = :partition_key"


def defined(declared) -> dg.PartitionsDefinition:
    parsed = parse_partitions("dp", declared)
    assert parsed is not None
    return partitions_def_of(parsed)


def partitioned(declared=None, query=SOLD, **members):
    sources = {"houses": {"source": "db", "query": query}}
    return type("Sold", (Houses,), {"batch_predict_dataset_sources": sources,
                                    "batch_partitions": declared, **members})  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "key", "start", "end"),
    [
        ({"daily": "2026-01-01"}, "2026-01-31", "2026-01-31", "2026-02-01"),
        ({"hourly": "2026-01-01"}, "2026-01-01-23:00", "2026-01-01T23:00", "2026-01-02"),
        ({"monthly": "2026-01-01"}, "2026-02-01", "2026-02-01", "2026-03-01"),
    ],
)
def test_a_period_ends_where_the_next_one_begins(declared, key, start, end):
    expected = BatchPartition(key, *map(dt.datetime.fromisoformat, (start, end)))
    assert partition_of(defined(declared), key) == expected


def test_periods_of_a_time_zone_have_it_also_over_a_change_of_the_clocks():
    found = partition_of(defined({"daily": "2026-01-01", "timezone": "Europe/Paris"}), "2026-03-29")
    assert found.start and found.end  # noqa: PT018
    utc = [one.astimezone(dt.UTC).isoformat() for one in (found.start, found.end)]
    assert utc == ["2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00"]


def test_keys_are_no_periods():
    assert partition_of(TOWNS, "north") == BatchPartition("north")
    assert latest_partition(defined({"daily": "2999-01-01"})) is None


@pytest.mark.parametrize(
    ("requested", "keys"),
    [("north", ["north"]), ("north..south", ["north", "south"]), ("latest", ["west"])],
)
def test_a_request_is_a_key_a_range_or_the_latest(requested, keys):
    assert chosen_partitions(requested, {"houses": TOWNS}) == keys


@pytest.mark.parametrize(
    ("requested", "text"),
    [
        ("nort", "There is no partition 'nort' of houses; it has north, south, west. Did you mean"),
        ("west..north", r"west is after north; write north..west"),
    ],
)
def test_another_request_is_an_error_that_names_partitions(requested, text):
    with pytest.raises(SettingsError, match=text):
        chosen_partitions(requested, {"houses": TOWNS})


def test_a_run_has_partitions_of_one_kind():
    other = dg.StaticPartitionsDefinition(["north", "south"])
    with pytest.raises(SettingsError, match="houses and flats have different partitions"):
        chosen_partitions("north", {"houses": TOWNS, "flats": other})
    with pytest.raises(SettingsError, match="no batch that was asked for has any"):
        chosen_partitions("north", {})
    assert partition_tags([]) == {}


def test_only_the_batch_has_partitions():
    assets = build_xingu_assets(partitioned({"daily": "2026-01-01"}))
    for spec in (spec for one in assets for spec in one.specs):
        in_batch = spec.key.path[:2] == ["houses", "batch"]
        assert (spec.partitions_def is not None) == in_batch


def test_a_translator_may_give_other_partitions():
    class Customers(XinguTranslator):
        def get_batch_partitions(self, provider):
            return dg.DynamicPartitionsDefinition(name="customers")

    assets = build_xingu_assets(partitioned(), translator=Customers())
    kinds = {type(spec.partitions_def) for one in assets for spec in one.specs}
    assert kinds == {type(None), dg.DynamicPartitionsDefinition}


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (partitioned({"daily": "2026-01-01"}, batch_predict_dataset_sources={}), "no batch to div"),
        (partitioned({"daily": "2026-01-01"}, batch_predict_sinks={"a": {"url": "a.csv"}}),
         "each partition would replace the file"),
        (partitioned(query="x", batch_predict_sinks={"a": {"url": "{partition_key}.csv"}}),
         "the batch has no partitions"),
    ],
)  # fmt: skip
def test_what_cannot_be_divided_is_an_error_when_the_graph_is_built(cls, text):
    with pytest.raises(DeclarationError, match=text):
        build_xingu_assets(cls)


def findings(cls) -> list[tuple[str, str]]:
    declarations = Declarations(cls)
    declarations.read()
    return [(one.severity, one.text) for one in declarations.findings]


def test_check_reports_partitions_that_no_source_reads_and_parameters_without_partitions():
    assert findings(partitioned({"daily": "2026-01-01"})) == []
    ((severity, text),) = findings(partitioned({"daily": "2026-01-01"}, "select * from houses"))
    assert (severity, "each partition reads the same rows" in text) == ("warning", True)
    ((severity, text),) = findings(partitioned())
    assert (severity, "uses :partition_start, which only" in text) == ("error", True)
    ((severity, text),) = findings(partitioned({"static": ["north"]}))
    assert (severity, "'north' is no period of time" in text) == ("error", True)


def test_check_plans_queries_before_there_is_a_partition_and_looks_for_no_file_of_one():
    cls = partitioned({"daily": "2999-01-01"})
    cls.batch_predict_dataset_sources = {
        "houses": {"source": "db", "query": SOLD}, "file": {"url": "{partition_key}.csv"},
    }  # fmt: skip
    declarations = Declarations(cls)
    declarations.read()
    assert declarations.findings == []
    ((spec,),) = [one.specs for one in declarations.sources if "batch" in one.attribute]
    assert spec.parameters["partition_key"] == "partition"
