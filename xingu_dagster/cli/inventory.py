"""`xingu inventory`: list current trains, show a train, pin and unpin a train, export, prune."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.filesize import decimal

from xingu.config import Settings
from xingu.registry import listing
from xingu.registry.pins import FILE
from xingu.texts import counted, number
from xingu.workspace import Workspace
from xingu_dagster.cli.output import (
    JSON,
    fits,
    minutes_of,
    print_json,
    print_section,
    print_table,
)
from xingu_dagster.cli.signatures import sign, verify


@click.group(invoke_without_command=True)
@JSON
@click.option("--history", "limit", type=click.IntRange(0), default=5, show_default=True,
              help="Number of history entries of each DataProvider.")  # fmt: skip
@click.pass_context
def inventory(context: click.Context, as_json: bool, limit: int) -> None:
    """List the current train of each DataProvider, with its history."""
    if context.invoked_subcommand:
        return
    models = Workspace(Settings.load()).models
    current = listing.current_trains(models)
    for record in current:
        record["history"] = list(listing.history(models, record["dataprovider_id"], limit))
    if as_json:
        print_json(current)
    elif not current:
        click.echo(f"No model was trained yet in {models.root}; `xingu train` trains.")
    else:
        _print_current(current)


@inventory.command(short_help="Show everything recorded about a train.")
@click.argument("train")
@JSON
def show(train: str, as_json: bool) -> None:
    """Show everything recorded about TRAIN: a train id, session:train, or dp/train."""
    from xingu.tracking.details import train_details

    workspace = Workspace(Settings.load())
    details = train_details(workspace.models, workspace.control, train)
    if as_json:
        print_json(details)
        return
    for file in details["files"]:
        file["sha256"] = f"{file['sha256'][:12]}…"
    for name, content in details.items():
        title = name.replace("pre_req", "pre-req").replace("_", " ").capitalize()
        print_section(title, content)


@inventory.command(short_help="Make a saved train the current one until it is unpinned.")
@click.argument("dp")
@click.argument("train")
def pin(dp: str, train: str) -> None:
    """Make TRAIN the current train of DP, for example to return to an older one.

    It stays current until `xingu inventory unpin DP`; later trains are kept beside it. Trains that
    are newer than TRAIN are rolled back: strategy `last` takes no hyperparameters of them.
    """
    models = Workspace(Settings.load()).models
    train_id = listing.pin(models, dp, train).train_id
    click.echo(
        f"{dp}: the current train is now {train_id}, until `xingu inventory unpin {dp}`. "
        "Later trains are kept beside it."
    )
    in_file = models.pinned(dp) or train_id
    if in_file != train_id:
        click.echo(f"This project still loads {in_file}, because {FILE} pins it; edit that file.")


@inventory.command(short_help="Take away the pin of a train.")
@click.argument("dp")
def unpin(dp: str) -> None:
    """Take away the pin of the current train of DP.

    The newest train that has passed its checks since the pin becomes current. If there is none, the
    train stays current until the next one. Trains that were rolled back do not come back.
    """
    models = Workspace(Settings.load()).models
    entry = listing.unpin(models, dp)
    click.echo(f"{dp}: {entry.train_id} is not pinned any more; {entry.current} is current.")
    if in_file := models.pinned(dp):
        click.echo(f"This project still loads {in_file}, because {FILE} pins it; edit that file.")


inventory.add_command(verify)
inventory.add_command(sign)


@inventory.command(short_help=f"Write {FILE}, where a repository can pin trains.")
@click.option("--path", type=click.Path(dir_okay=False, path_type=Path),
              help=f"File to write; default: {FILE} of the project.")  # fmt: skip
@click.option("--commit-inventory", is_flag=True, help="Commit the file and push it.")
def export(path: Path | None, commit_inventory: bool) -> None:
    """Write the inventory file, where a repository can pin trains.

    An entry with `pinned: true` decides which train is loaded. Existing pins are kept.
    """
    settings = Settings.load()
    export_inventory(settings, path, commit=commit_inventory or settings.commit_inventory)


def export_inventory(
    settings: Settings, path: Path | None = None, *, commit: bool, err: bool = False
) -> None:
    """Write the inventory file, and say so.

    Args:
        settings: The settings of the project.
        path: The file; None: that of the project.
        commit: Commit and push it.
        err: Print on stderr.
    """
    target = (path or settings.project_home / FILE).resolve()
    exported = listing.export(Workspace(settings).models, target)
    click.echo(f"Wrote {target}: {counted(len(exported), 'DataProvider')}.", err=err)
    if not commit:
        return
    from xingu.registry.gitops import commit_and_push

    trains = "\n".join(f"{dp_id} {model['train_id']}" for dp_id, model in exported.items())
    made, pushed = commit_and_push(target, f"Inventory of trained models\n\n{trains}")
    click.echo(f"Committed as {made[:10]}." if made else "Nothing to commit.", err=err)
    click.echo(f"Pushed to {pushed}." if pushed else "Not pushed: there is no remote.", err=err)


@inventory.command(short_help="Remove old packages, plots and values.")
@click.option("--keep", type=click.IntRange(1), required=True,
              help="Number of newest trains of each DataProvider to keep.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="List what would be removed, and remove nothing.")
def prune(keep: int, dry_run: bool) -> None:
    """Remove old packages, with their plots and the values that only they used.

    Current and pinned trains are kept, the train that the last deploy or rollback replaced, and
    prerequisites of trains that are kept. The newest values of each asset are kept too
    (XINGU_KEEP_VALUES). What killed runs left is removed too,
    incomplete files after a day.
    """
    from xingu import maintenance

    workspace = Workspace(Settings.load())
    done = "Would remove" if dry_run else "Removed"
    stores = workspace.models, workspace.plot_folders, workspace.values
    if left := maintenance.sweep(*stores, dry_run=dry_run):
        click.echo(f"{done} {counted(len(left), 'leftover')} of killed runs.")
    trains = maintenance.prunable_trains(workspace.models, keep)
    if not trains:
        click.echo("No train to remove: all are new, current, pinned or prerequisites.")
        return
    rows = [
        [
            train.dataprovider_id,
            train.train_id,
            minutes_of(train.trained.isoformat() if train.trained else None),
            decimal(maintenance.package_size(train)),
        ]
        for train in trains
    ]
    print_table("", ["DataProvider", "train", "trained (UTC)", "size"], rows, whole=(1, 2, 3))
    if not dry_run:
        maintenance.prune(*stores, trains)
    total = decimal(sum(map(maintenance.package_size, trains)))
    click.echo(f"{done} {counted(len(trains), 'train')}, {total}.")


def _print_current(current: list[dict[str, Any]]) -> None:
    tables = [([*layout], _rows(layout.values(), current)) for layout in LAYOUTS]
    columns, rows = next((one for one in tables if fits(*one)), tables[-1])
    print_table("Current trains", columns, rows, whole=range(1, len(columns)))
    for record in (record for record in current if "damaged" in record):
        click.secho(f"{record['dataprovider_id']} is damaged: {record['damaged']}", fg="red")
    if any(record["history"] for record in current):
        _print_history(current)


def _print_history(current: list[dict[str, Any]]) -> None:
    columns, rows = ["since (UTC)", "by", "train", "test score", "commit"], []
    for record in (record for record in current if record["history"]):
        rows.append([record["dataprovider_id"]])
        rows += [
            [minutes_of(one["since"]), _action(one), one["train_id"], _score(one), _commit(one)]
            for one in record["history"]
        ]
    if not fits(columns, rows):
        columns, rows = columns[:4], [row[:4] for row in rows]
    click.echo()
    print_table("History, newest first", columns, rows, whole=(2, 0, *range(3, len(columns))))


def _rows(parts: Iterable[Sequence[str]], current: list[dict[str, Any]]) -> list[list[str]]:
    cells = [[[_part(record, name) for name in names] for names in parts] for record in current]
    return [["\n".join(filter(None, cell)) for cell in row] for row in cells]


LAYOUTS: Sequence[Mapping[str, Sequence[str]]] = (
    {
        "DataProvider": ["dp"],
        "train": ["train", "pre_reqs"],
        "test score": ["score"],
        "trained (UTC)": ["trained"],
        "commit": ["commit"],
        "session": ["session"],
    },
    {
        "DataProvider": ["dp"],
        "train": ["train", "with_session", "pre_reqs"],
        "test score": ["score"],
        "trained (UTC)": ["trained", "commit"],
    },
    {
        "DataProvider": ["dp"],
        "train": ["train", "with_session", "pre_reqs"],
        "test score\ntrained (UTC)": ["score", "trained", "commit"],
    },
)
"""Columns of the list of current trains with their parts; the first that fits is printed."""


def _part(record: Mapping[str, Any], name: str) -> str:
    """Return a part of a cell, with its own line breaks; empty if it is not known."""
    session = record.get("train_session_id") or ""
    pre_reqs = record.get("pre_reqs", {}).items()
    parts = {
        "dp": record["dataprovider_id"],
        "train": _train(record),
        "session": session,
        "with_session": f"session {session}" if session else "",
        "pre_reqs": "\n".join(f"with {dp_id} {train}" for dp_id, train in pre_reqs),
        "score": _score(record),
        "trained": minutes_of(record.get("trained")),
        "commit": "\n".join(filter(None, (_commit(record), record.get("git_branch")))),
    }
    return parts[name]


def _train(record: Mapping[str, Any]) -> str:
    text = record["train_id"] or "none has passed its checks"
    if not record["pinned"]:
        return text
    until = f"\nuntil `xingu inventory unpin {record['dataprovider_id']}`"
    return f"{text} (pinned){until if record['pinned_by'] != FILE else ''}"


def _action(entry: Mapping[str, Any]) -> str:
    user = (entry.get("deployment") or {}).get("user")
    action = f"{entry['action']} by {user}" if user else entry["action"]
    return ": ".join(filter(None, (action, entry.get("reason"))))


def _score(record: Mapping[str, Any]) -> str:
    if record.get("removed") or record.get("damaged"):
        return "damaged" if record.get("damaged") else "no package"
    score = record.get("score")
    if not score:
        return ""
    part = "" if score["set"] == "test" else f"{score['set']} "
    return f"{part}{score['metric']} {number(score['value'], 4)}"


def _commit(record: Mapping[str, Any]) -> str:
    commit = (record.get("git_commit") or "")[:8]
    return f"{commit}-dirty" if commit and record.get("git_dirty") else commit
