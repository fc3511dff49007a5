"""Databases plan queries without executing them; each rule holds for every database."""

import sqlite3

import duckdb
import pytest
from sqlalchemy import create_engine, text

from xingu.errors import SourceError
from xingu.sources import Databases
from xingu.sources.probe import open_probe

TABLE = "CREATE TABLE sales (a INTEGER, b INTEGER)"
ROWS = "INSERT INTO sales VALUES (1, 2)"


def sqlite(home, _):
    with sqlite3.connect(home / "shop.db") as db:
        db.execute(TABLE)
        db.execute(ROWS)
    db.close()
    return f"sqlite:///{home / 'shop.db'}"


def of_duckdb(home, _):
    with duckdb.connect(str(home / "shop.duckdb")) as db:
        db.execute(TABLE)
        db.execute(ROWS)
    return f"duckdb:///{home / 'shop.duckdb'}?read_only=false"


def postgres(_, request):
    url = request.getfixturevalue("postgres_schema")
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as db:
        db.execute(text(TABLE))
        db.execute(text(ROWS))
    engine.dispose()
    return url


@pytest.fixture(params=[sqlite, of_duckdb, postgres], ids=lambda make: make.__name__)
def databases(request, tmp_path):
    return Databases({"shop": request.param(tmp_path, request)}, tmp_path)


@pytest.fixture
def problems(databases):
    """Plan queries of one connection; gives the reason of each refused one, by its position."""

    def problems(*queries: str) -> dict[int, str]:
        with open_probe(databases, "shop") as probe:
            assert probe.plans
            return dict(probe.problems(queries))

    return problems


def count(databases) -> int:
    with databases.connect("shop") as connection:
        return int(connection.query("SELECT count(*) AS n FROM sales")["n"].iloc[0])


def test_each_refused_query_is_named_and_those_after_it_are_planned(problems):
    found = problems("SELECT none FROM sales", "SELECT a FROM sales", "SELECT FROM WHERE")
    assert found.keys() == {0, 2}
    assert "none" in found[0]
    assert "syntax error" in found[2].lower()
    assert "EXPLAIN" not in "".join(found.values())


def test_an_accepted_query_may_end_with_a_semicolon_and_hold_signs_of_drivers(problems):
    assert problems("SELECT a % 2, ':x', '%s' FROM sales; -- the end\n") == {}


def test_nothing_is_executed(problems, databases):
    changes = "DELETE FROM sales"
    assert (
        problems(changes, f"SELECT 1; {changes}; DROP TABLE sales", f"SELECT 1 /*;*/;{changes}")
        == {}
    )
    assert count(databases) == 1


def test_a_table_that_an_earlier_query_of_the_group_creates_is_not_missed(problems):
    made = "CREATE TEMP TABLE big AS SELECT a AS c FROM sales"
    assert problems(made, "SELECT c FROM big", "SELECT FROM WHERE").keys() == {2}
    assert problems(f"{made}; SELECT c FROM big") == {}
    assert problems("CREATE TEMP TABLE big AS SELECT none FROM sales").keys() == {0}


def test_without_such_a_query_a_missing_table_is_an_error(problems):
    assert problems("SELECT a FROM sales", "SELECT c FROM big").keys() == {1}


def test_an_engine_that_is_given_can_be_asked(tmp_path):
    given = {"shop": create_engine(sqlite(tmp_path, None))}
    databases = Databases({}, tmp_path, given=given)
    assert databases.nicknames == ["shop"]
    with open_probe(databases, "shop") as probe:
        assert list(probe.problems(["SELECT a FROM sales"])) == []


def test_a_database_that_does_not_answer_is_a_source_error(tmp_path):
    databases = Databases({"dead": "postgresql://ana:hidden-word@127.0.0.1:9/x"}, tmp_path)
    with (
        pytest.raises(SourceError, match="cannot be reached") as caught,
        open_probe(databases, "dead"),
    ):
        pass
    assert "hidden-word" not in str(caught.value)
