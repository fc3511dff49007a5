"""Trace the columns of a query back to tables.

sqlglot is imported in this module and in `sql_script` only, which are imported on first use.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from xingu.sources.sql_names import STAR, Lineage, ResultColumn, SqlColumn, SqlTable

Columns = frozenset[SqlColumn]
Results = tuple[ResultColumn, ...]


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
            tables = [self._of(one) for one in scope.sources.values() if is_named(one)]
            for one in filter(_is_star, _projections(scope)):
                source = scope.sources.get(getattr(one, "table", ""))
                possible |= stars_of([self._of(source)] if is_named(source) else tables)
            for column in scope.columns:
                source = self._source(column, scope)
                if is_named(source):
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
            return union(self._origins(one, place) if one else None for one in sides)
        projections = _projections(scope)
        if place >= len(projections) or any(map(_is_star, projections)):
            return None
        return union(self._parts(projections[place], scope))

    def _parts(self, projection: Any, scope: Scope) -> Iterator[Columns | None]:
        """Yield the origins of the columns and the sub-queries of an expression."""
        for node in projection.walk(prune=lambda one: isinstance(one, exp.Query)):
            if isinstance(node, exp.Column):
                yield self._column(node, scope)
            elif isinstance(node, exp.Query):
                inner = [one for one in scope.subquery_scopes if one.expression is node.unnest()]
                places = [(one, at) for one in inner for at in range(len(_projections(one)))]
                yield union(self._origins(*one) for one in places) if places else None

    def _column(self, column: Any, scope: Scope) -> Columns | None:
        source = self._source(column, scope)
        if is_named(source):
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
        found = table_of(table)
        return self._tables.get(found.parts, found)


def table_of(node: Any) -> SqlTable:
    """Return the table that a node of sqlglot names."""
    return SqlTable(node.name, node.db, node.catalog)


def is_named(node: Any) -> bool:
    """Return whether a source is a table, and not a function that returns one."""
    return isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier)


def _projections(scope: Scope) -> Sequence[Any]:
    return getattr(scope.expression, "selects", ())


def _names(source: Any) -> list[str]:
    """Return the columns of a source; empty: they are not known."""
    projections = _projections(source) if isinstance(source, Scope) else ()
    return [] if any(map(_is_star, projections)) else [one.alias_or_name for one in projections]


def _is_star(projection: Any) -> bool:
    return projection.is_star


def stars_of(tables: Iterable[SqlTable]) -> Columns:
    """Return any column of each of the tables."""
    return frozenset(SqlColumn(table, STAR) for table in tables)


def union(parts: Iterable[Columns | None]) -> Columns | None:
    """Return all columns of the parts; None if one of the parts is None."""
    whole: set[SqlColumn] = set()
    for part in parts:
        if part is None:
            return None
        whole |= part
    return frozenset(whole)
