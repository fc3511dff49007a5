"""The partition of a batch reaches queries as bound parameters, and addresses as a part of them."""

import datetime as dt
import sqlite3

import duckdb
import pytest
from sqlalchemy import create_engine

from xingu.errors import DataError, DeclarationError, QueryError
from xingu.records import BatchPartition
from xingu.sources import Databases, SourceCache, parse_sources, read_sources
from xingu.sources.parameters import bind_partition, with_placeholders

DAY = BatchPartition("2026-01-02", dt.datetime(2026, 1, 2), dt.datetime(2026, 1, 3))
ROWS = "create table sales (n integer, sold timestamp, town text)"
VALUES = [(1, "2026-01-01 23:59:59", "a"), (2, "2026-01-02 00:00:00", "b"),
          (3, "2026-01-02 23:00:00", "2026-01-02"), (4, "2026-01-03 00:00:00", "c")]  # fmt: skip
WINDOW = "select n from sales where sold >= :partition_start and sold < :partition_end order by n"
HOSTILE = "x'; drop table sales; --"


@pytest.fixture(scope="module")
def databases(tmp_path_factory, postgres_url):
    """The same table in every kind of database, read by every kind of driver."""
    home = tmp_path_factory.mktemp("databases")
    inserts = [f"insert into sales values ({n}, '{at}', '{town}')" for n, at, town in VALUES]
    with (
        sqlite3.connect(home / "sales.sqlite") as lite,
        duckdb.connect(home / "sales.duck") as duck,
    ):
        for statement in [ROWS, *inserts]:
            lite.execute(statement)
            duck.execute(statement)
    urls = {"sqlite": f"sqlite:///{home}/sales.sqlite", "duckdb": f"duckdb:///{home}/sales.duck"}
    schema = create_engine(postgres_url)
    with schema.begin() as connection:
        for statement in ["drop table if exists sales", ROWS, *inserts]:
            connection.exec_driver_sql(statement)
    schema.dispose()
    given = {
        "engine": create_engine(urls["sqlite"]),
        "sqlite3": lambda: sqlite3.connect(home / "sales.sqlite"),
        "given_duckdb": lambda: duckdb.connect(home / "sales.duck", read_only=True),
        "psycopg2": create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg2://")),
    }
    return Databases({**urls, "postgres": postgres_url}, home, given=given)


NAMES = ("sqlite", "duckdb", "postgres", "engine", "sqlite3", "given_duckdb", "psycopg2")


def read(databases, name, query, partition=DAY):
    declared = {"sales": {"source": name, "query": query}}
    specs = bind_partition("dp.batch", parse_sources("dp", "batch", declared), partition)
    (result,) = read_sources("dp", specs, databases, SourceCache(None))
    return result.frame


@pytest.mark.parametrize("name", NAMES)
def test_every_driver_binds_the_window_as_times(databases, name):
    assert read(databases, name, WINDOW)["n"].tolist() == [2, 3]


@pytest.mark.parametrize("name", NAMES)
def test_names_in_texts_and_comments_percent_signs_and_casts_stay_as_they_are(databases, name):
    cast = "cast(n as integer)" if "sqlite" in name or name == "engine" else "n::integer"
    query = f"""select {cast} as n, ':partition_key 100 %' as told -- :partition_start, 5 %
        from sales where town = :partition_key and town not like '%!%' escape '!'"""
    frame = read(databases, name, query)
    assert frame.to_dict("records") == [{"n": 3, "told": ":partition_key 100 %"}]


@pytest.mark.parametrize("name", NAMES)
def test_a_key_is_a_value_and_never_sql(databases, name):
    query = "select n from sales where town = :partition_key"
    assert read(databases, name, query, BatchPartition(HOSTILE)).empty
    assert len(read(databases, name, "select n from sales")) == len(VALUES)


@pytest.mark.parametrize("name", ["sqlite", "duckdb"])
def test_members_of_a_group_share_the_partition(databases, name):
    declared = {
        "one": {
            "source": name, "group": "g",
            "query": f"create temp table picked as {WINDOW.removesuffix(' order by n')}",
        },
        "two": {
            "source": name, "group": "g",
            "query": "select count(*) as c, min(:partition_key) as k from picked",
        },
    }  # fmt: skip
    specs = bind_partition("dp.batch", parse_sources("dp", "batch", declared), DAY)
    *_, two = read_sources("dp", specs, databases, SourceCache(None))
    assert two.frame.to_dict("records") == [{"c": 2, "k": "2026-01-02"}]


def test_the_cache_tells_partitions_apart(databases, tmp_path):
    declared = parse_sources("dp", "batch", {"sales": {"source": "sqlite", "query": WINDOW}})
    other = BatchPartition("2026-01-03", DAY.end, dt.datetime(2026, 1, 4))
    found = [
        next(
            iter(
                read_sources(
                    "dp", bind_partition("dp", declared, one), databases, SourceCache(tmp_path)
                )
            )
        )
        for one in (DAY, other, DAY)
    ]
    assert [(len(one.frame), one.cached) for one in found] == [(2, False), (1, False), (2, True)]


def test_a_driver_whose_parameters_are_unknown_is_refused():
    with pytest.raises(TypeError, match="unknown way"):
        with_placeholders(WINDOW, {"partition_start": 1, "partition_end": 2}, "")


def test_a_parameter_without_partitions_or_without_a_period_is_an_error(databases):
    with pytest.raises(DeclarationError, match="uses :partition_start, which only"):
        read(databases, "sqlite", WINDOW, None)
    with pytest.raises(DeclarationError, match="'north' is no period of time; use :partition_key"):
        read(databases, "sqlite", WINDOW, BatchPartition("north"))
    with pytest.raises(QueryError):
        read(databases, "sqlite", "select :partition_kay")


def bound_url(key):
    declared = {"sales": {"url": "in/{partition_key}.csv"}}
    specs = parse_sources("dp", "batch", declared)
    return bind_partition("dp.batch", specs, BatchPartition(key))[0].url


@pytest.mark.parametrize("key", ["../up", "a/b", "a\\b", "..", "", "a\nb"])
def test_a_key_that_leads_to_another_folder_is_refused(key):
    with pytest.raises(DataError, match="cannot be a part of an address"):
        bound_url(key)


def test_an_address_has_the_key():
    assert bound_url("2026-01-02") == "in/2026-01-02.csv"
