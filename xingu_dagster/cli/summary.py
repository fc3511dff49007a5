"""Print the outcome of a run for people: what was trained, its metrics, where everything is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from xingu.texts import is_count, number
from xingu_dagster.cli.output import cell_text, make_console, make_table, paragraph, shown_paths

STYLES = {
    "success": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "refused": ("✗", "bold yellow"),
    "skipped": ("-", "dim"),
    "interrupted": ("!", "yellow"),
}
MAX_METRICS = 12
"""Maximum number of metrics of a train; those of single classes are many, and come last."""


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
    for text in document["broken"].values():
        console.print()
        _print(f"! {text}", console, "", "yellow")
    if document.get("left_out"):
        console.print()
        _print(document["left_out"], console)
    if document["error"]:
        _print(document["error"], console)
    console.print()
    mark, style = STYLES[document["status"]]
    console.print(Text(f"{mark} {_conclusion(document)}", style))
    _print(f"Log: {document['log']}. The run in the UI: xingu ui", console)


def _print(text: str, console: Console, indent: str = "", style: str = "") -> None:
    console.print(Text(paragraph(shown_paths(text), console, indent), style), soft_wrap=True)


def _conclusion(document: Mapping[str, Any]) -> str:
    ended = {
        "success": "ended",
        "failed": "failed",
        "refused": "was refused",
        "interrupted": "was interrupted and is canceled",
    }[document["status"]]
    text = f"Run {document['run_id'][:8]} {ended} after {document['seconds']:.1f} s"
    if partitions := document.get("partitions"):
        several = len(partitions) > 1
        text += f", {'partitions' if several else 'partition'} {partitions[0]}"
        text += f" to {partitions[-1]} ({len(partitions)})" if several else ""
    statuses = {one["status"] for one in document["dataproviders"]}
    only_broken = document["status"] == "failed" and statuses == {"success"} and document["broken"]
    return f"{text}{', because of what cannot be used' if only_broken else ''}."


def _print_record(record: Mapping[str, Any], console: Console, *, traces: bool) -> None:
    mark, style = STYLES[record["status"]]
    console.print(Text(f"{mark} {record['id']}", style).append(_title(record), "default"))
    for failure in record["failures"]:
        _print(f"{failure['phase']}: {failure['message']}", console, "  ")
        if failure["cause"]:
            _print(failure["cause"], console, "    ", "dim")
        if traces:
            console.print(Text(failure["trace"], "dim"))
    for text in record["warnings"]:
        _print(f"! {text}", console, "  ", "yellow")
    _print_metrics(record, console)
    if search := record.get("search"):
        _print_search(record["id"], search, console)
    for name, place in _places(record):
        console.print(f"  {name:<12} {shown_paths(place)}", soft_wrap=True)


def _title(record: Mapping[str, Any]) -> str:
    texts = {"success": "", "skipped": "skipped, because what it needs failed"}
    parts = [texts.get(str(record["status"]), str(record["status"]))]
    if "train_id" in record:
        current = "is current" if record.get("current") else "is not current"
        parts.append(f"train {record['train_id']} {current}")
    text = ", ".join(filter(None, parts))
    return text and f": {text}"


def _places(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names and places of what people open."""
    files, sinks = record["files"], record["sinks"]
    if "model" in files:
        yield "model", files["model"]
    if "plots" in files:
        index = Path(files["plots"], "index.html")  # none in object storage
        yield "plots", str(index) if index.is_file() else files["plots"]
    if "estimations" in files and not sinks:
        yield "estimations", files["estimations"]
    for address in sinks.values():
        yield "estimations", address


def _print_metrics(record: Mapping[str, Any], console: Console) -> None:
    """Print a table with a row per metric and a column per set."""
    metrics = record.get("metrics", {})
    sets = list(metrics)
    names = list(dict.fromkeys(name for values in metrics.values() for name in values))
    if not names:
        return
    table = make_table("", "  metric", *(name or "all" for name in sets))
    for column in table.columns[1:]:
        column.justify = "right"
    for name in names[:MAX_METRICS]:
        cells = [_figure(name, metrics[one].get(name)) for one in sets]
        table.add_row(f"  {name}", *cells)
    console.print(table)
    if (more := len(names) - MAX_METRICS) > 0:
        console.print(f"  {more} more: xingu report --train {record['train_id']}", soft_wrap=True)


def _figure(metric: str, value: Any) -> str:
    whole = is_count(metric)
    return number(value, whole=whole) if isinstance(value, float) else cell_text(value)


def _print_search(dp_id: str, search: Mapping[str, Any], console: Console) -> None:
    if not search["trials"]:
        console.print(f"  There was nothing to search; hyperparameters: {search['choice']}.")
        return
    failed = f", {search['failed_trials']} of them failed" if search["failed_trials"] else ""
    best = "" if search["best"] is None else f"; best {search['metric']}: {number(search['best'])}"
    console.print(f"  {search['trials']} trials{failed}{best}", soft_wrap=True)
    for name, value in search["hyperparams"].items():
        console.print(f"    {name} = {cell_text(value)}", soft_wrap=True)
    console.print(f"  To train with them: xingu train --dps {dp_id}")
