"""Tables and columns as SQL names them, and what a query reads."""

from dataclasses import dataclass

STAR = "*"


@dataclass(frozen=True, slots=True, order=True)
class SqlTable:
    """A table as a query names it.

    Attributes:
        name: Its name.
        schema: Its schema; empty if the query does not say.
        catalog: Its catalog, or database; empty if the query does not say.
    """

    name: str
    schema: str = ""
    catalog: str = ""

    def __str__(self) -> str:
        return ".".join(filter(None, (self.catalog, self.schema, self.name)))

    @property
    def parts(self) -> tuple[str, ...]:
        """The name and then what qualifies it, in one case, to compare."""
        return tuple(part.casefold() for part in (self.name, self.schema, self.catalog) if part)

    def may_be(self, other: "SqlTable") -> bool:
        """Return whether both have the same name, and no different schemas or catalogs."""
        return all(mine == theirs for mine, theirs in zip(self.parts, other.parts, strict=False))


@dataclass(frozen=True, slots=True, order=True)
class SqlColumn:
    """A column of a table; ``*`` stands for any of its columns."""

    table: SqlTable
    name: str


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """A column of a result.

    Attributes:
        name: Its name.
        origins: The columns that it is computed from; None: they cannot be told.
    """

    name: str
    origins: frozenset[SqlColumn] | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The tables and columns that a query reads.

    Attributes:
        tables: The tables, in the order of their names.
        columns: Columns of its last result; None: they cannot be told, for example because of a
            ``*``.
        used: Columns that it reads anywhere, also in conditions.
        possible: Columns that it may read.
        parsed: Whether all of it could be parsed.
    """

    tables: tuple[SqlTable, ...] = ()
    columns: tuple[ResultColumn, ...] | None = None
    used: frozenset[SqlColumn] = frozenset()
    possible: frozenset[SqlColumn] = frozenset()
    parsed: bool = True

    @property
    def resolved(self) -> bool:
        """Whether the origins of every column of the result are known."""
        return self.columns is not None and all(one.origins is not None for one in self.columns)
