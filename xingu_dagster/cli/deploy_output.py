"""Print plans and results of deploys."""

from collections.abc import Callable
from typing import Any

import click
from rich.filesize import decimal

from xingu.deploy.difference import Difference
from xingu.deploy.execute import Deployed
from xingu.deploy.record import Plan
from xingu.deploy.route import Route
from xingu.texts import counted, number
from xingu_dagster.cli.output import make_console, minutes_of, paragraph, print_section

PARTS = {
    "copy": "copying {files}, {bytes}",
    "verify": "verifying the package at {target}",
    "prove": "estimating its golden rows from the package at {target}",
    "rows": "copying {rows} of the control DB",
    "pointer": "making it current at {target}",
}
ACTIONS = {
    "deploy": "deploy",
    "rollback": "roll back to a train that was served before",
    "rows": "copy the rows of the control DB, which are missing",
    "nothing": "nothing: it is there already",
}


def print_plan(plan: Plan, route: Route) -> None:
    """Print a plan, with its refusals."""
    commit = f"{plan.commit[:8]}{'-dirty' if plan.dirty else ''}" if plan.commit else "unknown"
    size = f"{counted(plan.files, 'file')}, {decimal(plan.bytes)}"
    facts: dict[str, Any] = {
        "action": ACTIONS[plan.action],
        "from": f"{plan.source} ({route.origin})",
        "trained": f"{minutes_of(plan.trained)} by {plan.user or 'somebody'}, commit {commit}",
        "package": f"{size}, SHA-256 {plan.package[:12]}…",
        "signed by": plan.signer,
        "rows": _rows(plan.rows) if plan.rows is not None else "none are copied",
        "gates": "\n".join(f"{name} {text}" for name, text in plan.gates.items()),
        "approvals": _approvals(plan),
        "replaces": plan.replaces,
        "difference": difference_text(plan.difference),
    }
    print_section(f"{plan.dataprovider_id} {plan.train_id} → {plan.target}", facts)
    console = make_console()
    for one in plan.refusals:
        click.echo(paragraph(f"Refused ({one.kind}): {one.text}", console))
    if plan.refusals:
        click.echo()


def print_deployed(done: Deployed) -> None:
    """Print the result of a deploy."""
    plan = done.plan
    name = f"{plan.dataprovider_id} {plan.train_id}"
    if plan.action == "rows":
        text = f"{name} was at {plan.target} already; its rows of the control DB were missing, and "
        text += f"{_rows(dict(done.rows or {}))} were copied."
    elif not done.changed:
        text = f"{plan.target} serves {name} already: there was nothing to do."
    else:
        replaced = f" in place of {plan.replaces}" if plan.replaces else ""
        proof = f"; {counted(done.proven, 'golden row')} estimated as before" if done.proven else ""
        back = "again " if plan.action == "rollback" else ""
        text = f"{plan.target} {back}serves {name}{replaced}{proof}."
    click.echo(paragraph(text, make_console()))


def progress(plan: Plan) -> Callable[[str], None]:
    """Return a function that prints the parts of a deploy on stderr."""
    facts = {
        "files": counted(plan.files, "file"),
        "bytes": decimal(plan.bytes),
        "target": plan.target,
        "rows": counted(sum((plan.rows or {}).values()), "row"),
    }

    def tell(part: str) -> None:
        click.echo(f"{plan.dataprovider_id}: {PARTS[part].format(**facts)}", err=True)

    return tell


def difference_text(one: Difference | None) -> str:
    """Return a difference as a text; empty if there is none to tell."""
    if one is None:
        return ""
    if one.problem:
        return f"not known: {one.problem}"
    if not one.changed:
        return f"none: {counted(one.rows, 'golden row')} are estimated as by the train before"
    rows = f"of {counted(one.rows, 'golden row')}, {one.changed:.0%} are estimated otherwise"
    if one.mean_absolute is None or one.max_absolute is None:
        return rows
    return f"{rows}: by {number(one.mean_absolute)} on average, {number(one.max_absolute)} at most"


def _rows(rows: dict[str, int]) -> str:
    filled = {name: count for name, count in rows.items() if count}
    largest = sorted(filled, key=lambda name: -filled[name])[:2]
    some = ", ".join(f"{name} {filled[name]:,}" for name in largest)
    total = counted(sum(filled.values()), "row")
    return f"{total} of {counted(len(filled), 'table')} ({some}{', …' if len(filled) > 2 else ''})"


def _approvals(plan: Plan) -> str:
    if not plan.approvals_needed:
        return ""
    people = f": {', '.join(plan.approvals)}" if plan.approvals else ""
    return f"{len(plan.approvals)} of {plan.approvals_needed}{people}"
