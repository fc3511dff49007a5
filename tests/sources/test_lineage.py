"""Tables and columns that SQL reads."""

import logging
import threading
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.sources.lineage import dialect_of, trace
from xingu.sources.sql_names import SqlColumn, SqlTable


def texts(columns) -> set[str]:
    return {f"{one.table}.{one.name}" for one in columns}


def tables_of(*queries: str, backend: str = "postgresql") -> set[str]:
    return set(map(str, trace(queries, backend)[-1].tables))


def columns_of(*queries: str, backend: str = "postgresql") -> dict[str, set[str] | None]:
    found = trace(queries, backend)[-1].columns or ()
    return {one.name: None if one.origins is None else texts(one.origins) for one in found}


# -- a generator of queries whose tables and columns are known ------------------------------------

NAMES = ("a", "b", "c")
TABLES = (SqlTable("orders"), SqlTable("orders", "sales"), SqlTable("Some Table", "Odd Schema"),
          SqlTable("select", "s", "cat"))  # fmt: skip


def quoted(table: SqlTable) -> str:
    parts = filter(None, (table.catalog, table.schema, table.name))
    return ".".join(f'"{part}"' for part in parts)


@dataclass
class Query:
    """SQL with the columns a, b and c; their origins, and the tables that it reads."""

    sql: str
    origins: dict
    tables: set


@st.composite
def queries(draw, depth=3, made=()):
    """Build a query from tables, sub-queries, common table expressions, joins and unions."""
    kinds = (
        ["table", "table"] if depth == 0 else ["table", "from", "with", "join", "union", "scalar"]
    )
    kind = draw(st.sampled_from(kinds))
    inner = queries(depth=depth - 1, made=made)
    if kind == "table":
        known = [*TABLES, *made]
        chosen = draw(st.sampled_from(known))
        if isinstance(chosen, SqlTable):
            alias = draw(st.sampled_from(["", " t", " as t"]))
            columns = ", ".join(f"{'t.' if alias else ''}{name}" for name in NAMES)
            origins = {name: {SqlColumn(chosen, name)} for name in NAMES}
            return Query(f"select {columns} from {quoted(chosen)}{alias} where 1 = 1",
                         origins, {chosen})  # fmt: skip
        name, query = chosen
        return Query(f"select a, b, c from {name}", query.origins, query.tables)
    one = draw(inner)
    if kind == "from":
        swap = draw(st.permutations(NAMES))
        columns = ", ".join(f"x.{old} as {new}" for old, new in zip(swap, NAMES, strict=True))
        origins = {new: one.origins[old] for old, new in zip(swap, NAMES, strict=True)}
        return Query(f"select {columns} from ({one.sql}) as x", origins, one.tables)
    if kind == "with":
        star = draw(st.sampled_from(["*", "a, b, c", "w.*"]))
        return Query(f"with w as ({one.sql}) select {star} from w", one.origins, one.tables)
    other = draw(inner)
    tables = one.tables | other.tables
    both = {name: one.origins[name] | other.origins[name] for name in NAMES}
    if kind == "union":
        return Query(f"({one.sql}) union all ({other.sql})", both, tables)
    if kind == "scalar":
        inner_sql = f"(select max(r.c) from ({other.sql}) r)"
        sql = f"select l.a, l.b, {inner_sql} as c from ({one.sql}) l"
        return Query(sql, {**one.origins, "c": other.origins["c"]}, tables)
    joined = f"({one.sql}) l left join ({other.sql}) r on l.a = r.a"
    sql = f"select l.a, r.b, l.c || r.c as c from {joined}"
    return Query(sql, {"a": one.origins["a"], "b": other.origins["b"], "c": both["c"]}, tables)


@settings(deadline=None)
@given(queries())
def test_tables_and_origins_of_columns_are_those_that_a_query_was_built_from(query):
    (found,) = trace((query.sql,), "postgresql")
    assert set(found.tables) == query.tables, query.sql
    assert {one.name: one.origins for one in found.columns} == query.origins, query.sql
    assert found.resolved
    assert not any(one.name == "*" for one in found.possible)
    assert {column for one in query.origins.values() for column in one} <= found.used


@settings(deadline=None, max_examples=40)
@given(queries(depth=2), st.data())
def test_a_table_that_an_earlier_query_has_made_stands_for_what_it_was_made_from(first, data):
    name = data.draw(st.sampled_from(["temp_one", "orders_of_today"]))
    last = data.draw(queries(depth=2, made=[(name, first)] * 4))
    made = f"create temporary table {name} as {first.sql}"
    for texts_ in ((made, last.sql), (f"{made}; {last.sql}",)):
        found = trace(texts_, "postgresql")[-1]
        read = last.tables | (first.tables if len(texts_) == 1 else set())
        assert set(found.tables) == read
        assert {one.name: one.origins for one in found.columns} == last.origins


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["postgresql", "sqlite", "mssql", "nonsense", ""]))
def test_whatever_the_text_nothing_is_raised(text, backend):
    assert len(trace((text, "select a from t"), backend)) == 2


