"""The statements of one connection: what each reads, and which tables they make on the way.

A table that a statement makes is kept as the lineage of its rows. A later statement that reads it
reads what it was made from.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.optimizer.scope import build_scope, traverse_scope

from xingu.logs import silenced
from xingu.sources.sql_columns import Columns, Results, Tracer, is_named, stars_of, table_of, union
from xingu.sources.sql_names import Lineage, ResultColumn, SqlColumn, SqlTable

logger = logging.getLogger(__name__)


class Script:
    """Statements that share the tables that they make.

    Args:
        dialect: Dialect of sqlglot; empty: SQL of no dialect.
        with_columns: Whether columns are traced too.
    """

    def __init__(self, dialect: str, *, with_columns: bool) -> None:
        self._dialect = dialect
        self._with_columns = with_columns
        self._made: dict[SqlTable, Lineage] = {}

    def run(self, sql: str) -> Lineage:
        """Return the lineage of one or several statements; its columns are those of the last one.

        Raises:
            sqlglot.errors.SqlglotError: If it cannot be parsed.
        """
        with silenced("sqlglot"):  # it warns of each statement that it does not know
            statements = [one for one in sqlglot.parse(sql, dialect=self._dialect) if one]
        whole = Lineage(columns=())
        for statement in statements:
            found = self._run(statement)
            whole = replace(_together(whole, found), columns=found.columns)
        return replace(whole, tables=tuple(sorted(set(whole.tables))))

    def _run(self, statement: Any) -> Lineage:
        if isinstance(statement, exp.Query):
            return self._query(statement.unnest())
        if isinstance(statement, exp.Command | exp.Alias):
            return Lineage(parsed=False)  # it may do anything
        if isinstance(statement, exp.Drop):
            for table in statement.find_all(exp.Table):
                self._made.pop(self._known(table_of(table)), None)
            return Lineage(columns=())
        target = _target(statement)
        found = self._read_by(statement, target)
        if target is not None:
            self._keep(statement, table_of(target), found)
        return replace(found, columns=())

    def _keep(self, statement: Any, table: SqlTable, found: Lineage) -> None:
        """Remember where the rows of a table come from that a statement makes or changes."""
        columns = _renamed(found.columns, _declared_columns(statement))
        known = self._known(table)
        if isinstance(statement, exp.Create):
            self._made[table] = replace(found, columns=columns)
        elif known != _OUTSIDE:
            before = self._made[known]
            inserted = columns if isinstance(statement, exp.Insert) else None
            merged = _merged(before.columns, inserted)
            self._made[known] = replace(_together(before, found), columns=merged)

    def _known(self, table: SqlTable) -> SqlTable:
        """Return the table of the script that a statement means, else `_OUTSIDE`."""
        return next((made for made in self._made if made.may_be(table)), _OUTSIDE)

    # -- what is read ----------------------------------------------------------------------------

    def _read_by(self, statement: Any, target: Any) -> Lineage:
        """Return what a statement reads that is no query."""
        query = statement.args.get("expression")
        if isinstance(statement, exp.Create | exp.Insert):
            if isinstance(query, exp.Query):
                ctes = statement.args.get("with_")
                if ctes:  # of an INSERT they stand before it
                    query = query.copy()
                    query.set("with_", ctes.copy())
                return self._query(query.unnest())
            names = _declared_columns(statement)
            return Lineage(columns=tuple(ResultColumn(one, frozenset()) for one in names))
        ctes = {cte.alias.casefold() for cte in statement.find_all(exp.CTE)}
        tables = {
            table_of(one)
            for one in statement.find_all(exp.Table)
            if one is not target and is_named(one) and one.name.casefold() not in ctes
        }
        return self._replaced(Lineage(tuple(tables), None, possible=stars_of(tables)))

    def _query(self, query: Any) -> Lineage:
        tables = _tables(query)
        found = Lineage(tuple(tables), None, possible=stars_of(tables))
        if self._with_columns:
            try:
                found = self._traced(query, tables)
            except Exception as error:  # noqa: BLE001 - the tables are known, whatever sqlglot raises
                logger.debug("No columns of a query: %s: %s", type(error).__name__, error)
        return self._replaced(found)

    def _traced(self, query: Any, tables: Iterable[SqlTable]) -> Lineage:
        copied = qualify_tables(query.copy(), dialect=self._dialect)
        guessed = _qualify_inner(copied)
        qualified = qualify(
            copied,
            dialect=self._dialect,
            schema=self._schema(tables),
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )
        root = build_scope(qualified)
        found = Tracer(tables).trace(root) if root else Lineage(tuple(tables), None)
        around = {SqlColumn(table, name) for table in tables for name in guessed}
        return replace(found, possible=found.possible | (around - found.used))

    def _schema(self, tables: Iterable[SqlTable]) -> dict[str, object]:
        """Return the columns of the tables that the script has made, as far as they are known."""
        made = {one.name: self._made.get(self._known(one)) for one in tables if not one.schema}
        return {
            name: {column.name: "unknown" for column in found.columns}
            for name, found in made.items()
            if found and found.columns
        }

    def _replaced(self, found: Lineage) -> Lineage:
        """Replace the tables that the script has made by what they were made from."""
        made = {one: self._made[known] for one in found.tables
                if (known := self._known(one)) != _OUTSIDE}  # fmt: skip
        result = replace(
            found,
            tables=tuple(one for one in found.tables if one not in made),
            columns=_through(found.columns, made),
            used=frozenset(one for one in found.used if one.table not in made),
            possible=frozenset(one for one in found.possible if one.table not in made),
        )
        for one in made.values():
            result = _together(result, one)
        return result


_OUTSIDE = SqlTable("")
"""No table of the script."""


def _qualify_inner(query: Any) -> set[str]:
    """Say which table columns of sub-queries belong to, and return the names of these columns.

    A name without a table means the table of the sub-query, if that has such a column, else one
    around it. sqlglot does not decide that without a schema.
    """
    names = set()
    for scope in traverse_scope(query):
        if scope.can_be_correlated and len(scope.selected_sources) == 1:
            (source,) = scope.selected_sources
            for column in scope.columns:
                if not column.table:
                    names.add(column.name)
                    column.set("table", exp.to_identifier(source))
    return names


def _tables(query: Any) -> list[SqlTable]:
    sources = (one for scope in traverse_scope(query) for one in scope.sources.values())
    return sorted({table_of(one) for one in sources if is_named(one)})


def _target(statement: Any) -> Any:
    """Return the table that a statement writes; None: none."""
    target = statement.args.get("this")
    if isinstance(target, exp.Schema):
        target = target.this
    return target if isinstance(target, exp.Table) else None


def _declared_columns(statement: Any) -> list[str]:
    """Return the columns that a statement declares for the table that it writes."""
    target = statement.args.get("this")
    return [one.name for one in target.expressions] if isinstance(target, exp.Schema) else []


def _renamed(columns: Results | None, names: Sequence[str]) -> Results | None:
    if columns is None or len(columns) != len(names):
        return columns
    return tuple(ResultColumn(name, one.origins) for name, one in zip(names, columns, strict=True))


def _merged(before: Results | None, more: Results | None) -> Results | None:
    """Return the columns of a table to which rows were added; None: they cannot be told."""
    if before is None or more is None:
        return None
    names = [one.name.casefold() for one in before]
    added = {one.name.casefold(): one.origins for one in more}
    if len(more) == len(before) and not set(added) <= set(names):  # by position
        added = dict(zip(names, added.values(), strict=True))
    return tuple(
        ResultColumn(one.name, union((one.origins, added.get(name, frozenset()))))
        for name, one in zip(names, before, strict=True)
    )


def _through(columns: Results | None, made: Mapping[SqlTable, Lineage]) -> Results | None:
    """Return columns of which no origin is a column of a table that the script has made."""
    if not columns or not made:
        return columns

    def before(column: SqlColumn) -> Columns | None:
        if column.table not in made:
            return frozenset((column,))
        found = made[column.table].columns or ()
        names = [one.name.casefold() for one in found]
        name = column.name.casefold()
        return found[names.index(name)].origins if name in names else None

    return tuple(
        ResultColumn(one.name, one.origins and union(map(before, one.origins))) for one in columns
    )


def _together(one: Lineage, other: Lineage) -> Lineage:
    return replace(
        one,
        tables=(*one.tables, *other.tables),
        used=one.used | other.used,
        possible=one.possible | other.possible,
        parsed=one.parsed and other.parsed,
    )
