"""The cache: what decides a hit, what is kept, and several processes at once."""

import gzip
import logging
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from upath import UPath

from tests.support.files import Desk, files
from xingu.errors import StorageError
from xingu.sources import Databases, SourceCache, parse_sources, read_sources


def test_what_was_read_once_is_taken_from_the_cache_and_the_log_says_so(desk, caplog):
    caplog.set_level(logging.INFO)
    first, second = desk.read_page(), desk.read_page()
    assert (first.cached, second.cached) == (False, True)
    assert desk.site.gets["/f.csv"] == 1
    pd.testing.assert_frame_equal(first.frame, second.frame)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("xingu")]
    assert lines[0].startswith("delay: read s, 1 rows × 2 columns in ")
    assert lines[1].startswith("delay: took s from the cache, 1 rows × 2 columns in ")


def test_without_a_folder_nothing_is_cached(tmp_path, site):
    desk = Desk(tmp_path, None, site)  # type: ignore[arg-type]
    desk.read_page()
    assert not desk.read_page().cached
    assert list(tmp_path.iterdir()) == []


def test_another_query_is_another_entry(database):
    for query in ("SELECT a FROM t", "SELECT b FROM t"):
        result = database.read({"s": {"source": "one", "query": query}})["s"]
        assert not result.cached
    assert len(files(database)) == 2


def test_the_same_query_on_another_database_is_another_entry(database):
    for nickname in ("one", "two"):
        result = database.read({"s": {"source": nickname, "query": "SELECT b FROM t"}})["s"]
        assert result.frame["b"].tolist() == [nickname]


def test_the_same_nickname_with_another_url_is_another_entry(database):
    declared = {"s": {"source": "one", "query": "SELECT b FROM t"}}
    database.read(declared)
    database.urls["one"] = database.urls["two"]
    assert database.read(declared)["s"].frame["b"].tolist() == ["two"]


def test_the_name_of_source_and_nickname_do_not_matter(database):
    database.read({"s": {"source": "one", "query": "SELECT b FROM t"}})
    database.urls["uno"] = database.urls["one"]
    assert database.read({"x": {"source": "uno", "query": "SELECT b FROM t"}})["x"].cached


def test_a_renewed_secret_is_no_other_entry_but_another_selection_is(desk):
    def page(query: str) -> bool:
        desk.site.pages["/f.csv"] = b"a\n1\n"
        return desk.read({"s": {"url": f"{desk.site.url}/f.csv?{query}"}})["s"].cached

    assert not page("token=old&day=5")
    assert page("token=new&day=5")
    assert page("day=5")
    assert not page("token=new&day=6")
    assert not page("key=a")
    assert not page("key=b")


@pytest.mark.parametrize(
    "params",
    [{"usecols": ["a"]}, {"dtype": {"a": float}}, {"dtype": {"a": np.float32}}, {"format": "txt"}],
)
def test_other_params_are_another_entry(desk, params):
    desk.read_page()
    assert not desk.read_page(params=params).cached
    assert desk.read_page(params=params).cached


def test_params_that_hold_code_are_not_cached_and_a_warning_says_so(desk, caplog):
    params = {"converters": {"a": lambda text: int(text) + 1}}
    assert desk.read_page(params=params).frame["a"].tolist() == [2]
    assert not desk.read_page(params=params).cached
    assert "delay: source 's' is not cached: its `params` hold code" in caplog.text


