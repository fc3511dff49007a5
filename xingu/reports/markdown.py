"""Markdown of trains and those before them, on identical rows: for the summary of a CI job."""

from collections.abc import Sequence

from xingu.reports.same_rows import MetricChange, SameRows
from xingu.texts import is_count, number

SIGNS = {"better": "▲ better", "worse": "▼ worse", "": ""}
SHOWN = 12
"""Metrics of a set that are shown; those of single classes are many, and come last."""


def as_markdown(compared: Sequence[SameRows]) -> str:
    """Return a section for each train: ids, sizes, and a table of its metrics."""
    if not compared:
        return "## Models\n\nNo model was trained.\n"
    return "\n".join(["## Models\n", *map(_section, compared)])


def _section(one: SameRows) -> str:
    train = one.train
    commit = str(train.provenance.get("git_commit") or "")[:8]
    rows = ", ".join(f"{name} {count:,}" for name, count in train.set_rows.items())
    sampled = train.provenance.get("sample_rows")
    facts = [
        f"train `{train.train_id}`: {one.status}",
        f"commit `{commit}`" if commit else "",
        f"rows: {rows}",
        f"samples of at most {sampled:,} rows of each source" if sampled else "",
    ]
    lines = [f"### {_cell(train.dataprovider_id)}", "", "; ".join(filter(None, facts)) + ".", ""]
    if one.note:
        lines += [f"Note: {_cell(one.note)}", ""]
    if one.changes:
        before = f"before (`{one.before}`)" if one.before else "before"
        lines += [f"| set | metric | {before} | now | |", "| --- | --- | ---: | ---: | --- |"]
        lines += [_row(change) for change in _shown(one.changes)]
        if one.before and not one.note:
            lines += ["", "Both trains are measured on the same rows, those of the new train."]
    return "\n".join([*lines, ""])


def _shown(changes: Sequence[MetricChange]) -> list[MetricChange]:
    sets: dict[str, list[MetricChange]] = {}
    for change in changes:
        sets.setdefault(change.set, []).append(change)
    return [change for some in sets.values() for change in some[:SHOWN]]


def _row(change: MetricChange) -> str:
    whole = is_count(change.name)
    values = ("" if one is None else number(one, 5, whole=whole)
              for one in (change.before, change.after))  # fmt: skip
    cells = (change.set, change.name, *values, SIGNS[change.verdict])
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
