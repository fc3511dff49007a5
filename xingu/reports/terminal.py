"""Print a Comparison as tables for a terminal, readable in 80 columns.

A table has as many trains as fit into the width; notes below it count what is not shown.
"""

import sys
from collections.abc import Iterator
from io import StringIO

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xingu.reports.columns import column_widths, wrap
from xingu.reports.compare import Comparison
from xingu.reports.view import (
    MARKS,
    Cell,
    SideBySide,
    dataproviders_of,
    side_by_side,
)
from xingu.texts import counted, is_count, number

CELL, MAX_CELL, MAX_LABEL, SPARKLINE = 20, 44, 24, 12
"""Least and largest width of a train's column, width of the first column unless there is space for
more, width of a sparkline; columns include the space behind them."""
STYLES = {1: "green", -1: "red", 0: "dim"}
ENDS = ("first", "newest", "least", "most")
"""Numbers of the evolution; the last two are left out where they do not fit."""
MAX_ROWS = 20
"""Maximum number of rows of the evolution if no metric was selected."""


def print_report(
    report: Comparison, console: Console, limit: int | None = None, *, branches: bool = False
) -> None:
    """Print the tables of all DataProviders.

    Args:
        report: The comparison.
        console: Output; its width determines the number of trains side by side.
        limit: Maximum number of trains per DataProvider; None: as many as fit.
        branches: Show the evolution by branch, and of all metrics.
    """
    for dp_id in dataproviders_of(report):
        label = _label_width(report, dp_id)
        fit = max((console.width - min(label, MAX_LABEL)) // CELL, 1)
        shown = side_by_side(report, dp_id, limit or max(fit, 2))
        for start in range(0, len(shown.train_ids), fit):
            part = slice(start, start + fit)
            widths = _widths(shown, part, label, console.width)
            console.print(_side_by_side(shown, part, *widths))
            console.print()
        for note in _notes(shown):
            console.print(wrap(note, console.width))
        console.print()
        _print_evolution(report, dp_id, console, branches)


def as_text(report: Comparison) -> str:
    """Return the output of `print_report` without colours, as wide as the terminal."""
    # In a notebook, rich would display what is printed into a file, and FORCE_COLOR is set.
    console = Console(
        file=StringIO(),
        width=Console().width,
        markup=False,
        highlight=False,
        color_system=None,
        force_jupyter=False,
    )
    print_report(report, console)
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


def _label_width(report: Comparison, dp_id: str) -> int:
    """Return the width of the first column in which no name is wrapped."""
    frames = (report.metrics, report.hyperparameters, report.attributes)
    names = [str(place[-1]) for one in frames for place in one.index if place[0] == dp_id]
    return max(map(len, names), default=0) + 2


def _widths(shown: SideBySide, part: slice, label: int, width: int) -> tuple[int, int]:
    """Return the widths of the first column and of the others: wide ones where there is space."""
    count = len(shown.train_ids[part])
    label = max(min(label, width - count * CELL), min(label, MAX_LABEL))
    rows = [*(texts[part] for _, texts in [*shown.facts, *shown.hyperparameters])]
    longest = max(len(text) for texts in [shown.train_ids[part], *rows] for text in texts) + 1
    return label, max(min((width - label) // count, longest, MAX_CELL), CELL)


def _side_by_side(shown: SideBySide, part: slice, label: int, cell: int) -> Table:
    table = Table(title=Text(shown.dataprovider_id, "bold"), title_justify="left",
                  box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0, 0, 0))  # fmt: skip
    table.add_column("", width=label - 1)
    for train_id in shown.train_ids[part]:
        mark = "\n(reference)" if train_id == shown.reference else ""
        table.add_column(f"{wrap(train_id, cell - 1)}{mark}", width=cell - 1)
    for name, texts in [*shown.facts, ("", []), *shown.hyperparameters]:
        if not texts:
            table.add_section()
            continue
        table.add_row(wrap(name, label - 1, 1), *(wrap(text, cell - 1) for text in texts[part]))
    last = None
    for set_name, name, cells in shown.metrics:
        if set_name != last:
            table.add_section()
            table.add_row(Text(set_name, "bold"))
        table.add_row(wrap(f" {name}", label - 1, 2), *(_cell(one, cell) for one in cells[part]))
        last = set_name
    return table


def _cell(cell: Cell, width: int) -> Text:
    text = Text(f"{cell.value:>8}" if len(cell.value) < CELL else wrap(cell.value, width - 1))
    if cell.difference:
        text.append(f" {cell.difference:>8}{MARKS[cell.verdict]}", STYLES[cell.verdict])
    return text


def _notes(shown: SideBySide) -> Iterator[str]:
    if shown.reference:
        yield f"{MARKS[1]} better, {MARKS[-1]} worse than {shown.reference} (--reference TRAIN)."
    if shown.same_hyperparameters:
        yield f"{counted(shown.same_hyperparameters, 'hyperparameter')} the same in all of them."
    if shown.omitted:
        yield (
            f"{counted(shown.omitted, 'older train')} not shown: --limit N, --train, --branch, "
            "--since, or --html FILE."
        )


def _print_evolution(report: Comparison, dp_id: str, console: Console, branches: bool) -> None:
    own = report.evolution[report.evolution["dataprovider_id"] == dp_id]
    if own["train_id"].nunique() < 3:
        return
    # Grouped by set, test metrics first, because the number of rows is limited.
    places = own.groupby(["set", "name"], sort=False).ngroup() + (own["set"] != "test") * len(own)
    own = own.iloc[np.argsort(places.to_numpy(), kind="stable")]
    keys = ["set", "name", *(["branch"] if branches and own["branch"].nunique() > 1 else [])]
    groups = own.groupby(keys, sort=False, dropna=False)["value"]
    columns = [*("metric" if name == "name" else name for name in keys), "n", *ENDS, ""]
    shown = [*groups][: None if branches else MAX_ROWS]
    rows = [
        columns,
        *([*map(_name, key), *_ends(values, is_count(_name(key[1])))] for key, values in shown),
    ]
    least = len(keys) + 3
    if sum(column_widths(rows, sys.maxsize)) + 2 * len(columns) > console.width:
        rows = [[*row[:least], *row[least + 2 :]] for row in rows]
    title = Text(f"{dp_id}: evolution, oldest to newest", "bold")
    console.print(_evolution_table(title, rows, len(keys), console.width))
    console.print()
    if len(groups) > len(shown):
        console.print(
            f"{counted(len(groups) - len(shown), 'more metric')}: --metric NAME, --set NAME.\n"
        )


def _evolution_table(title: Text, rows: list[list[str]], keys: int, width: int) -> Table:
    count = len(rows[0])
    widths = column_widths(rows, width - 2 * count, range(keys, count))
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False,
                  padding=(0, 1, 0, 0))  # fmt: skip
    for at, name in enumerate(rows[0]):
        justify = "right" if keys <= at < count - 1 else "left"
        table.add_column(name, width=max(widths[at], 1), justify=justify)
    for row in rows[1:]:
        table.add_row(*map(wrap, row, widths))
    return table


def _ends(values: pd.Series, whole: bool = False) -> list[str]:
    finite = values[np.isfinite(values)]
    numbers = (values.iloc[0], values.iloc[-1], finite.min(), finite.max())
    return [str(len(values)), *(number(one, 4, whole=whole) for one in numbers), sparks(finite)]


def _name(key: object) -> str:
    return "" if key is None or key is np.nan else str(key)


def sparks(values: pd.Series) -> str:
    """Return a sparkline: up to 12 block characters, each the mean of neighbouring values."""
    if len(values) < 2:
        return ""
    parts = np.array_split(values.to_numpy(), min(len(values), SPARKLINE))
    means = np.array([part.mean() for part in parts])
    spread = np.ptp(means)
    levels = (means - means.min()) / spread * 7 if spread else np.full(len(means), 3)
    return "".join("▁▂▃▄▅▆▇█"[round(level)] for level in levels)
