"""Order, groups, parallel jobs, errors, secrets and versions of the outside data."""

import copy
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from tests.support.files import observe
from xingu.errors import DeclarationError, MissingFileError, QueryError, SourceError, XinguError
from xingu.sources import Databases, SourceCache, parse_sources, read_sources

NO_CACHE = SourceCache(None)


def parse(declared):
    return parse_sources("delay", "train_dataset_sources", declared)


@pytest.fixture
def databases(tmp_path) -> Databases:
    with duckdb.connect(str(tmp_path / "dw.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a FROM range(3)")
    return Databases({"dw": "duckdb:///dw.duckdb", "lite": "sqlite:///lite.db"}, tmp_path)


def sql(query: str, group: str | None = None, source: str = "dw") -> dict[str, str]:
    return {"source": source, "query": query} | ({"group": group} if group else {})


def test_results_come_in_the_declared_order(databases):
    declared = {name: sql(f"SELECT '{name}' AS a") for name in "cab"}
    results = list(read_sources("delay", parse(declared), databases, NO_CACHE))
    assert [(result.name, result.frame["a"][0]) for result in results] == [
        *(("c", "c"), ("a", "a"), ("b", "b"))
    ]


def test_a_group_runs_in_order_on_one_connection_also_between_other_sources(databases):
    declared = {
        "make": sql("CREATE TEMP TABLE x AS SELECT 5 AS a", "g"),
        "other": sql("SELECT 1 AS a"),
        "change": sql("INSERT INTO x VALUES (6)", "g"),
        "take": sql("SELECT sum(a) AS a FROM x", "g"),
    }
    results = {r.name: r for r in read_sources("delay", parse(declared), databases, NO_CACHE)}
    assert list(results) == list(declared)
    assert results["make"].frame.shape == (0, 0)
    assert results["take"].frame["a"].tolist() == [11]


def test_groups_do_not_share_temporary_tables(databases):
    declared = {
        "make": sql("CREATE TEMP TABLE x AS SELECT 5 AS a", "g"),
        "take": sql("SELECT a FROM x", "h"),
    }
    with pytest.raises(QueryError, match="x does not exist"):
        list(read_sources("delay", parse(declared), databases, NO_CACHE))


def test_a_wanted_member_runs_the_earlier_ones_of_its_group_and_no_later_one(databases):
    declared = {
        "make": sql("CREATE TEMP TABLE x AS SELECT 5 AS a", "g"),
        "take": sql("SELECT a FROM x", "g"),
        "wrong": sql("SELECT nonsense", "g"),
        "elsewhere": sql("SELECT nonsense", "h"),
    }
    specs = parse(declared)
    (result,) = read_sources("delay", specs, databases, NO_CACHE, names={"take"})
    assert (result.name, result.frame["a"].tolist()) == ("take", [5])


def test_a_wanted_source_has_to_be_declared(databases):
    specs = parse({"flights": sql("SELECT 1")})
    with pytest.raises(DeclarationError, match="no source 'flight'.* Did you mean 'flights'"):
        list(read_sources("delay", specs, databases, NO_CACHE, names=["flight"]))


def test_nothing_wanted_reads_nothing(databases):
    specs = parse({"wrong": sql("SELECT nonsense")})
    assert list(read_sources("delay", specs, databases, NO_CACHE, names=[])) == []


def test_groups_run_at_the_same_time(site, no_databases):
    meeting = threading.Barrier(2)
    site.before = lambda path: meeting.wait(timeout=20)  # type: ignore[assignment]
    site.pages = {"/a.csv": b"a\n1\n", "/b.csv": b"a\n2\n"}
    declared = {
        "a": {"url": f"{site.url}/a.csv", "group": "g"},
        "b": {"url": f"{site.url}/b.csv", "group": "h"},
    }
    results = read_sources("delay", parse(declared), no_databases, NO_CACHE, max_workers=2)
    assert [result.frame["a"][0] for result in results] == [1, 2]


@pytest.mark.parametrize(("group", "workers"), [(None, 1), ("g", 2)])
def test_one_worker_or_one_group_reads_one_after_the_other(site, no_databases, group, workers):
    site.before = lambda path: time.sleep(0.05)
    site.pages = {f"/{name}.csv": b"a\n1\n" for name in "abc"}
    more = {"group": group} if group else {}
    declared = {name: {"url": f"{site.url}/{name}.csv", **more} for name in "abc"}
    specs = parse(declared)
    list(read_sources("delay", specs, no_databases, NO_CACHE, max_workers=workers))
    assert (site.gets.total(), site.most_at_once) == (3, 1)


def test_the_first_error_ends_all_without_waiting(site, no_databases):
    over = threading.Event()
    site.before = lambda path: over.wait(timeout=30)  # type: ignore[assignment]
    site.pages = {"/slow.csv": b"a\n1\n", "/never.csv": b"a\n1\n"}
    declared = {
        "slow": {"url": f"{site.url}/slow.csv", "group": "g"},
        "never": {"url": f"{site.url}/never.csv", "group": "g"},
        "gone": {"url": "gone.csv"},
    }
    with pytest.raises(MissingFileError, match=r"delay: source 'gone'"):
        list(read_sources("delay", parse(declared), no_databases, NO_CACHE, max_workers=2))
    assert not over.is_set()
    over.set()
    _wait_for_workers()
    assert site.gets["/never.csv"] == 0


ENDLESS = {
    "duckdb": "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}


@pytest.mark.parametrize(
    ("kind", "adbc"),
    # The ADBC driver of SQLite cannot be interrupted.
    [("duckdb", True), ("sqlite", False), ("postgresql", True), ("postgresql", False)],
)
def test_an_error_ends_the_running_queries_of_the_others(tmp_path, site, request, kind, adbc):
    (tmp_path / "lite.db").touch()
    urls = {"duckdb": "duckdb://", "sqlite": "sqlite:///lite.db"}
    url = urls.get(kind) or request.getfixturevalue("postgres_url")
    site.before = lambda path: time.sleep(0.5)
    declared = {"endless": sql(ENDLESS[kind], source="db"), "wrong": {"url": f"{site.url}/no.csv"}}
    databases = Databases({"db": url}, tmp_path, adbc=adbc)
    reading = read_sources("delay", parse(declared), databases, NO_CACHE, max_workers=2)
    with pytest.raises(SourceError, match="source 'wrong'"):
        next(reading)
    _wait_for_workers()


def _wait_for_workers() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("xingu-source"):
            thread.join(timeout=20)
            assert not thread.is_alive()


def test_a_consumer_that_has_enough_ends_the_rest(databases):
    declared = {"a": sql("SELECT 1 AS a"), "endless": sql(ENDLESS["duckdb"])}
    reading = read_sources("delay", parse(declared), databases, NO_CACHE, max_workers=2)
    assert next(reading).name == "a"
    reading.close()  # type: ignore[attr-defined]
    _wait_for_workers()


def test_each_source_is_logged_with_rows_columns_and_seconds(databases, caplog):
    caplog.set_level(logging.INFO, "xingu")
    (result,) = read_sources("delay", parse({"s": sql("FROM t")}), databases, NO_CACHE)
    assert result.seconds > 0
    (record,) = caplog.records
    assert record.getMessage() == f"delay: read s, 3 rows × 1 columns in {result.seconds:.2f} s"


def test_a_query_error_names_provider_source_database_and_query(databases, tmp_path):
    with pytest.raises(QueryError) as caught:
        list(read_sources("delay", parse({"s": sql("SELECT b FROM t")}), databases, NO_CACHE))
    message = str(caught.value)
    start = f"delay: source 's': the database 'dw' (duckdb:///{tmp_path}/dw.duckdb) refused"
    assert message.startswith(start)
    assert '"b"' in message
    assert message.endswith("Correct the query:\nSELECT b FROM t")
    facts = {"dataprovider_id": "delay", "source": "s", "database": "dw"}
    assert (facts | {"query": "SELECT b FROM t"}).items() <= caught.value.facts.items()
    assert '"b"' in str(caught.value.facts["reason"])


def test_columns_that_a_query_returns_twice_are_warned_of(databases, tmp_path, caplog):
    (tmp_path / "lite.db").touch()
    query = "SELECT a.*, b.* FROM (SELECT 1 AS id, 2 AS x) a, (SELECT 1 AS id, 3 AS y) b"
    declared = {"joined": sql(query, source="lite"), "one": sql("SELECT 1 AS id", source="lite")}
    joined, _ = read_sources("delay", parse(declared), databases, NO_CACHE)
    assert joined.frame.columns.tolist() == ["id", "x", "id", "y"]
    assert [one for one in caplog.messages if "two columns" in one] == [
        "delay: source 'joined' has two columns called 'id'; rename one, for example in the query."
    ]


def test_a_missing_database_file_names_provider_and_source(databases):
    specs = parse({"s": sql("SELECT 1", source="lite")})
    with pytest.raises(MissingFileError, match=r"delay: source 's': the database 'lite' \(sqlite"):
        list(read_sources("delay", specs, databases, NO_CACHE))


def test_the_declaration_of_the_user_is_never_changed(tmp_path, site, databases):
    site.pages = {"/f.txt": b"a\tb\n1\t2\n"}
    params = {"format": "txt", "usecols": ["a"], "dtype": {"a": "float"}, "storage_options": {}}
    declared = {
        "page": {"url": f"{site.url}/f.txt", "params": params},
        "query": sql("SELECT 1 AS a", "g"),
    }
    before = copy.deepcopy(declared)
    specs = parse(declared)
    for _ in range(2):
        list(read_sources("delay", specs, databases, SourceCache(tmp_path / "cache")))
    observe(specs[0], databases)
    assert declared == before
    assert specs == parse(declared)


def test_the_password_is_nowhere(tmp_path, postgres_url, caplog, site):
    caplog.set_level(logging.DEBUG, "xingu")
    password = "s3cr#t pass"
    quoted = "s3cr%23t%20pass"
    url = postgres_url.replace("postgres:@", f"postgres:{quoted}@")
    assert quoted in url
    wrong = url.replace("host=/", "host=/nowhere/")
    databases = Databases({"pg": url, "off": wrong}, tmp_path)
    site.pages = {"/f.csv": b"a\n1\n"}
    address = f"{site.url}/f.csv?token={quoted}".replace("//", f"//ann:{quoted}@")
    options = {"client_kwargs": {"headers": {"x-secret": password}}}
    declared = {
        "rows": sql(f"SELECT 1 AS a -- {password}", source="pg"),
        "page": {"url": address, "params": {"storage_options": options}},
    }
    cache = SourceCache(tmp_path / "cache")
    for _ in range(2):
        assert len(list(read_sources("delay", parse(declared), databases, cache))) == 2
    texts = [repr(parse(declared)[1]), repr(databases), databases.address("pg")]
    for bad in (
        sql(f"SELECT wrong, '{password}'", source="pg"),
        sql("SELECT 1", source="off"),
        {"url": address.replace("f.csv", "gone.csv")},
        {"url": address, "params": {"usecols": ["z"], "storage_options": options}},
    ):
        with pytest.raises(XinguError) as caught:
            list(read_sources("delay", parse({"bad": bad}), databases, NO_CACHE))
        error = caught.value
        assert error.__suppress_context__
        texts += [str(error), repr(error), str(error.facts), repr(error.__cause__)]
    texts += [record.getMessage() + repr(record.args) for record in caplog.records]
    texts += [
        str(path) + (path.read_bytes().decode("latin-1") if path.is_file() else "")
        for path in (tmp_path / "cache").rglob("*")
    ]
    assert len(texts) > 25
    for secret in (password, quoted, "s3cr"):
        assert [text for text in texts if secret in text] == []


def test_importing_the_package_imports_no_driver():
    heavy = ("duckdb", "sqlalchemy", "boto3", "botocore", "s3fs", "aiobotocore", "aiohttp")
    code = (
        "import sys, xingu.sources; "
        f"names = {{name.split('.')[0] for name in sys.modules}} & set({heavy!r}); "
        "names |= {name for name in sys.modules if name.startswith(('adbc', 'pyarrow.parquet'))}; "
        "print(*sorted(names))"
    )
    home = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
