"""Errors after which a source is read again, errors after which it is not, and messages."""

import logging
import threading
import time

import pytest
from sqlalchemy import create_engine, text

from tests.support.files import read_results
from xingu.errors import MissingFileError, QueryError, SourceError
from xingu.sources import Databases, parse_sources
from xingu.sources.retrying import ATTEMPTS, is_transient


def read(databases, **entries):
    return {
        result.name: result
        for result in read_results(parse_sources("delay", "sources", entries), databases)
    }


@pytest.fixture
def attempts(caplog):
    caplog.set_level(logging.WARNING, "xingu.sources.retrying")
    return lambda: [record.getMessage() for record in caplog.records if "attempt" in record.msg]


@pytest.mark.parametrize("adbc", [True, False])
def test_a_connection_that_drops_during_a_query_is_opened_again(
    tmp_path, postgres_schema, attempts, adbc
):
    # PostgreSQL takes one snapshot of its activity for a whole transaction.
    url = postgres_schema.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    mark = f"dropped {adbc}"
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE query LIKE '%{mark}%' AND pid <> pg_backend_pid()"
    )
    dropped = []

    def drop_one() -> None:
        with engine.connect() as connection:
            for _ in range(400):
                dropped.extend(connection.execute(kill).all())
                if dropped:
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=drop_one)
    thread.start()
    group = {"source": "pg", "group": "g"}
    databases = Databases({"pg": postgres_schema}, tmp_path, adbc=adbc)
    found = read(
        databases,
        make={**group, "query": "CREATE TEMP TABLE kept AS SELECT 5 AS a"},
        take={**group, "query": f"SELECT a, pg_sleep(0.5)::text AS s FROM kept -- {mark}"},
    )
    thread.join()
    engine.dispose()
    assert found["take"].frame["a"].tolist() == [5]
    assert len(dropped) == 1
    assert adbc or "terminating connection" in attempts()[0]


def test_an_error_of_the_query_is_not_repeated(databases_off, attempts):
    with pytest.raises(QueryError, match="no such table"):
        read(databases_off, rows={"source": "lite", "query": "SELECT * FROM nowhere"})
    assert attempts() == []


@pytest.fixture
def databases_off(tmp_path) -> Databases:
    (tmp_path / "lite.db").touch()
    off = "postgresql://ann:s3cr-pass@127.0.0.1:1/x"
    return Databases({"lite": "sqlite:///lite.db", "off": off}, tmp_path)


def test_attempts_end_and_each_cause_is_in_the_log_without_secrets(databases_off, attempts):
    with pytest.raises(SourceError, match="cannot be reached"):
        read(databases_off, rows={"source": "off", "query": "SELECT 1"})
    assert len(attempts()) == ATTEMPTS - 1
    assert attempts()[0].startswith("delay: reading rows: attempt 1 of 5 failed")
    assert "s3cr-pass" not in "".join(attempts())


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(no_databases, site, attempts, status):
    site.pages, site.headers = {"/f.csv": b"a\n1\n"}, {"Retry-After": "0"}
    site.refusals = [status, status, status]
    found = read(no_databases, page={"url": f"{site.url}/f.csv"})
    assert found["page"].frame["a"].tolist() == [1]
    assert len(attempts()) >= 1
    assert str(status) in attempts()[0]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_what_is_forbidden_and_is_no_missing_file(
    no_databases, site, attempts, status
):
    site.pages["/f.csv"], site.refusals = b"a\n1\n", [status] * 9
    with pytest.raises(SourceError, match=rf"127.0.0.1.*f.csv cannot be accessed: .*{status}") as e:
        read(no_databases, page={"url": f"{site.url}/f.csv"})
    assert "The storage forbids it: check the credentials" in str(e.value)
    assert not isinstance(e.value, MissingFileError)
    assert attempts() == []


def test_a_missing_page_is_not_asked_again(no_databases, site, attempts):
    with pytest.raises(MissingFileError, match="does not exist"):
        read(no_databases, page={"url": f"{site.url}/none.csv"})
    assert attempts() == []


class _Error(Exception):
    def __init__(self, message: str, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (_Error("terminating connection", "57P01"), True),
        (_Error("deadlock detected", "40P01"), True),
        (_Error("server closed the connection unexpectedly"), True),
        (_Error("database is locked"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (_Error('relation "lost connection" does not exist', "42P01"), False),
        (_Error("password authentication failed"), False),
        (_Error("canceling statement due to user request", "57014"), False),
        (ValueError("x"), False),
        (PermissionError("Forbidden"), False),
    ],
)
def test_only_hiccups_are_transient(error, transient):
    assert is_transient(error) is transient
