"""A report as tables for a terminal, readable in 80 columns.

Its one idea: as many trains side by side as fit; what is left out is said.
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
from xingu.reports.view import MARKS, Cell, SideBySide, number, side_by_side

CELL, MOST_LABEL, SPARKS = 20, 24, 12
"""Letters of a train's column, at most of that of the names, and of a line of blocks."""
STYLES = {1: "green", -1: "red", 0: "dim"}
MOST_ROWS = 20
"""Rows of the evolution that are shown when no metric was asked for."""


def print_report(
    report: Comparison, console: Console, most: int | None = None, *, branches: bool = False
) -> None:
    """Print a report.

    Args:
        report: What was compared.
        console: Where to; its width decides how much is side by side.
        most: How many trains are shown of each DataProvider; None: as many as fit.
        branches: Show the evolution of each branch, and of every metric.
    """
    for dp_id in dict.fromkeys(report.trains["dataprovider_id"]):
        fit = max((console.width - _label_width(report, dp_id)) // CELL, 1)
        shown = side_by_side(report, dp_id, most or max(fit, 2))
        for start in range(0, len(shown.train_ids), fit):
            console.print(_side_by_side(shown, slice(start, start + fit)))
            console.print()
        for note in _notes(shown):
            console.print(note)
        console.print()
        _print_evolution(report, dp_id, console, branches)


def as_text(report: Comparison) -> str:
    """Return what `print_report` prints, without colours."""
    console = Console(file=StringIO(), width=Console().width, markup=False, highlight=False)
    print_report(report, console)
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


def _label_width(report: Comparison, dp_id: str) -> int:
    frames = (report.metrics, report.hyperparameters)
    names = [str(place[-1]) for one in frames for place in one.index if place[0] == dp_id]
    return min(max(map(len, names), default=0) + 2, MOST_LABEL)


def _side_by_side(shown: SideBySide, part: slice) -> Table:
    table = Table(title=Text(shown.dataprovider_id, "bold"), title_justify="left",
                  box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))  # fmt: skip
    table.add_column("", max_width=MOST_LABEL - 1, overflow="fold")
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
        yield f"{_count(shown.same_hyperparameters, 'hyperparameter')} the same in all of these."
    if shown.left_out:
        yield (
            f"{_count(shown.left_out, 'older train')} not shown: --most N, --train, --branch, "
            "--since, or --html FILE."
        )


def _print_evolution(report: Comparison, dp_id: str, console: Console, branches: bool) -> None:
    own = report.evolution[report.evolution["dataprovider_id"] == dp_id]
    if own["train_id"].nunique() < 3:
        return
    # Metrics of the same set together, those that count first: only some rows may be shown.
    places = own.groupby(["set", "name"], sort=False).ngroup() + (own["set"] != "test") * len(own)
    own = own.iloc[np.argsort(places.to_numpy(), kind="stable")]
    keys = ["set", "name", *(["branch"] if branches and own["branch"].nunique() > 1 else [])]
    table = Table(title=Text(f"{dp_id}: evolution, oldest to newest", "bold"),
                  title_justify="left", box=box.SIMPLE_HEAD, show_edge=False,
                  padding=(0, 1, 0, 0))  # fmt: skip
    for name in keys:
        table.add_column("metric" if name == "name" else name, overflow="fold")
    # Names of branches need the place of two numbers.
    ends = ("first", "newest", "least", "most")[: 2 if "branch" in keys else 4]
    for name in ("n", *ends):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=SPARKS)
    groups = own.groupby(keys, sort=False, dropna=False)["value"]
    for number_of_rows, (place, values) in enumerate(groups):
        if number_of_rows == MOST_ROWS and not branches:
            break
        finite = values[np.isfinite(values)]
        numbers = (values.iloc[0], values.iloc[-1], finite.min(), finite.max())[: len(ends)]
        texts = ["" if one is None or one is np.nan else str(one) for one in place]
        table.add_row(
            *texts, str(len(values)), *(number(one, 4) for one in numbers), sparks(finite)
        )
    console.print(table)
    console.print()
    if groups.ngroups > MOST_ROWS and not branches:
        console.print(f"{groups.ngroups - MOST_ROWS} more metrics: --metric NAME, --set NAME.\n")


def sparks(values: pd.Series) -> str:
    """Return numbers as a line of blocks, each of them the mean of as many neighbours."""
    if len(values) < 2:
        return ""
    parts = np.array_split(values.to_numpy(), min(len(values), SPARKS))
    means = np.array([part.mean() for part in parts])
    spread = np.ptp(means)
    levels = (means - means.min()) / spread * 7 if spread else np.full(len(means), 3)
    return "".join("▁▂▃▄▅▆▇█"[round(level)] for level in levels)


def _count(many: int, name: str) -> str:
    return f"{many:,} {name}{'' if many == 1 else 's'}"
