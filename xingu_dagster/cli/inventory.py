"""`xingu inventory`: which trains are current, everything about a train, pins, pruning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.filesize import decimal
from rich.text import Text

from xingu.config import Settings
from xingu.names import key_part
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
@click.option("--history", "most", type=click.IntRange(0), default=5, show_default=True,
              help="Entries of the history of each DataProvider.")  # fmt: skip
@click.pass_context
def inventory(context: click.Context, as_json: bool, most: int) -> None:
    """List the current train of each DataProvider, and the history."""
    if context.invoked_subcommand:
        return
    models = Workspace(Settings.load()).models
    current = listing.current_trains(models)
    for record in current:
        past = listing.history(models, record["dataprovider_id"], most)
        record["history"] = list(past)
    if as_json:
        print_json(current)
    elif not current:
        click.echo(f"No model was trained yet in {models.root}; materialize one, or `make demo`.")
    else:
        _print_current(current)


@inventory.command(short_help="Say everything that is known about one train.")
@click.argument("train")
@JSON
def show(train: str, as_json: bool) -> None:
    """Say everything that is known about one TRAIN: an id, session:id, or dp/id."""
    from xingu.tracking.details import train_details

    place = Workspace(Settings.load())
    details = train_details(place.models, place.control, train)
    if as_json:
        print_json(details)
        return
    for file in details["files"]:
        file["sha256"] = f"{file['sha256'][:12]}…"
    for name, content in details.items():
        title = name.replace("pre_req", "pre-req").replace("_", " ").capitalize()
        print_section(title, content)


@inventory.command(short_help="Make a train the current one of its DataProvider.")
@click.argument("dp")
@click.argument("train")
def pin(dp: str, train: str) -> None:
    """Make TRAIN the current train of DP: also how to go back to an older one."""
    models = Workspace(Settings.load()).models
    train_id = listing.pin(models, dp, train).train_id
    in_file = models.pins.get(key_part(dp), train_id)
    if in_file == train_id:
        click.echo(f"{dp}: {train_id} is the current train now.")
    else:
        click.echo(f"{dp}: {train_id} is the current train now, but not here: {FILE} pins {in_file}"
                   ", and wins.")  # fmt: skip


@inventory.command(short_help=f"Write {FILE}, in which a repository can pin trains.")
@click.option("--path", type=click.Path(dir_okay=False, path_type=Path),
              help=f"Default: {FILE} of the project.")  # fmt: skip
@click.option("--commit-inventory", is_flag=True, help="Commit the file, and push it.")
def export(path: Path | None, commit_inventory: bool) -> None:
    """Write the inventory file, in which a repository can pin trains.

    `pinned: true` in it decides which train is loaded; writing it anew keeps what is pinned.
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
              help="How many of the newest trains of each DataProvider stay.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def prune(keep: int, dry_run: bool) -> None:
    """Remove old packages, with their plots and the values that only they kept.

    Never one that is current, pinned, or a prerequisite of one that stays. The newest values of
    each asset stay too (XINGU_KEEP_VALUES). What killed runs left half written goes after a day.
    """
    from xingu import maintenance

    place = Workspace(Settings.load())
    models = place.models
    done = "Would remove" if dry_run else "Removed"
    if left := maintenance.sweep(place.folders, only_look=dry_run):
        click.echo(f"{done} {count(len(left), 'leftover')} of killed runs.")
    spare = maintenance.spare_trains(models, keep)
    if not spare:
        click.echo("No train to remove: every one is new, current, pinned or a prerequisite.")
        return
    table = make_table("", "DataProvider", "train", "trained (UTC)", "size")
    for train in spare:
        size = decimal(maintenance.size_of(train))
        trained = train.trained.isoformat() if train.trained else None
        table.add_row(train.dataprovider_id, train.train_id, minutes_of(trained), size)
    make_console().print(table)
    if not dry_run:
        maintenance.prune(models, place.plots, place.values, spare)
    total = f"{count(len(spare), 'train')}, {decimal(sum(map(maintenance.size_of, spare)))}"
    click.echo(f"{done} {total}.")


def _print_current(current: list[dict[str, Any]]) -> None:
    table = make_table("Current trains", "DataProvider", "train", "trained (UTC)")
    for record in current:
        parts = [record["train_id"] + (" (pinned)" if record["pinned"] else "")]
        if session := record.get("train_session_id"):
            parts.append(f"session {session}")
        parts += [f"with {dp_id} {train}" for dp_id, train in record.get("pre_reqs", {}).items()]
        facts = [minutes_of(record.get("trained")), _commit(record), record.get("git_branch")]
        table.add_row(record["dataprovider_id"], "\n".join(parts), "\n".join(filter(None, facts)))
    console = make_console()
    console.print(table)
    past = make_table("History, newest first", "since (UTC)", "by", "train", "commit")
    for record in (record for record in current if record["history"]):
        past.add_row(Text(record["dataprovider_id"], "bold"))
        for one in record["history"]:
            past.add_row(minutes_of(one["since"]), one["action"], one["train_id"], _commit(one))
    if past.row_count:
        console.print()
        console.print(past)


def _commit(record: Mapping[str, Any]) -> str:
    if record.get("removed"):
        return "no package"
    commit = (record.get("git_commit") or "")[:8]
    return f"{commit}-dirty" if commit and record.get("git_dirty") else commit
