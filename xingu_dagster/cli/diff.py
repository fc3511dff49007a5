"""`xingu diff`: what differs between two trains."""

from typing import Any

import click

from xingu.texts import is_count, number
from xingu_dagster.cli.output import JSON, make_console, minutes_of, print_json, print_section

SCHEMA = "xingu.diff/1"
SIGNS = {"better": "▲ better", "worse": "▼ worse", None: ""}


@click.command(short_help="Show what differs between two trains.")
@click.argument("before", metavar="TRAIN")
@click.argument("after", metavar="TRAIN")
@JSON
def diff(before: str, after: str, as_json: bool) -> None:
    """Show what differs between two trains, the older one first.

    TRAIN is a train id, a session, session:train, or one of these after DP/. DP/current is the
    current train of a DataProvider, DP/previous the one that was current before it.

    Compared are the code in the model packages (files and hooks), the data of each source,
    parameters and where they come from, sizes of sets, metrics (with a verdict beyond the noise of
    the set), outcomes of checks, and versions of libraries.
    """
    from xingu.config import Settings
    from xingu.reports.diff import diff_trains
    from xingu.workspace import Workspace

    workspace = Workspace(Settings.load())
    found = diff_trains(workspace.models, workspace.control, before, after)
    if as_json:
        print_json({"schema": SCHEMA, **found})
        return
    notes = found.pop("notes")
    for name, content in found.items():
        shown = SHOWN[name](content) if name in SHOWN else content
        if shown:
            print_section(name.capitalize(), shown, whole=["train", "metric", "parameter", "file"])
        elif name in NOTHING:
            click.echo(f"{name.capitalize()}: {NOTHING[name]}\n")
    for note in notes:
        make_console().print(f"Note: {note}")


NOTHING = {
    "code": "no difference is known.",
    "parameters": "the same.",
    "checks": "the same outcomes.",
    "libraries": "the same versions.",
}
"""Texts for sections without content."""


def _trains(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def column(one: dict[str, Any]) -> dict[str, Any]:
        commit = f"{(one['commit'] or '')[:8]}{'-dirty' if one['dirty'] else ''}"
        return {**one, "trained": minutes_of(one["trained"]), "commit": commit}

    old, new = map(column, records)
    names = [name for name in old if name != "dirty"]
    return [{"": name, "before": old[name], "after": new[name]} for name in names]


def _code(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "members": "\n".join(one["members"])} for one in records]


def _sources(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "source": one["source"],
            "changed": ", ".join(one["changed"]) or "no",
            "rows before": one["rows_before"],
            "rows after": one["rows_after"],
        }
        for one in records
    ]


def _metrics(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def row(one: dict[str, Any]) -> dict[str, Any]:
        digits = {"before": 5, "after": 5, "difference": 3}
        numbers = {name: one[name] for name in digits if isinstance(one[name], float)}
        whole = is_count(one["metric"])
        shown = {name: number(value, digits[name], whole=whole) for name, value in numbers.items()}
        return {**one, **shown, "verdict": SIGNS[one["verdict"]]}

    return [row(one) for one in records]


SHOWN = {
    "trains": _trains,
    "code": _code,
    "sources": _sources,
    "metrics": _metrics,
}
"""How sections are printed."""
