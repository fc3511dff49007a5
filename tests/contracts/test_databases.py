"""Every database: one contract, run on every back end, and what is special about each."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa

from tests.support.sql_types import COMMON, FIRST, FLOAT, KEY, LAST, TEXT, TYPED
from xingu.errors import QueryError, SourceError
from xingu.sources import Databases


class DatabaseContract:
    """Tests that every kind of database passes; a subclass fills one."""

    columns = COMMON

    @pytest.fixture
    def databases(self, tmp_path: Path) -> Databases:
        raise NotImplementedError

    def fill(self, statements: Sequence[str]) -> None:
        raise NotImplementedError

    @pytest.fixture
    def table(self, databases: Databases) -> Databases:
        names = ", ".join(f"{name} {kind[0]}" for name, kind in self.columns.items())
        rows = [", ".join(kind[1][row] for kind in self.columns.values()) for row in range(3)]
        insert = [f"INSERT INTO things VALUES ({row}, {place})" for place, row in enumerate(rows)]
        self.fill([f"CREATE TABLE things ({names}, place INTEGER)", *insert])
        return databases

    def query(self, databases: Databases, sql: str) -> pd.DataFrame:
        with databases.connect("db") as connection:
            return connection.query(sql)

    def test_values_have_the_same_types_on_every_back_end(self, table):
        frame = self.query(table, "SELECT * FROM things ORDER BY place")
        dtypes = {name: str(dtype) for name, dtype in frame.drop(columns="place").dtypes.items()}
        assert dtypes == {name: kind[2] for name, kind in self.columns.items()}
        for name, (_, _, dtype, values) in self.columns.items():
            expected = pd.Series(values, dtype=dtype, name=name)
            pd.testing.assert_series_equal(frame[name], expected, check_exact=True)

    def test_plain_values_come_the_fast_way(self, table, caplog):
        caplog.set_level("INFO")
        self.query(table, "SELECT * FROM things -- all")
        assert "SQLAlchemy takes over" not in caplog.text

    def test_an_empty_result_keeps_its_columns(self, table):
        frame = self.query(table, "SELECT whole, word FROM things WHERE 1 = 0")
        assert frame.shape == (0, 2)
        assert frame.dtypes.to_dict() == {"whole": object, "word": object}

    def test_a_statement_without_rows_gives_an_empty_frame(self, table):
        frame = self.query(table, "CREATE TEMPORARY TABLE t AS SELECT * FROM things")
        assert frame.shape == (0, 0)

    def test_a_temporary_table_lives_as_long_as_its_connection(self, table):
        with table.connect("db") as connection:
            connection.query("CREATE TEMPORARY TABLE t AS SELECT whole FROM things")
            assert connection.query("SELECT whole FROM t")["whole"].sum() == 6
        with pytest.raises(QueryError):
            self.query(table, "SELECT whole FROM t")

    def test_sql_runs_as_given(self, table):
        sql = "SELECT '12:30' AS a, ':x' AS b, 5 % 2 AS c, '100%s' AS d, 'a;b?' AS e -- ; 'end"
        assert self.query(table, sql).iloc[0].tolist() == ["12:30", ":x", 1, "100%s", "a;b?"]

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT 'a;b' AS a, 7 AS b",
            "SELECT 'a;b' AS a, 7 AS b;",
            "SELECT 'a;b' AS a, 7 AS b; -- done; really",
            "/* one; two */ SELECT 'a;b' AS a, -- three;\n7 AS b;\n\n",
        ],
    )
    def test_a_semicolon_in_a_text_or_a_comment_or_at_the_end_is_no_second_statement(
        self, table, sql
    ):
        assert self.query(table, sql).to_dict("list") == {"a": ["a;b"], "b": [7]}

    def test_a_column_name_may_repeat(self, table):
        frame = self.query(table, "SELECT 1 AS a, 'x' AS a")
        assert list(frame.columns) == ["a", "a"]
        assert frame.iloc[0].tolist() == [1, "x"]

    def test_a_refused_query_is_told_with_the_words_of_the_database(self, table):
        with pytest.raises(QueryError) as caught:
            self.query(table, "SELECT wole FROM things")
        message = str(caught.value)
        assert "the database 'db'" in message
        assert "wole" in message.partition("Correct the query:")[0]
        assert message.endswith("Correct the query:\nSELECT wole FROM things")
        assert caught.value.facts["query"] == "SELECT wole FROM things"

    def test_reading_changes_nothing(self, table):
        with table.connect("db") as connection:
            try:
                connection.query("DELETE FROM things")
            except QueryError:
                return  # read-only
        assert len(self.query(table, "SELECT whole FROM things")) == 3

    def test_two_connections_read_at_the_same_time(self, table):
        with table.connect("db") as one, table.connect("db") as two:
            assert len(one.query("SELECT * FROM things")) == 3
            assert len(two.query("SELECT * FROM things")) == 3


class SeveralStatements:
    """Tests of databases that run several statements in one query."""

    @pytest.mark.parametrize(
        ("sql", "rows"),
        [
            ("SELECT 1 AS b; SELECT 2 AS a", {"a": [2]}),
            ("SET TimeZone = 'UTC'; SELECT 2 AS a;", {"a": [2]}),
            ("CREATE TEMP TABLE t AS SELECT 2 AS a; SELECT a, 'x;y' AS b FROM t; -- ok;", None),
            ("SELECT 1 AS b; CREATE TEMP TABLE t AS SELECT 2 AS a", {}),
            ("SELECT $$one; two$$ AS a", {"a": ["one; two"]}),
            ("SELECT 1 AS b; SELECT $x$one; $$ two$x$ AS a", {"a": ["one; $$ two"]}),
        ],
    )
    def test_the_last_of_several_statements_gives_the_rows(self, databases, sql, rows):
        rows = {"a": [2], "b": ["x;y"]} if rows is None else rows
        self.fill(["CREATE TABLE things (whole INTEGER)"])
        assert self.query(databases, sql).to_dict("list") == rows

    def test_an_error_in_any_of_several_statements_is_told(self, databases):
        self.fill(["CREATE TABLE things (whole INTEGER)"])
        with pytest.raises(QueryError, match="wole"):
            self.query(databases, "SELECT wole FROM things; SELECT 2 AS a")
        with pytest.raises(QueryError, match="wole"):
            self.query(databases, "SELECT 2 AS a; SELECT wole FROM things")


class TestDuckDb(SeveralStatements, DatabaseContract):
    columns = COMMON | TYPED

    @pytest.fixture
    def databases(self, tmp_path):
        self.path = tmp_path / "data.duckdb"
        return Databases({"db": "duckdb:///data.duckdb"}, tmp_path)

    def fill(self, statements):
        with duckdb.connect(str(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)

    @pytest.mark.parametrize("kind", ["TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"])
    def test_infinity_of_any_resolution_is_the_last_moment(self, table, kind):
        sql = f"SELECT unnest(['infinity', '2024-01-02', '-infinity'])::{kind} AS a"
        moments = self.query(table, sql)["a"].to_list()
        assert moments == [pd.Timestamp(LAST), pd.Timestamp("2024-01-02"), pd.Timestamp(FIRST)]

    def test_wide_integers_of_every_type_are_exact(self, table):
        frame = self.query(
            table,
            f"SELECT unnest([{KEY}, NULL])::HUGEINT AS a, unnest([{KEY}, NULL])::UBIGINT AS b, "
            f"unnest([{2**63 + 1}, NULL])::UBIGINT AS c, unnest([{2**127 - 1}, 1])::HUGEINT AS d, "
            f"unnest([{2**63 + 1}, 1])::UBIGINT AS e",
        )
        assert frame.dtypes.astype(str).tolist() == [
            *("Int64", "Int64", "object"),
            "object",
            "uint64",
        ]
        assert frame.iloc[0].tolist() == [KEY, KEY, 2**63 + 1, 2**127 - 1, 2**63 + 1]

    def test_the_file_is_opened_for_reading_unless_the_url_says_otherwise(self, table, tmp_path):
        with pytest.raises(QueryError, match="read-only"):
            self.query(table, "CREATE TABLE more (a INTEGER)")
        writing = Databases({"db": "duckdb:///data.duckdb?read_only=false"}, tmp_path)
        self.query(writing, "CREATE TABLE more (a INTEGER)")

    def test_a_file_that_this_process_writes_is_refused_with_what_helps(self, table):
        with duckdb.connect(str(self.path)), pytest.raises(SourceError, match="read_only=false"):
            self.query(table, "SELECT 1")

    def test_python_variables_are_no_tables(self, table):
        with pytest.raises(QueryError, match="Table with name statements does not exist"):
            self.query(table, "SELECT * FROM statements")

    def test_memory_needs_no_file(self, tmp_path):
        for url in ("duckdb://", "duckdb:///:memory:"):
            databases = Databases({"db": url}, tmp_path)
            assert self.query(databases, "SELECT 1 AS a")["a"].tolist() == [1]

    def test_sums_and_enums_and_lists_are_plain(self, table):
        frame = self.query(
            table,
            "SELECT sum(whole) AS total, count(*) AS n, 'a'::ENUM('a', 'b') AS e, [1, 2] AS l, "
            "{'k': 1} AS s, 1::UTINYINT AS u FROM things",
        )
        assert frame.dtypes.astype(str).tolist() == [
            *(FLOAT, "int64", TEXT, "object", "object", "int64")
        ]
        assert frame.iloc[0].tolist() == [6.0, 3, "a", [1, 2], {"k": 1}, 1]


class _Sqlite(DatabaseContract):
    adbc = True

    @pytest.fixture
    def databases(self, tmp_path):
        self.path = tmp_path / "some data #1 100%.db"
        self.path.touch()
        return Databases({"db": f"sqlite:///{self.path.name}"}, tmp_path, adbc=self.adbc)

    def fill(self, statements):
        with sqlite3.connect(self.path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def fill_column(self, values):
        with sqlite3.connect(self.path) as connection:
            connection.execute("CREATE TABLE mixed (a)")
            connection.executemany("INSERT INTO mixed VALUES (?)", [(value,) for value in values])
        connection.close()

    @pytest.mark.parametrize(
        ("late", "dtype", "first", "last"),
        [
            (1.5, FLOAT, 0.0, 1.5),
            ("x", TEXT, "0", "x"),
            (None, FLOAT, 0.0, None),
        ],
    )
    def test_a_late_value_of_another_type_changes_the_column_and_loses_no_row(
        self, databases, caplog, late, dtype, first, last
    ):
        caplog.set_level("INFO")
        self.fill_column([*range(5000), late])
        column = self.query(databases, "SELECT a FROM mixed")["a"]
        assert (len(column), str(column.dtype), column[0]) == (5001, dtype, first)
        assert pd.isna(column[5000]) if last is None else column[5000] == last
        assert "SQLAlchemy takes over" not in caplog.text

    def test_numbers_among_text_keep_all_their_digits(self, databases):
        self.fill_column([0.1 + 0.2, 7, "x", None, 1234.5678])
        column = self.query(databases, "SELECT a FROM mixed")["a"]
        assert column.dropna().tolist() == ["0.30000000000000004", "7", "x", "1234.5678"]

    def test_text_among_blobs_is_bytes(self, databases):
        self.fill_column([b"\x00\x01", "x", None, 1.25])
        column = self.query(databases, "SELECT a FROM mixed")["a"]
        assert column.tolist() == [b"\x00\x01", b"x", None, b"1.25"]

    def test_text_after_thousands_of_nulls_is_read(self, databases):
        self.fill_column([*[None] * 5000, "x"])
        assert self.query(databases, "SELECT a FROM mixed")["a"][5000] == "x"

    def test_a_second_statement_is_refused_not_forgotten(self, table):
        with pytest.raises(QueryError, match="one statement at a time"):
            self.query(table, "CREATE TEMP TABLE t AS SELECT 1; SELECT * FROM things")

    def test_temporary_tables_are_there_when_a_later_query_needs_another_driver(self, table):
        self.fill_column(["x", 0.5])
        with table.connect("db") as connection:
            connection.query("CREATE TEMP TABLE t AS SELECT whole FROM things")
            assert connection.query("SELECT a FROM mixed")["a"].tolist() == ["x", "0.5"]
            assert connection.query("SELECT whole FROM t;")["whole"].sum() == 6

    def test_memory_needs_no_file(self, tmp_path):
        for url in ("sqlite://", "sqlite:///:memory:"):
            databases = Databases({"db": url}, tmp_path, adbc=self.adbc)
            assert self.query(databases, "SELECT 1 AS a")["a"].tolist() == [1]


class TestSqliteAdbc(_Sqlite):
    pass


class TestSqliteSqlalchemy(_Sqlite):
    adbc = False


class _Postgres(SeveralStatements, DatabaseContract):
    adbc = True
    columns = COMMON | TYPED

    @pytest.fixture
    def databases(self, tmp_path, postgres_schema):
        self.url = postgres_schema
        return Databases({"db": postgres_schema}, tmp_path, adbc=self.adbc)

    def fill(self, statements):
        engine = sa.create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    @pytest.mark.parametrize("driver", ["", "+psycopg", "+psycopg2"])
    def test_json_blobs_and_special_numbers_are_alike_for_every_driver(self, table, driver):
        url = self.url.replace("postgresql:", f"postgresql{driver}:")
        frame = self.query(
            Databases({"db": url}, table.home, adbc=self.adbc),
            """SELECT '{"a": [1, null]}'::json AS j, '[1]'::jsonb AS b, '\\x00ff'::bytea AS x,
            'NaN'::numeric AS n, 'Infinity'::float8 AS i, 12345678901234567890::numeric AS big,
            123456.789::real AS r, 'ab'::char(3) AS c, timestamptz '2024-01-02 03:04:05+02' AS t""",
        )
        row = frame.iloc[0].to_dict()
        assert (row["j"], row["b"], row["x"]) == ({"a": [1, None]}, [1], b"\x00\xff")
        assert pd.isna(row["n"])
        assert (row["i"], row["big"], row["c"]) == (float("inf"), 12345678901234567890, "ab ")
        assert row["r"] == 123456.79
        assert str(frame["t"].dtype) == "datetime64[us, UTC]"

    @pytest.mark.parametrize(
        ("sql", "value"),
        [
            ("'b'::mood", "b"),
            ("12.5::money", "$12.50"),
            ("ARRAY[1, 2]", [1, 2]),
            ("'101'::bit(3)", "101"),
            ("3000000000::oid", 3000000000),
        ],
    )
    def test_types_without_a_plain_arrow_form_are_read_all_the_same(self, table, sql, value):
        self.fill(["CREATE TYPE mood AS ENUM ('a', 'b')"])
        assert self.query(table, f"SELECT {sql} AS a, whole FROM things")["a"][0] == value

    def test_statements_that_are_no_select_give_their_rows(self, table):
        assert self.query(table, "SHOW server_version").shape == (1, 1)
        assert len(self.query(table, "EXPLAIN SELECT * FROM things")) >= 1
        returned = self.query(table, "INSERT INTO things (whole) VALUES (9) RETURNING whole")
        assert returned["whole"].tolist() == [9]

    def test_casts_with_two_colons_are_no_parameters(self, table):
        assert self.query(table, "SELECT '7'::int AS a, 7 % 4 AS b")["b"].tolist() == [3]

    def test_an_error_in_the_middle_of_the_rows_is_told(self, table):
        with pytest.raises(QueryError, match="division by zero"):
            self.query(table, "SELECT 1 / (n - 9999) FROM generate_series(1, 10000) AS n")


class TestPostgresAdbc(_Postgres):
    pass


class TestPostgresSqlalchemy(_Postgres):
    adbc = False