def test_an_edited_local_file_is_read_anew(desk, tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("a\n1\n")
    declared = {"s": {"url": "f.csv"}}
    assert [desk.read(declared)["s"].cached for _ in range(2)] == [False, True]
    path.write_text("a\n22\n")
    result = desk.read(declared)["s"]
    assert (result.cached, result.frame["a"].tolist()) == (False, [22])


def test_refresh_reads_anew_and_replaces(desk):
    desk.read_page()
    desk.site.pages["/f.csv"] = b"a\n7\n"
    assert desk.read_page().frame["a"].tolist() == [1]
    assert desk.read_page(refresh=True).frame["a"].tolist() == [7]
    result = desk.read_page()
    assert (result.cached, result.frame["a"].tolist()) == (True, [7])
    assert len(files(desk)) == 1


def test_a_renewed_secret_of_the_storage_is_no_other_entry(desk):
    def page(secret: str) -> bool:
        options = {"client_kwargs": {"headers": {"x-secret": secret}}}
        return desk.read_page(params={"storage_options": options}).cached

    assert [page("old"), page("new")] == [False, True]


def test_who_reads_an_entry_is_not_disturbed_by_its_replacement(desk):
    desk.read_page()
    (file,) = files(desk)
    before = file.read_bytes()
    with file.open("rb") as reader:
        desk.site.pages["/f.csv"] = b"a\n7\n"
        desk.read_page(refresh=True)
        assert reader.read() == before
    assert file.read_bytes() != before


def test_no_half_written_file_is_left(desk):
    desk.read_page()
    suffixes = sorted(path.suffix for path in Path(desk.folder).iterdir() if path.is_file())
    assert suffixes == [".digest", ".parquet"]


def test_types_survive_the_cache(database):
    query = """SELECT 1 AS whole, 0.5 AS real, 'x' AS word, NULL AS nothing, x'00ff' AS blob,
    DATE '2024-01-02' AS day, TIME '01:02:03' AS clock, TIMESTAMP '2024-01-02' AS moment,
    TIMESTAMPTZ '2024-01-02 03:04:05+02' AS zoned, true AS flag, INTERVAL '1 hour' AS span
    UNION ALL SELECT 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"""
    database.urls["duck"] = "duckdb:///:memory:"
    declared = {"s": {"source": "duck", "query": query.replace("x'00ff'", "'\\x00'::BLOB")}}
    fresh, cached = database.read(declared)["s"], database.read(declared)["s"]
    assert cached.cached
    pd.testing.assert_frame_equal(fresh.frame, cached.frame, check_exact=True)
    assert fresh.frame.map(type).equals(cached.frame.map(type))


@pytest.mark.parametrize("query", ["SELECT a, b FROM t WHERE a = 5", "SELECT NULL AS a"])
def test_an_empty_result_survives_the_cache(database, query):
    declared = {"s": {"source": "one", "query": query}}
    fresh, cached = database.read(declared)["s"], database.read(declared)["s"]
    assert cached.cached
    pd.testing.assert_frame_equal(fresh.frame, cached.frame)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT {'k': 1} AS a", "the column 'a' holds Python objects; cast it to text"),
        ("SELECT 1 AS a, 2 AS a", "are not strings, or repeat; rename them"),
    ],
)
def test_a_frame_that_parquet_would_change_is_not_cached_with_a_warning(desk, caplog, query, words):
    desk.urls["duck"] = "duckdb:///:memory:"
    declared = {"s": {"source": "duck", "query": query}}
    desk.read(declared)
    assert not desk.read(declared)["s"].cached
    assert "delay: source 's' is not cached: " in caplog.text
    assert words in caplog.text


def test_numbers_as_categories_are_not_cached(desk, caplog):
    params = {"dtype": {"a": "category"}}
    desk.read_page(params=params)
    assert str(desk.read_page(params=params).frame["a"].dtype) == "category"
    assert "has the type category, which parquet changes" in caplog.text


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        ("x\n\nz", "category"),
        ("x\n\nz", object),
        ("True\n\nFalse", None),
        ("True\n\nFalse", "boolean"),
        ("\n\n", object),
    ],
)
def test_what_the_reader_of_a_file_makes_of_missing_cells_survives_the_cache(desk, column, dtype):
    rows = "\n".join(f"{cell},1" for cell in column.split("\n"))
    desk.site.pages["/f.csv"] = f"a,b\n{rows}\n".encode()
    params = {"dtype": {"a": dtype}} if dtype else {}
    fresh, cached = desk.read_page(params=params), desk.read_page(params=params)
    assert cached.cached
    pd.testing.assert_frame_equal(fresh.frame, cached.frame, check_exact=True)
    assert fresh.frame.map(repr).equals(cached.frame.map(repr))


def test_an_entry_that_cannot_be_written_is_a_warning(desk, caplog):
    desk.read_page()
    (file,) = files(desk)
    file.unlink()
    (file / "in the way").mkdir(parents=True)
    result = desk.read_page()
    assert (result.cached, result.frame["a"].tolist()) == (False, [1])
    assert "delay: source 's' is not cached: " in caplog.text


