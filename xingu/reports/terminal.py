"""Print a Comparison as tables for a terminal, readable in 80 columns.

A table has as many trains as fit into the width; notes below it count what is not shown.
"""

from collections.abc import Iterator
from io import StringIO

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xingu.reports.compare import Comparison
from xingu.reports.view import (
    MARKS,
    Cell,
    SideBySide,
    counted,
    dataproviders_of,
    number,
    side_by_side,
)

CELL, MAX_LABEL, SPARKLINE = 20, 24, 12
"""Width of a train's column, maximum width of the first column, width of a sparkline."""
STYLES = {1: "green", -1: "red", 0: "dim"}
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
        fit = max((console.width - _label_width(report, dp_id)) // CELL, 1)
        shown = side_by_side(report, dp_id, limit or max(fit, 2))
        for start in range(0, len(shown.train_ids), fit):
            console.print(_side_by_side(shown, slice(start, start + fit)))
            console.print()
        for note in _notes(shown):
            console.print(note)
        console.print()
        _print_evolution(report, dp_id, console, branches)


def as_text(report: Comparison) -> str:
    """Return the output of `print_report` without colours, as wide as the terminal."""
    console = Console(file=StringIO(), width=Console().width, markup=False, highlight=False)
    print_report(report, console)
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


def _label_width(report: Comparison, dp_id: str) -> int:
    frames = (report.metrics, report.hyperparameters)
    names = [str(place[-1]) for one in frames for place in one.index if place[0] == dp_id]
    return min(max(map(len, names), default=0) + 2, MAX_LABEL)


def _side_by_side(shown: SideBySide, part: slice) -> Table:
    table = Table(title=Text(shown.dataprovider_id, "bold"), title_justify="left",
                  box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))  # fmt: skip
    table.add_column("", max_width=MAX_LABEL - 1, overflow="fold")
    for train_id in shown.train_ids[part]:
        mark = "\n(reference)" if train_id == shown.reference else ""
        table.add_column(f"{train_id}{mark}", width=CELL - 1, overflow="fold")
    for name, texts in shown.facts:
        table.add_row(name, *texts[part])
    table.add_section()
    for name, texts in shown.hyperparameters:
        table.add_row(name, *texts[part])
    last = None
    for set_name, name, cells in shown.metrics:
        if set_name != last:
            table.add_section()
            table.add_row(Text(set_name, "bold"))
        table.add_row(f" {name}", *map(_cell, cells[part]))
        last = set_name
    return table


def _cell(cell: Cell) -> Text:
    text = Text(f"{cell.value:>8}" if len(cell.value) < CELL else cell.value)
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
    table = Table(title=Text(f"{dp_id}: evolution, oldest to newest", "bold"),
                  title_justify="left", box=box.SIMPLE_HEAD, show_edge=False,
                  padding=(0, 1, 0, 0))  # fmt: skip
    for name in keys:
        table.add_column("metric" if name == "name" else name, overflow="fold")
    # A branch name takes the width of two numbers.
    ends = ("first", "newest", "least", "most")[: 2 if "branch" in keys else 4]
    for name in ("n", *ends):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=SPARKLINE)
    groups = own.groupby(keys, sort=False, dropna=False)["value"]
    for row_number, (key, values) in enumerate(groups):
        if row_number == MAX_ROWS and not branches:
            break
        finite = values[np.isfinite(values)]
        numbers = (values.iloc[0], values.iloc[-1], finite.min(), finite.max())[: len(ends)]
        texts = ["" if one is None or one is np.nan else str(one) for one in key]
        table.add_row(
            *texts, str(len(values)), *(number(one, 4) for one in numbers), sparks(finite)
        )
    console.print(table)
    console.print()
    if groups.ngroups > MAX_ROWS and not branches:
        console.print(f"{groups.ngroups - MAX_ROWS} more metrics: --metric NAME, --set NAME.\n")


def sparks(values: pd.Series) -> str:
    """Return a sparkline: up to 12 block characters, each the mean of neighbouring values."""
    if len(values) < 2:
        return ""
    parts = np.array_split(values.to_numpy(), min(len(values), SPARKLINE))
    means = np.array([part.mean() for part in parts])
    spread = np.ptp(means)
    levels = (means - means.min()) / spread * 7 if spread else np.full(len(means), 3)
    return "".join("▁▂▃▄▅▆▇█"[round(level)] for level in levels)
