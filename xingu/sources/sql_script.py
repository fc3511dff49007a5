"""The statements of one connection: what each reads, and which tables they make on the way.

A table that a statement makes is kept as the lineage of its rows. A later statement that reads it
reads what it was made from. sqlglot is imported here only.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope

from xingu.sources.sql_names import STAR, Lineage, ResultColumn, SqlColumn, SqlTable

logger = logging.getLogger(__name__)

Columns = frozenset[SqlColumn]
Results = tuple[ResultColumn, ...]


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
        with _quiet():
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
                self._made.pop(self._known(_table(table)), None)
            return Lineage(columns=())
        target = _target(statement)
        found = self._read_by(statement, target)
        if target is not None:
            self._keep(statement, _table(target), found)
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
            _table(one)
            for one in statement.find_all(exp.Table)
            if one is not target and _is_named(one) and one.name.casefold() not in ctes
        }
        return self._replaced(Lineage(tuple(tables), None, possible=_stars(tables)))

    def _query(self, query: Any) -> Lineage:
        tables = _tables(query)
        found = Lineage(tuple(tables), None, possible=_stars(tables))
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


class Tracer:
    """Traces the columns of a qualified query back to tables.

    Args:
        tables: The tables as the query names them; qualified ones have other letter cases.
    """

    def __init__(self, tables: Iterable[SqlTable]) -> None:
        self._tables = {table.parts: table for table in tables}
        self._scopes: dict[int, Scope] = {}
        self._traced: dict[tuple[int, int], Columns | None] = {}

    def trace(self, root: Scope) -> Lineage:
        """Return the lineage of the query whose outermost scope is `root`."""
        used: set[SqlColumn] = set()
        possible: set[SqlColumn] = set()
        scopes = list(root.traverse())
        self._scopes = {id(scope.expression): scope for scope in scopes}
        for scope in scopes:
            tables = [self._of(one) for one in scope.sources.values() if _is_named(one)]
            for one in filter(_is_star, _projections(scope)):
                source = scope.sources.get(getattr(one, "table", ""))
                possible |= _stars([self._of(source)] if _is_named(source) else tables)
            for column in scope.columns:
                source = self._source(column, scope)
                if _is_named(source):
                    used.add(SqlColumn(self._of(source), column.name))
                elif source is None:
                    possible |= {SqlColumn(table, column.name) for table in tables}
        return Lineage(
            tuple(self._tables.values()), self._results(root), frozenset(used), frozenset(possible)
        )

    def _results(self, root: Scope) -> Results | None:
        projections = _projections(root)
        if any(map(_is_star, projections)):
            return None
        return tuple(
            ResultColumn(one.alias_or_name, self._origins(root, place))
            for place, one in enumerate(projections)
        )

    def _origins(self, scope: Scope, place: int) -> Columns | None:
        """Return the origins of a column of a scope's result; None: they cannot be told."""
        key = (id(scope), place)
        if key not in self._traced:
            self._traced[key] = frozenset()  # a recursive query adds nothing to its own origins
            self._traced[key] = self._trace_column(scope, place)
        return self._traced[key]

    def _trace_column(self, scope: Scope, place: int) -> Columns | None:
        whole = scope.expression
        if isinstance(whole, exp.SetOperation):
            sides = [self._scopes.get(id(one.unnest())) for one in (whole.this, whole.expression)]
            return _union(self._origins(one, place) if one else None for one in sides)
        projections = _projections(scope)
        if place >= len(projections) or any(map(_is_star, projections)):
            return None
        return _union(self._parts(projections[place], scope))

    def _parts(self, projection: Any, scope: Scope) -> Iterator[Columns | None]:
        """Yield the origins of the columns and the sub-queries of an expression."""
        for node in projection.walk(prune=lambda one: isinstance(one, exp.Query)):
            if isinstance(node, exp.Column):
                yield self._column(node, scope)
            elif isinstance(node, exp.Query):
                inner = [one for one in scope.subquery_scopes if one.expression is node.unnest()]
                places = [(one, at) for one in inner for at in range(len(_projections(one)))]
                yield _union(self._origins(*one) for one in places) if places else None

    def _column(self, column: Any, scope: Scope) -> Columns | None:
        source = self._source(column, scope)
        if _is_named(source):
            return frozenset([SqlColumn(self._of(source), column.name)])
        names = _names(source)
        return self._origins(source, names.index(column.name)) if column.name in names else None

    def _source(self, column: Any, scope: Scope | None) -> Any:
        """Return the scope or the table that a column belongs to; None: it cannot be told."""
        if scope is not None and not column.table:
            return self._only_source(column.name, scope)
        while scope is not None:
            if column.table in scope.sources:
                return self._traversed(scope.sources[column.table])
            scope = scope.parent
        return None

    def _only_source(self, name: str, scope: Scope) -> Any:
        """Return the one source that can have a column, if SQL is valid and has no other."""
        sources = [self._traversed(source) for _, source in scope.selected_sources.values()]
        with_it = [one for one in sources if name in _names(one)]
        # Of others the columns are not known.
        others = [one for one in sources if not _names(one)]
        found = with_it or others
        return found[0] if len(found) == 1 else None

    def _traversed(self, source: Any) -> Any:
        """Return the scope with the sources of a query; a recursive one refers to a bare copy."""
        if isinstance(source, Scope):
            return self._scopes.get(id(source.expression), source)
        return source

    def _of(self, table: Any) -> SqlTable:
        found = _table(table)
        return self._tables.get(found.parts, found)


_OUTSIDE = SqlTable("")
"""No table of the script."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence sqlglot, which warns of each statement that it does not know."""
    of_sqlglot = logging.getLogger("sqlglot")
    level = of_sqlglot.level
    of_sqlglot.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        of_sqlglot.setLevel(level)


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


def _table(node: Any) -> SqlTable:
    return SqlTable(node.name, node.db, node.catalog)


def _is_named(node: Any) -> bool:
    """Return whether a source is a table, and not a function that returns one."""
    return isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier)


def _tables(query: Any) -> list[SqlTable]:
    sources = (one for scope in traverse_scope(query) for one in scope.sources.values())
    return sorted({_table(one) for one in sources if _is_named(one)})


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


def _projections(scope: Scope) -> Sequence[Any]:
    return getattr(scope.expression, "selects", ())


def _names(source: Any) -> list[str]:
    """Return the columns of a source; empty: they are not known."""
    projections = _projections(source) if isinstance(source, Scope) else ()
    return [] if any(map(_is_star, projections)) else [one.alias_or_name for one in projections]


def _is_star(projection: Any) -> bool:
    return projection.is_star


def _stars(tables: Iterable[SqlTable]) -> Columns:
    return frozenset(SqlColumn(table, STAR) for table in tables)


def _union(parts: Iterable[Columns | None]) -> Columns | None:
    whole: set[SqlColumn] = set()
    for part in parts:
        if part is None:
            return None
        whole |= part
    return frozenset(whole)


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
        ResultColumn(one.name, _union((one.origins, added.get(name, frozenset()))))
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
        ResultColumn(one.name, one.origins and _union(map(before, one.origins))) for one in columns
    )


def _together(one: Lineage, other: Lineage) -> Lineage:
    return replace(
        one,
        tables=(*one.tables, *other.tables),
        used=one.used | other.used,
        possible=one.possible | other.possible,
        parsed=one.parsed and other.parsed,
    )
