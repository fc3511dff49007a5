"""Observations of many sources: asked once, in time, and none waits for another."""

import os
import sqlite3
import time
from threading import Event

import boto3
import duckdb
import fsspec
import pytest

from tests.support.files import observe
from xingu.sources import Databases, Limits, Memory, Watched, observe_sources, parse_sources
from xingu.sources.watermark import Observed

ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
SHORT = Limits(0.3, 20)


@pytest.fixture
def databases(tmp_path) -> Databases:
    with duckdb.connect(str(tmp_path / "dw.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a FROM range(3)")
    with sqlite3.connect(tmp_path / "lite.db") as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    connection.close()
    return Databases({"dw": "duckdb:///dw.duckdb", "lite": "sqlite:///lite.db"}, tmp_path)


def sql(query: str, source: str = "dw", **more) -> dict:
    return {"source": source, "query": query, **more}


def watched(**entries) -> dict[str, Watched]:
    """Each entry as the source ``s`` of a DataProvider of its name."""
    specs = {dp: parse_sources(dp, "sources", {"s": entry}) for dp, entry in entries.items()}
    return {dp: Watched(dp, of_dp[0], of_dp) for dp, of_dp in specs.items()}


class Counted(Databases):
    """Databases that keep the queries that were asked."""

    def __init__(self, *args, **more) -> None:
        super().__init__(*args, **more)
        self.asked: list[str] = []

    def connect(self, nickname):
        outer, connecting = self, super().connect(nickname)

        class Connecting:
            def __enter__(self):
                connection = connecting.__enter__()
                query = connection.query

                def counted(sql, *parameters):
                    outer.asked.append(sql)
                    return query(sql, *parameters)

                connection.query = counted
                return connection

            def __exit__(self, *error):
                return connecting.__exit__(*error)

        return Connecting()


@pytest.fixture
def counted(databases, tmp_path) -> Counted:
    return Counted({"lite": "sqlite:///lite.db"}, tmp_path)


def add_row(tmp_path) -> None:
    with sqlite3.connect(tmp_path / "lite.db") as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    connection.close()


class TestVersion:
    """The version of one source follows its data."""

    def version(self, databases, entry) -> str:
        return observe(parse_sources("delay", "sources", {"s": entry})[0], databases).version

    def test_a_query_has_the_version_of_its_rows(self, databases, tmp_path):
        entry = sql("SELECT a FROM t", "lite")
        first = self.version(databases, entry)
        with sqlite3.connect(tmp_path / "lite.db") as connection:
            connection.execute("CREATE TABLE another (a)")
        assert self.version(databases, entry) == first
        writer = sqlite3.connect(tmp_path / "lite.db")
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()  # still in the log
        assert self.version(databases, entry) != first
        writer.close()

    def test_a_query_that_needs_the_earlier_members_of_its_group_gets_them(self, tmp_path):
        databases = Databases({"m": "duckdb:///:memory:"}, tmp_path)
        make = sql("CREATE TEMP TABLE x AS SELECT 5 AS a", "m", group="g")
        specs = parse_sources("p", "s", {"make": make, "take": sql("FROM x", "m", group="g")})
        assert observe(specs[1], databases, specs).rows == 1

    def test_a_local_file_is_as_new_as_its_time(self, databases, tmp_path):
        path = tmp_path / "f.csv"
        path.write_text("a")
        first = self.version(databases, {"url": "f.csv"})
        assert self.version(databases, {"url": "f.csv"}) == first
        os.utime(path, ns=(1, 1))
        assert self.version(databases, {"url": "f.csv"}) != first

    def test_a_page_is_what_its_server_says_of_it(self, databases, site):
        site.pages["/f.csv"] = b"a\n1\n"
        versions = []
        for tag in ("v1", "v1", "v2"):
            site.headers["ETag"] = tag
            versions.append(self.version(databases, {"url": f"{site.url}/f.csv"}))
        assert versions[0] == versions[1] != versions[2]
        assert site.gets["/f.csv"] == 0

    def test_a_page_of_a_silent_server_is_its_content(self, databases, site):
        versions = []
        for content in (b"a\n1\n", b"a\n1\n", b"a\n2\n"):
            site.pages["/f.csv"] = content
            versions.append(self.version(databases, {"url": f"{site.url}/f.csv"}))
        assert versions[0] == versions[1] != versions[2]

    def test_an_object_is_what_its_storage_says_of_it(self, databases, s3_url):
        versions = []
        for content in (b"a\n1\n", b"a\n1\n", b"a\n2\n"):
            bucket = s3_url.removeprefix("s3://")
            boto3.client("s3").put_object(Bucket=bucket, Key="observed/f.csv", Body=content)
            versions.append(self.version(databases, {"url": f"{s3_url}/observed/f.csv"}))
            fsspec.filesystem("s3").ls(f"{bucket}/observed")  # keeps what it has seen
        assert versions[0] == versions[1] != versions[2]


def test_a_question_of_many_dataproviders_is_asked_once(counted):
    entry = sql("SELECT a FROM t", "lite", watermark="SELECT max(a), count(*) FROM t")
    many = watched(**{f"dp{number}": entry for number in range(20)})
    found = observe_sources(many, counted)
    assert counted.asked == ["SELECT max(a), count(*) FROM t"]
    assert len({*found.values()}) == 1
    assert [*found] == [*many]


def test_what_fails_is_skipped_with_its_reason_and_the_others_go_on(databases):
    found = observe_sources(
        watched(
            gone={"url": "gone.csv"},
            wrong=sql("SELECT b FROM t", "lite", watermark="SELECT max(b) FROM t"),
            good=sql("SELECT a FROM t", "lite", watermark="SELECT max(a) FROM t"),
            off=sql("SELECT 1", "nowhere"),
        ),
        databases,
    )
    assert isinstance(found["good"], Observed)
    assert found["gone"].startswith("gone.csv does not exist")
    assert "no such column: b" in found["wrong"]
    assert "no database is called 'nowhere'" in found["off"]


def test_what_hangs_is_left_behind_and_its_query_is_cancelled(databases, site):
    released = Event()
    site.pages["/f.csv"] = b"a\n"
    site.before = lambda path: released.wait(20)
    memory, started = Memory(), time.monotonic()
    many = watched(
        slow=sql("SELECT 1", watermark=ENDLESS),
        rows=sql(ENDLESS),
        page={"url": f"{site.url}/f.csv"},
        good=sql("SELECT a FROM t", watermark="SELECT max(a) FROM t"),
    )
    found = observe_sources(many, databases, limits=SHORT, memory=memory)
    assert time.monotonic() - started < 5
    assert {found[name] for name in ("slow", "rows", "page")} == {"no answer within 0.3 s"}
    assert isinstance(found["good"], Observed)
    again = observe_sources(many, databases, limits=SHORT, memory=memory)
    assert "still hangs" in again["page"]
    released.set()
    for _, thread in memory.hanging.values():
        thread.join(20)
        assert not thread.is_alive()
    page = {"page": many["page"]}
    assert isinstance(observe_sources(page, databases, memory=memory)["page"], Observed)


def test_a_budget_ends_the_round_and_the_next_begins_with_what_was_left(databases, tmp_path):
    many = watched(
        **{f"slow{n}": sql("SELECT 1", watermark=f"{ENDLESS} -- {n}") for n in range(4)},
        good=sql("SELECT a FROM t", watermark="SELECT max(a) FROM t"),
    )
    memory, limits = Memory(), Limits(0.4, 0.5)
    first = observe_sources(many, databases, limits=limits, memory=memory)
    assert "of this round were used up" in first["good"]
    second = observe_sources(many, databases, limits=limits, memory=memory)
    assert isinstance(second["good"], Observed)


def test_an_answer_is_kept_as_long_as_the_source_declares(counted, tmp_path):
    entry = sql("SELECT a FROM t", "lite", watermark="SELECT count(*) FROM t", observe_seconds=60)
    many, memory = watched(dp=entry), Memory()
    first = observe_sources(many, counted, memory=memory)
    add_row(tmp_path)
    assert observe_sources(many, counted, memory=memory) == first
    assert observe_sources(many, counted, memory=memory, before=first)["dp"].rows == 1
    newer = {"dp": Observed("read by a train after the answer")}
    assert observe_sources(many, counted, memory=memory, before=newer)["dp"].rows == 2


def test_a_query_is_not_run_again_while_the_file_of_its_database_is_unchanged(counted, tmp_path):
    many, memory = watched(dp=sql("SELECT a FROM t", "lite")), Memory()
    first = observe_sources(many, counted, memory=memory)["dp"]
    assert observe_sources(many, counted, memory=memory)["dp"] == first
    assert len(counted.asked) == 1
    add_row(tmp_path)
    assert observe_sources(many, counted, memory=memory)["dp"] != first


def test_an_observation_says_whether_history_was_rewritten_since_another(databases, tmp_path):
    entry = sql("SELECT a FROM t", "lite", watermark="SELECT max(a), count(*) FROM t")
    before = observe_sources(watched(dp=entry), databases)
    assert before["dp"].rewritten is None
    add_row(tmp_path)
    assert observe_sources(watched(dp=entry), databases, before=before)["dp"].rewritten is False
    with sqlite3.connect(tmp_path / "lite.db") as connection:
        connection.execute("DELETE FROM t WHERE a = 1")
    assert observe_sources(watched(dp=entry), databases, before=before)["dp"].rewritten is True
