"""Print tables, sections of records and JSON for the `xingu` command."""

import json
from collections.abc import Mapping
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(content: Any) -> None:
    """Print `content` as JSON on stdout."""
    click.echo(json.dumps(content, indent=1, default=str))


def make_console() -> Console:
    """Return a console that prints text without interpreting markup."""
    # Queries and branch names may contain brackets, which Rich would read as markup.
    return Console(markup=False, emoji=False, highlight=False)


def make_table(title: str, *columns: str, header: bool = True) -> Table:
    """Return an empty table that wraps long cells.

    Args:
        title: Title above the table; empty for none.
        columns: Names of the columns.
        header: Whether the names of the columns are printed.
    """
    table = Table(title=Text(title, "bold") if title else None, title_justify="left",
                  show_header=header, box=box.SIMPLE_HEAD if header else None,
                  show_edge=False, padding=(0, 1 if header else 2, 0, 0))  # fmt: skip
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def minutes_of(iso: str | None) -> str:
    """Return an ISO 8601 time as ``YYYY-MM-DD hh:mm``; empty for None."""
    return (iso or "")[:16].replace("T", " ")


def count(number: int, name: str) -> str:
    """Return a number with a noun, which gets an ``s`` unless the number is 1."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def print_section(title: str, content: Any) -> None:
    """Print a record or a list of records as a table; print nothing if there is no content.

    Args:
        title: Title of the table.
        content: A dict, whose empty values are left out, or a list of dicts with equal keys.
    """
    if isinstance(content, list):
        names = list(content[0]) if content else []
        table = make_table(title, *names)
        for column in table.columns:
            numbers = [row[str(column.header)] for row in content]
            if all(isinstance(value, int | float | None) for value in numbers):
                column.justify = "right"
        rows = [[row[name] for name in names] for row in content]
    else:
        table = make_table(title, "", "", header=False)
        rows = [(name.replace("_", " "), value) for name, value in content.items()]
        rows = [row for row in rows if cell_text(row[1])]
    for row in rows:
        table.add_row(*map(cell_text, row))
    if rows:
        console = make_console()
        console.print(table)
        console.print()


def cell_text(value: Any) -> str:
    """Return a value of a record as the text of a table cell."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={cell_text(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(cell_text, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
