"""The command `xingu`: what is current, everything about a train, and how to change it.

It reads the settings and prints; `xingu.inventory` does the work. Dagster is not imported for it.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from xingu.config import Settings
from xingu.errors import XinguError
from xingu.inventory import catalog
from xingu.inventory.file import FILE, pinned_trains
from xingu.storage.packages import ModelStore

if TYPE_CHECKING:
    from xingu.inventory.database import ControlDB

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def main() -> None:
    """Run the command; an error that Xingu raises on purpose is one line, and exit code 1."""
    try:
        xingu(standalone_mode=True)
    except XinguError as error:
        click.echo(f"xingu: {error}", err=True)
        sys.exit(1)


@click.group()
def xingu() -> None:
    """Xingu: models declared as classes, trained by a Dagster asset graph."""


@xingu.group(invoke_without_command=True)
@JSON
@click.option("--history", "most", type=click.IntRange(0), default=5, show_default=True,
              help="Entries of the history of each DataProvider.")  # fmt: skip
@click.pass_context
def inventory(context: click.Context, as_json: bool, most: int) -> None:
    """List the current train of each DataProvider, and the history."""
    if context.invoked_subcommand:
        return
    models = _models(Settings.load())
    current = catalog.current_trains(models)
    for record in current:
        past = catalog.history(models, record["dataprovider_id"], most)
        record["history"] = list(past)
    if as_json:
        _print_json(current)
    elif not current:
        click.echo(f"No model was trained yet in {models.root}; materialize one, or `make demo`.")
    else:
        _print_current(current)


@inventory.command()
@click.argument("train")
@JSON
def show(train: str, as_json: bool) -> None:
    """Say everything that is known about one TRAIN: an id, session:id, or dp/id."""
    from xingu.inventory.details import train_details

    settings = Settings.load()
    details = train_details(_models(settings), _control(settings), train)
    if as_json:
        _print_json(details)
        return
    console = Console()
    for title, content in details.items():
        _print_section(console, title, content)


@inventory.command()
@click.argument("dp")
@click.argument("train")
def pin(dp: str, train: str) -> None:
    """Make TRAIN the current train of DP: also how to go back to an older one."""
    models = _models(Settings.load())
    catalog.pin(models, dp, train)
    click.echo(f"{dp}: {train} is the current train now.")
    if models.pins.get(dp, train) != train:
        click.echo(f"{FILE} pins {models.pins[dp]}, which wins wherever that file is.", err=True)


@inventory.command()
@click.option("--path", type=click.Path(dir_okay=False, path_type=Path), help=f"Default: {FILE}.")
@click.option("--commit-inventory", is_flag=True, help="Commit the file, and push it.")
def export(path: Path | None, commit_inventory: bool) -> None:
    """Write the inventory file, in which a repository can pin trains."""
    settings = Settings.load()
    target = path or settings.project_home.resolve() / FILE
    exported = catalog.export(_models(settings), target)
    click.echo(f"{target}: {len(exported)} DataProviders.")
    if commit_inventory or settings.commit_inventory:
        from xingu.inventory.gitops import commit_and_push

        trains = ", ".join(f"{dp_id} {model['train_id']}" for dp_id, model in exported.items())
        commit = commit_and_push(target.resolve(), f"Inventory: {trains}")
        click.echo(f"Committed as {commit[:10]}." if commit else "Nothing to commit.")


@inventory.command()
@click.option("--keep", type=click.IntRange(1), required=True,
              help="How many of the newest trains of each DataProvider stay.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def prune(keep: int, dry_run: bool) -> None:
    """Remove old packages, plots and values.

    Never one that is current, pinned, or a prerequisite of one that stays.
    """
    from xingu.inventory.pruning import prune as remove
    from xingu.inventory.pruning import spare_trains
    from xingu.storage.values import ValueStore

    settings = Settings.load()
    models = _models(settings)
    spare = spare_trains(models, keep)
    for train in spare:
        size = f"{train.bytes / 1e6:.1f} MB"
        click.echo(f"{train.dataprovider_id}  {train.train_id}  {size}")
    if not dry_run:
        values = ValueStore(settings.place(settings.values), settings.keep_values)
        remove(models, settings.place(settings.plots), values, spare)
    done = "would be removed" if dry_run else "removed"
    click.echo(f"{len(spare)} trains, {sum(one.bytes for one in spare) / 1e6:.1f} MB, {done}.")


def _models(settings: Settings) -> ModelStore:
    return ModelStore(settings.place(settings.models), pinned_trains(settings.project_home))


def _control(settings: Settings) -> "ControlDB":
    from xingu.inventory.database import ControlDB
    from xingu.sources import Databases

    databases = Databases(settings.source_databases(), settings.project_home.resolve())
    return ControlDB(databases, settings.table_prefix)


def _print_json(content: Any) -> None:
    click.echo(json.dumps(content, indent=1, default=str))


def _print_current(current: list[dict[str, Any]]) -> None:
    console = Console()
    table = Table(title="Current trains", title_justify="left")
    for name in ("DataProvider", "train", "session", "trained", "commit", "branch", "pre-reqs"):
        table.add_column(name, overflow="fold")
    for record in current:
        table.add_row(record["dataprovider_id"], *_cells(record))
    console.print(table)
    past = Table(title="History, newest first", title_justify="left")
    for name in ("DataProvider", "since", "by", "train", "commit"):
        past.add_column(name, overflow="fold")
    for record in current:
        for one in record["history"]:
            removed = " (removed)" if one.get("removed") else ""
            commit = _commit(one)
            name, since = record["dataprovider_id"], one["since"]
            past.add_row(name, since, one["action"], one["train_id"] + removed, commit)
    console.print(past)


def _cells(record: dict[str, Any]) -> list[str]:
    pre_reqs = "\n".join(f"{dp_id} {train}" for dp_id, train in record.get("pre_reqs", {}).items())
    pinned = " (pinned)" if record["pinned"] else ""
    trained = str(record.get("trained") or "")[:19].replace("T", " ")
    session, branch = record.get("train_session_id") or "", record.get("git_branch") or ""
    return [record["train_id"] + pinned, session, trained, _commit(record), branch, pre_reqs]


def _commit(record: dict[str, Any]) -> str:
    commit = (record.get("git_commit") or "")[:10]
    return f"{commit} + changes" if record.get("git_dirty") else commit


def _print_section(console: Console, title: str, content: Any) -> None:
    table = Table(title=title, title_justify="left", show_header=isinstance(content, list))
    if isinstance(content, list):
        names = list(content[0]) if content else []
        for name in names:
            table.add_column(name, overflow="fold")
        for row in content:
            table.add_row(*(str("" if row[name] is None else row[name]) for name in names))
    else:
        for name, value in content.items():
            table.add_row(name, value if isinstance(value, str) else json.dumps(value, default=str))
    if table.row_count:
        console.print(table)
