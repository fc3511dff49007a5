"""A table is looked at in a bounded sample, which says what it is."""

from pathlib import Path

import pytest

from tests.support.toys import houses, write_database
from xingu.proposal import look, parse_origin
from xingu.sources import Databases


@pytest.fixture
def databases(tmp_path) -> Databases:
    houses().to_csv(tmp_path / "houses.csv", index=False)
    houses().to_parquet(tmp_path / "houses.parquet")
    return Databases({"db": write_database(tmp_path / "db.sqlite")}, tmp_path)


def looked_at(databases: Databases, origin: str, rows: int):
    return look(parse_origin(origin, databases, {"db": ""}), databases, rows)


@pytest.mark.parametrize("origin", ["houses.csv", "db.houses", "select * from houses"])
def test_the_first_rows_are_read_and_no_more(databases, origin):
    found = looked_at(databases, origin, 50)
    assert found.frame["id"].tolist() == list(range(50))
    assert (found.rows, found.complete, found.how) == (None, False, "the first 50 rows")


def test_of_what_is_read_as_a_whole_rows_are_drawn(databases):
    found = looked_at(databases, "houses.parquet", 50)
    assert len(found.frame) == 50
    assert found.frame["id"].max() > 300
    assert (found.rows, found.complete) == (400, False)
    assert found.how == "50 of 400 rows, at random"


@pytest.mark.parametrize("origin", ["houses.csv", "houses.parquet", "db.houses"])
def test_a_small_table_is_read_completely(databases, origin):
    found = looked_at(databases, origin, 400)
    assert (found.rows, found.complete, found.how) == (400, True, "all 400 rows")


def test_a_file_wins_over_a_table_of_the_same_name(databases):
    Path(databases.home / "db.csv").write_text("a\n1\n")
    assert parse_origin("db.csv", databases, {"db": ""}).entry == {"url": "db.csv"}


def test_names_of_tables_are_quoted_as_their_database_needs_it(databases):
    origin = parse_origin("db.order", databases, {"db": ""})
    assert origin.entry["query"] == 'SELECT * FROM "order"'
