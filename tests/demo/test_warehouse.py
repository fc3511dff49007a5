"""The warehouse of the demonstration."""

import duckdb
import pandas as pd
import pytest

from demo import warehouse as demo


def query(path, sql):
    with duckdb.connect(path, read_only=True) as database:
        return database.sql(sql).fetchall()


def change(path, sql):
    with duckdb.connect(path) as database:
        database.sql(sql)


def rows_by_month(path, table="flights"):
    return dict(query(path, f"SELECT month, count(*) FROM {table} GROUP BY month"))


def test_it_holds_five_tables_as_the_package_ships_them(warehouse):
    counts = demo.count_rows(warehouse)
    assert set(counts) == {"flights", "weather", "planes", "airports", "airlines"}
    assert (counts["planes"], counts["airports"], counts["airlines"]) == (3322, 1458, 16)


@pytest.mark.parametrize("table", ["flights", "weather"])
def test_it_starts_with_january_to_june(warehouse, table):
    assert sorted(rows_by_month(warehouse, table)) == [1, 2, 3, 4, 5, 6]


def test_no_flight_of_these_months_is_missing(warehouse):
    assert sum(rows_by_month(warehouse).values()) == 166_158


def test_flights_and_weather_share_a_clock(warehouse):
    hours = "SELECT min(time_hour - make_timestamp(year, month, day, hour, 0, 0)) FROM "
    assert query(warehouse, hours + "flights") == query(warehouse, hours + "weather")


def test_missing_values_are_null_and_not_text(warehouse):
    (missing,) = query(warehouse, "SELECT count(*) FROM flights WHERE dep_time IS NULL")[0]
    (text,) = query(warehouse, "SELECT count(*) FROM flights WHERE tailnum IN ('NA', '')")[0]
    assert (missing > 4000, text) == (True, 0)


def test_the_airports_are_beside_it_as_a_file(warehouse):
    airports = pd.read_csv(warehouse.with_name("airports.csv"))
    assert {"faa", "lat", "lon", "alt", "tz"} <= set(airports.columns)
    assert len(airports) == 1458


def test_a_second_build_does_nothing(own_warehouse):
    change(own_warehouse, "DELETE FROM flights WHERE month = 2")
    assert not demo.build(own_warehouse)
    assert 2 not in rows_by_month(own_warehouse)


def test_force_builds_again_and_leaves_nothing_else_behind(own_warehouse):
    change(own_warehouse, "DELETE FROM flights WHERE month = 2")
    assert demo.build(own_warehouse, force=True)
    assert 2 in rows_by_month(own_warehouse)
    names = sorted(file.name for file in own_warehouse.parent.iterdir())
    assert names == ["airports.csv", "warehouse.duckdb"]


def test_adding_a_month_adds_july_only(warehouse, grown_warehouse):
    for table in ("flights", "weather"):
        before, after = rows_by_month(warehouse, table), rows_by_month(grown_warehouse, table)
        assert set(after) - set(before) == {7}
        assert {month: after[month] for month in before} == before
    assert rows_by_month(grown_warehouse)[7] == 29_425


def test_a_month_is_added_to_both_tables_or_to_none(own_warehouse, capsys):
    change(own_warehouse, "ALTER TABLE weather RENAME TO elsewhere")
    before = rows_by_month(own_warehouse)
    assert demo.main(["add-month", "--path", str(own_warehouse)]) == 1
    assert rows_by_month(own_warehouse) == before


def test_after_december_it_says_that_there_is_no_more(own_warehouse, capsys):
    change(own_warehouse, "UPDATE flights SET month = 12 WHERE month = 6")
    assert demo.main(["add-month", "--path", str(own_warehouse)]) == 0
    assert "already holds December" in capsys.readouterr().out


def test_adding_to_nothing_says_what_to_do(tmp_path, capsys):
    assert demo.main(["add-month", "--path", str(tmp_path / "none.duckdb")]) == 1
    assert "run `python -m demo.warehouse build` first" in capsys.readouterr().err


def test_the_command_says_what_is_there(own_warehouse, capsys):
    assert demo.main(["build", "--path", str(own_warehouse)]) == 0
    assert "is there already" in (said := capsys.readouterr().out)
    assert "flights 166,158, weather 13,014" in said
