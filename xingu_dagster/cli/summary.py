"""Print the outcome of a run for people: what was trained, its metrics, where everything is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from xingu_dagster.cli.output import cell_text, make_console, make_table

STYLES = {
    "success": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "refused": ("✗", "bold yellow"),
    "skipped": ("-", "dim"),
    "interrupted": ("!", "yellow"),
}


def print_summary(document: Mapping[str, Any], console: Console | None, *, traces: bool) -> None:
    """Print the outcome of a run.

    Args:
        document: The outcome; see `xingu_dagster.outcome`.
        console: Where to; None: stdout.
        traces: Print the traces of errors.
    """
    console = console or make_console()
    for record in document["dataproviders"]:
        console.print()
        _print_record(record, console, traces=traces)
    for name, text in document["broken"].items():
        console.print()
        console.print(Text(f"! {name} cannot be used", "yellow"))
        console.print(f"  {text}", soft_wrap=True)
    if document["error"]:
        console.print(document["error"], soft_wrap=True)
    console.print()
    mark, style = STYLES[document["status"]]
    console.print(Text(f"{mark} {_conclusion(document)}", style))
    console.print(f"Log: {_short(document['log'])}. The run in the UI: xingu ui", soft_wrap=True)


def _conclusion(document: Mapping[str, Any]) -> str:
    ended = {
        "success": "ended",
        "failed": "failed",
        "refused": "was refused",
        "interrupted": "was interrupted and is canceled",
    }[document["status"]]
    return f"Run {document['run_id'][:8]} {ended} after {document['seconds']:.1f} s."


def _print_record(record: Mapping[str, Any], console: Console, *, traces: bool) -> None:
    mark, style = STYLES[record["status"]]
    console.print(Text(f"{mark} {record['id']}", style).append(_title(record), "default"))
    for failure in record["failures"]:
        console.print(Text(f"  {failure['phase']}: {failure['message']}"), soft_wrap=True)
        if failure["cause"]:
            console.print(Text(f"    {failure['cause']}", "dim"), soft_wrap=True)
        if traces:
            console.print(Text(failure["trace"], "dim"))
    for text in record["warnings"]:
        console.print(Text(f"  ! {text}", "yellow"), soft_wrap=True)
    _print_metrics(record.get("metrics", {}), console)
    if search := record.get("search"):
        _print_search(record["id"], search, console)
    for name, place in record["files"].items():
        console.print(f"  {name:<12} {_short(place)}", soft_wrap=True)


def _title(record: Mapping[str, Any]) -> str:
    texts = {"success": "", "skipped": "skipped, because what it needs failed"}
    parts = [texts.get(str(record["status"]), str(record["status"]))]
    if "train_id" in record:
        current = "is current" if record.get("current") else "is not current"
        parts.append(f"train {record['train_id']} {current}")
    text = ", ".join(filter(None, parts))
    return text and f": {text}"


def _print_metrics(metrics: Mapping[str, Mapping[str, Any]], console: Console) -> None:
    """Print a table with a row per metric and a column per set."""
    sets = list(metrics)
    names = list(dict.fromkeys(name for values in metrics.values() for name in values))
    if not names:
        return
    table = make_table("", "  metric", *(name or "all" for name in sets))
    for column in table.columns[1:]:
        column.justify = "right"
    for name in names:
        cells = [_figure(metrics[one].get(name)) for one in sets]
        table.add_row(f"  {name}", *cells)
    console.print(table)


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else cell_text(value)


def _print_search(dp_id: str, search: Mapping[str, Any], console: Console) -> None:
    if not search["trials"]:
        console.print(f"  There was nothing to search; hyperparameters: {search['choice']}.")
        return
    failed = f", {search['failed_trials']} of them failed" if search["failed_trials"] else ""
    best = "" if search["best"] is None else f"; best {search['metric']}: {search['best']:.6g}"
    console.print(f"  {search['trials']} trials{failed}{best}", soft_wrap=True)
    for name, value in search["hyperparams"].items():
        console.print(f"    {name} = {cell_text(value)}", soft_wrap=True)
    console.print(f"  To train with them: xingu train --dps {dp_id}")


def _short(place: str) -> str:
    """Return a path relative to the current folder, if it is below that."""
    path = Path(place)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else place