# -- cases ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select 1", set()),
        ("select * from a, b.c", {"a", "b.c"}),
        ("with a as (select * from b) select * from a, a x", {"b"}),
        ("with recursive a as (select i from b union select i from a) select i from a", {"b"}),
        ("select * from t where i in (select i from u) or 1 = (select 1 from v)", {"t", "u", "v"}),
        ("insert into t select * from u; select 1", {"u"}),
        ("with w as (select * from u) insert into t select * from w", {"u"}),
        ("update t set a = (select max(b) from u)", {"u"}),
        ("delete from t using u where t.i = u.i", {"u"}),
        ("drop table t", set()),
        ("-- from nowhere\nselect 'from x' from t", {"t"}),
    ],
)  # fmt: skip
def test_tables_of_statements(sql, tables):
    assert tables_of(sql) == tables


@pytest.mark.parametrize(
    ("backend", "sql", "table"),
    [
        ("bigquery", "select `a b` from `my-project`.ds.t", "my-project.ds.t"),
        ("mssql", "select top 5 [id] from [dbo].[Orders]", "dbo.Orders"),
        ("snowflake", 'select x:y::int from "Db"."S".T', "Db.S.T"),
        ("duckdb", "from t select a", "t"),
        ("awsathena", "select a from t cross join unnest(b) as u(c)", "t"),
        ("mysql", "select `a` from `t` limit 1, 2", "t"),
    ],
)
def test_the_dialect_is_that_of_the_database(backend, sql, table):
    assert tables_of(sql, backend=backend) == {table}


def test_the_first_part_of_a_url_names_the_dialect():
    assert [dialect_of(name) for name in ("postgresql", "awsathena", "mssql", "sqlite", "odd")] == [
        "postgres", "athena", "tsql", "sqlite", ""
    ]  # fmt: skip


def test_rows_that_are_inserted_are_a_part_of_what_a_table_was_made_from():
    made = ("create temp table t (a int, b int)", "insert into t (b, a) select x, y from u")
    assert columns_of(*made, "select a, b from t") == {"a": {"u.y"}, "b": {"u.x"}}
    assert columns_of(*made, "insert into t select p, q from v", "select * from t") == {
        "a": {"u.y", "v.p"},
        "b": {"u.x", "v.q"},
    }
    assert tables_of(*made, "drop table t", "select a from t") == {"t"}


def test_a_star_of_a_table_is_unknown_and_its_columns_are_possible():
    (found,) = trace(("select t.*, u.a from t join u on t.i = u.i",), "postgresql")
    assert found.columns is None
    assert not found.resolved
    assert texts(found.possible) == {"t.*"}
    assert texts(found.used) == {"u.a", "t.i", "u.i"}


def test_a_column_of_one_of_two_tables_is_possible_in_both():
    (found,) = trace(("select a, t.b from t, u",), "postgresql")
    assert {one.name: one.origins for one in found.columns or ()}["a"] is None
    assert texts(found.possible) == {"t.a", "u.a"}


def test_columns_of_conditions_are_used_and_counts_come_from_no_column():
    (found,) = trace(("select count(*) as n from t where day > 1 group by town",), "sqlite")
    assert texts(found.used) == {"t.day", "t.town"}
    assert columns_of("select count(*) as n from t where day > 1") == {"n": set()}


def test_what_cannot_be_parsed_has_no_lineage_and_prints_nothing(caplog, capfd):
    for sql in ("select ((", "explain select 1", "(" * 5000):
        (found,) = trace((sql,), "postgresql")
        assert not found.parsed
        assert found.tables == ()
    assert caplog.text == "".join(capfd.readouterr())
    assert logging.getLogger("sqlglot").level == logging.NOTSET


def test_many_threads_may_ask_at_once():
    found: list[set[str]] = []

    def ask(number):
        found.append(tables_of(f"select * from t{number % 3}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found, key=str) == sorted(({f"t{number % 3}"} for number in range(12)), key=str)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (SqlTable("T"), SqlTable("t", "main"), True),
        (SqlTable("t", "a"), SqlTable("t", "b"), False),
        (SqlTable("t", "a"), SqlTable("t", "A", "db"), True),
        (SqlTable("t"), SqlTable("u"), False),
    ],
)
def test_names_without_a_schema_may_be_of_any_schema(one, other, same):
    assert one.may_be(other) == other.may_be(one) == same
