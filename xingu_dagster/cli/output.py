"""Print tables, sections of records and JSON for the `xingu` command."""

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xingu.reports.columns import column_widths, wrap

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

GAP = 2
"""Spaces between the columns of a table."""


def print_json(content: Any) -> None:
    """Print `content` as JSON on stdout."""
    click.echo(json.dumps(content, indent=1, default=str))


def make_console() -> Console:
    """Return a console that prints text without interpreting markup."""
    # Queries and branch names may contain brackets, which Rich would read as markup.
    return Console(markup=False, emoji=False, highlight=False)


def paragraph(text: str, console: Console, indent: str = "") -> str:
    """Return a text whose lines fit the terminal; without a terminal, its lines are left whole.

    Lines break between words, so that paths and names can be copied.

    Args:
        text: Any text; its own line breaks are kept.
        console: Where it will be printed.
        indent: Beginning of each line.
    """
    lines = text.splitlines()
    if console.is_terminal:
        wrapper = textwrap.TextWrapper(console.width, break_long_words=False,
                                       break_on_hyphens=False)  # fmt: skip
        wrapper.width -= len(indent)
        lines = [part for line in lines for part in wrapper.wrap(line)]
    return "\n".join(f"{indent}{line}" for line in lines)


def print_error(text: str) -> None:
    """Print an error on stderr, as one line if that is no terminal."""
    console = Console(stderr=True)
    click.echo(paragraph(f"xingu: {' '.join(text.split())}", console), err=True)


def shown_paths(text: str, folder: Path | None = None) -> str:
    """Return a text in which paths below a folder, by default the current one, are relative."""
    beginning = re.escape(f"{folder or Path.cwd()}{os.sep}")
    return re.sub(rf"(?<![\w/.:-]){beginning}", "", text)


def make_table(title: str, *columns: str, header: bool = True) -> Table:
    """Return an empty table that wraps long cells; `GAP` spaces are between its columns.

    Args:
        title: Title above the table; empty for none.
        columns: Names of the columns.
        header: Whether the names of the columns are printed.
    """
    padding = 1 if header else GAP  # the line below a header has a column between columns
    table = Table(title=Text(title, "bold") if title else None, title_justify="left",
                  show_header=header, box=box.SIMPLE_HEAD if header else None,
                  show_edge=False, padding=(0, padding, 0, 0))  # fmt: skip
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    header: bool = True,
    whole: Iterable[int] = (),
) -> None:
    """Print texts as a table that is as wide as the terminal at most; words are kept whole.

    Args:
        title: Title above the table; empty for none.
        columns: Names of the columns.
        rows: Cells; a row of a single cell is a heading of those that follow.
        header: Whether the names of the columns are printed.
        whole: Numbers of columns whose texts are not wrapped if that can be avoided, the most
            important first.
    """
    console = make_console()
    cells = _cells([*([columns] if header else []), *rows], columns)
    widths = column_widths(cells, console.width - GAP * len(columns), whole)
    table = make_table(title, *columns, header=header)
    for row in [*rows, [""]]:
        if len(row) == len(columns):
            table.add_row(*map(wrap, row, widths))
            continue
        columns_of_cells = zip(*cells, strict=True)
        for column, width, texts in zip(table.columns, widths, columns_of_cells, strict=True):
            column.width = width
            column.justify = "right" if header and _are_numbers(texts[1:]) else "left"
        console.print(table)
        if row[0]:
            console.print(Text(wrap(row[0], console.width), "bold"))
        table = make_table("", *columns, header=False)


def fits(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether `print_table` prints a table with a header without wrapping a text."""
    widths = column_widths(_cells([columns, *rows], columns), sys.maxsize)
    return sum(widths) + GAP * len(columns) <= make_console().width


def _cells(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> list[Sequence[str]]:
    """Return the rows that are no headings."""
    return [row for row in rows if len(row) == len(columns)]


def shown_place(file: Path, line: int | None, home: Path) -> str:
    """Return ``file:line``, relative to the project's home if the file is below it."""
    shown = shown_paths(str(file), home)
    return f"{shown}:{line}" if line else shown


def minutes_of(iso: str | None) -> str:
    """Return an ISO 8601 time as ``YYYY-MM-DD hh:mm``; empty for None."""
    return (iso or "")[:16].replace("T", " ")


def print_section(title: str, content: Any, whole: Sequence[str] = ()) -> None:
    """Print a record or a list of records as a table; print nothing if there is no content.

    Args:
        title: Title of the table.
        content: A dict, whose empty values are left out, or a list of dicts with equal keys.
        whole: Names of columns whose texts are not wrapped if that can be avoided, the most
            important first.
    """
    if isinstance(content, list):
        names = list(content[0]) if content else []
        rows = [[cell_text(row[name]) for name in names] for row in content]
    else:
        names = ["", ""]
        rows = [(name.replace("_", " "), cell_text(value)) for name, value in content.items()]
        rows = [row for row in rows if row[1]]
    if rows:
        at = [names.index(name) for name in whole if name in names]
        print_table(title, names, rows, header=isinstance(content, list), whole=at)
        click.echo()


def _are_numbers(texts: Sequence[str]) -> bool:
    number = r"[-+]?[\d.,]+(e[-+]?\d+)?|[-+]?inf|nan"
    return any(texts) and all(re.fullmatch(number, text) for text in texts if text)


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