def test_a_full_disk_is_a_warning(tmp_path):
    program = """
import resource, signal, sys, logging
from pathlib import Path
import numpy as np, pandas as pd
from xingu.sources import SourceCache
logging.basicConfig(stream=sys.stdout, format="%(message)s")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
frame = pd.DataFrame({"x": np.random.default_rng(0).random(10_000)})
SourceCache(Path(sys.argv[1])).store("key", frame, "source 's'")
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path.cwd())
    expected = "source 's' is not cached: writing key.parquet: no space left on "
    assert done.stdout.startswith(expected), done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


GROUP = {
    "make": {"source": "one", "query": "CREATE TEMP TABLE x AS SELECT 5 AS a", "group": "g"},
    "take": {"source": "one", "query": "SELECT a FROM x", "group": "g"},
}


def test_a_cached_group_opens_no_connection(database, tmp_path):
    assert [result.cached for result in database.read(GROUP).values()] == [False, False]
    (tmp_path / "one.db").unlink()
    for names in (None, ["take"]):
        results = database.read(GROUP, names=names)
        assert results["take"].cached
        assert results["take"].frame["a"].tolist() == [5]


def test_an_edited_earlier_member_of_a_group_renews_the_later_ones(database):
    database.read(GROUP)
    query = "CREATE TEMP TABLE x AS SELECT 6 AS a"
    edited = GROUP | {"make": {**GROUP["make"], "query": query}}
    result = database.read(edited, names=["take"])["take"]
    assert (result.cached, result.frame["a"].tolist()) == (False, [6])


def test_an_edited_later_member_of_a_group_runs_the_whole_group(database):
    database.read(GROUP)
    edited = GROUP | {"take": {**GROUP["take"], "query": "SELECT a + 1 AS a FROM x"}}
    results = database.read(edited)
    assert [result.cached for result in results.values()] == [False, False]
    assert results["take"].frame["a"].tolist() == [6]


def test_a_statement_alone_that_returns_no_rows_runs_every_time(desk, tmp_path):
    desk.urls["duck"] = "duckdb:///work.duckdb?read_only=false"
    duckdb.connect(str(tmp_path / "work.duckdb")).close()
    for _ in range(2):
        declared = {"s": {"source": "duck", "query": "CREATE OR REPLACE TABLE t AS SELECT 1"}}
        assert not desk.read(declared)["s"].cached


def test_object_storage_is_a_cache_too(tmp_path, s3_url, site):
    desk = Desk(tmp_path, UPath(f"{s3_url}/cache"), site)
    assert [desk.read_page().cached for _ in range(2)] == [False, True]
    next(iter(desk.folder.glob("*.parquet"))).write_bytes(b"x")
    assert [desk.read_page().cached for _ in range(2)] == [False, True]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path, site):
    (tmp_path / "file").touch()
    desk = Desk(tmp_path, UPath(tmp_path / "file" / "cache"), site)
    with pytest.raises(StorageError, match="cannot be written .*; choose another one"):
        desk.read_page()


def _read_in_process(home: str, url: str, start, results) -> None:
    specs = parse_sources("delay", "a", {"s": {"url": url}})
    start.wait()
    (result,) = read_sources("delay", specs, Databases({}, Path(home)), SourceCache(Path(home)))
    results.put((os.getpid(), result.cached, result.frame["a"].tolist()))


def test_processes_that_miss_at_once_fetch_once(tmp_path, site):
    site.pages["/f.csv.gz"] = gzip.compress(b"a\n1\n")
    site.before = lambda path: time.sleep(0.5)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["xingu.sources.reading", "fsspec.implementations.http"])
    start, results = context.Barrier(4), context.Queue()
    arguments = (str(tmp_path), f"{site.url}/f.csv.gz", start, results)
    processes = [context.Process(target=_read_in_process, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert site.gets["/f.csv.gz"] == 1
    assert sorted(cached for _, cached, _ in found) == [False, True, True, True]
    assert len({pid for pid, _, _ in found}) == 4
    assert all(values == [1] for _, _, values in found)


def test_threads_that_miss_at_once_fetch_once(desk):
    desk.site.pages["/f.csv"] = b"a\n1\n"
    declared = {name: {"url": f"{desk.site.url}/f.csv"} for name in ("s", "t")}
    results = desk.read(declared)
    assert desk.site.gets["/f.csv"] == 1
    assert sorted(result.cached for result in results.values()) == [False, True]
