"""`xingu in-production`: show the trains that targets serve, or served at a time."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from xingu_dagster.cli.output import (
    JSON,
    make_console,
    minutes_of,
    paragraph,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from xingu.deploy.history import Served

VERSION = 1
"""Version of the JSON document."""


class Moment(click.ParamType):
    """A time in ISO 8601; without a time zone it is local time."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        """Return the time.

        Raises:
            click.BadParameter: If it is none.
        """
        try:
            return datetime.fromisoformat(value).astimezone()
        except ValueError:
            self.fail(f"{value!r} is no time; write for example 2026-05-31T18:00.", param, ctx)


@click.command(short_help="Show what targets serve, or served at a time.")
@click.option("--target", help="Name of the target; default: all of DEPLOY_TARGETS.")
@click.option("--at", type=Moment(), help="A time, such as 2026-05-31T18:00; default: now.")
@JSON
def in_production(target: str | None, at: datetime | None, as_json: bool) -> None:
    """Show which train of each DataProvider a target serves, or served at a time.

    The answer comes from the ledgers of the targets, whose chains are verified: if an entry was
    changed, removed or inserted, the exit code is 1.
    """
    from xingu.config import Settings
    from xingu.deploy.history import in_production as served_by
    from xingu.workspace import Workspace

    workspace = Workspace(Settings.load())
    names = [target] if target else [name for chain in workspace.chains for name in chain]
    if not names:
        raise click.UsageError("There are no targets: set DEPLOY_TARGETS.")
    found = {name: served_by(workspace.target(name), name, at) for name in names}
    faults = [text for served in found.values() for one in served for text in one.faults]
    if as_json:
        served = [asdict(one) for all_served in found.values() for one in all_served]
        for one in served:
            one["since"] = one["since"].isoformat() if one["since"] else None
        time = at.isoformat() if at else None
        print_json({"version": VERSION, "at": time, "served": served, "faults": faults})
    else:
        _print(found, at)
        for text in faults:
            click.echo(paragraph(f"xingu: the ledger is damaged: {text}", make_console()), err=True)
    if faults:
        click.get_current_context().exit(1)


def _print(found: dict[str, list["Served"]], at: datetime | None) -> None:
    rows: list[list[str]] = []
    for name, served in found.items():
        rows.append([name])
        rows += [_row(one) for one in served]
        if not served:
            rows.append(["nothing", "", "", "", ""])
    title = f"Served at {minutes_of(at.isoformat())}" if at else "Served now"
    columns = ["DataProvider", "train", "since (UTC)", "by", "commit"]
    print_table(title, columns, rows, whole=(1, 2, 4, 3))


def _row(one: "Served") -> list[str]:
    since = minutes_of(one.since.isoformat() if one.since else None)
    approved = f"approved by {', '.join(one.approvals)}" if one.approvals else ""
    by = "\n".join(filter(None, [f"{one.action} {one.user}".strip(), approved, one.comment]))
    return [one.dataprovider_id, one.train_id or "unknown", since, by, one.commit[:8]]
