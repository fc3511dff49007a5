"""`xingu inventory`: list current trains, show a train, pin and unpin a train, export, prune."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.filesize import decimal
from rich.text import Text

from xingu.config import Settings
from xingu.registry import listing
from xingu.registry.pins import FILE
from xingu.workspace import Workspace
from xingu_dagster.cli.output import (
    JSON,
    count,
    make_console,
    make_table,
    minutes_of,
    print_json,
    print_section,
)


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
        click.echo(f"No model was trained yet in {models.root}; materialize one.")
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


@inventory.command(short_help=f"Write {FILE}, where a repository can pin trains.")
@click.option("--path", type=click.Path(dir_okay=False, path_type=Path),
              help=f"File to write; default: {FILE} of the project.")  # fmt: skip
@click.option("--commit-inventory", is_flag=True, help="Commit the file and push it.")
def export(path: Path | None, commit_inventory: bool) -> None:
    """Write the inventory file, where a repository can pin trains.

    An entry with `pinned: true` decides which train is loaded. Existing pins are kept.
    """
    settings = Settings.load()
    target = (path or settings.project_home / FILE).resolve()
    exported = listing.export(Workspace(settings).models, target)
    click.echo(f"Wrote {target}: {count(len(exported), 'DataProvider')}.")
    if commit_inventory or settings.commit_inventory:
        from xingu.registry.gitops import commit_and_push

        trains = "\n".join(f"{dp_id} {model['train_id']}" for dp_id, model in exported.items())
        commit, pushed = commit_and_push(target, f"Inventory of trained models\n\n{trains}")
        click.echo(f"Committed as {commit[:10]}." if commit else "Nothing to commit.")
        click.echo(f"Pushed to {pushed}." if pushed else "Not pushed: there is no remote.")


@inventory.command(short_help="Remove old packages, plots and values.")
@click.option("--keep", type=click.IntRange(1), required=True,
              help="Number of newest trains of each DataProvider to keep.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="List what would be removed, and remove nothing.")
def prune(keep: int, dry_run: bool) -> None:
    """Remove old packages, with their plots and the values that only they used.

    Current and pinned trains are kept, and prerequisites of trains that are kept. The newest values
    of each asset are kept too (XINGU_KEEP_VALUES). What killed runs left is removed too,
    incomplete files after a day.
    """
    from xingu import maintenance

    workspace = Workspace(Settings.load())
    done = "Would remove" if dry_run else "Removed"
    stores = workspace.models, workspace.plot_folders, workspace.values
    if left := maintenance.sweep(*stores, dry_run=dry_run):
        click.echo(f"{done} {count(len(left), 'leftover')} of killed runs.")
    trains = maintenance.prunable_trains(workspace.models, keep)
    if not trains:
        click.echo("No train to remove: all are new, current, pinned or prerequisites.")
        return
    table = make_table("", "DataProvider", "train", "trained (UTC)", "size")
    for train in trains:
        size = decimal(maintenance.package_size(train))
        trained = train.trained.isoformat() if train.trained else None
        table.add_row(train.dataprovider_id, train.train_id, minutes_of(trained), size)
    make_console().print(table)
    if not dry_run:
        maintenance.prune(*stores, trains)
    total = decimal(sum(map(maintenance.package_size, trains)))
    click.echo(f"{done} {count(len(trains), 'train')}, {total}.")


def _print_current(current: list[dict[str, Any]]) -> None:
    table = make_table("Current trains", "DataProvider", "train", "trained (UTC)")
    for record in current:
        train_id = record["train_id"] or "none has passed its checks"
        parts = [train_id + (" (pinned)" if record["pinned"] else "")]
        if record["pinned"] and record["pinned_by"] != FILE:
            parts.append(f"until `xingu inventory unpin {record['dataprovider_id']}`")
        if session := record.get("train_session_id"):
            parts.append(f"session {session}")
        parts += [f"with {dp_id} {train}" for dp_id, train in record.get("pre_reqs", {}).items()]
        origin = [minutes_of(record.get("trained")), _commit(record), record.get("git_branch")]
        table.add_row(record["dataprovider_id"], "\n".join(parts), "\n".join(filter(None, origin)))
    console = make_console()
    console.print(table)
    for record in (record for record in current if "damaged" in record):
        console.print(f"{record['dataprovider_id']} is damaged: {record['damaged']}", style="red")
    history = make_table("History, newest first", "since (UTC)", "by", "train", "commit")
    for record in (record for record in current if record["history"]):
        history.add_row(Text(record["dataprovider_id"], "bold"))
        for one in record["history"]:
            action = ": ".join(filter(None, (one["action"], one.get("reason"))))
            history.add_row(minutes_of(one["since"]), action, one["train_id"], _commit(one))
    if history.row_count:
        console.print()
        console.print(history)


def _commit(record: Mapping[str, Any]) -> str:
    if record.get("removed"):
        return "no package"
    if record.get("damaged"):
        return "damaged"
    commit = (record.get("git_commit") or "")[:8]
    return f"{commit}-dirty" if commit and record.get("git_dirty") else commit
