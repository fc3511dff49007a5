"""The command `xingu`: what is current, everything about a train, and how to change it.

It reads the settings and prints; `xingu.inventory` does the work. Dagster is not imported for it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from xingu.config import Settings
from xingu.errors import XinguError
from xingu.identity import key_part
from xingu.inventory import catalog
from xingu.inventory.file import FILE, pinned_trains
from xingu.storage.packages import ModelStore
from xingu_dagster.report_command import report

if TYPE_CHECKING:
    from xingu.inventory.database import ControlDB

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def main() -> None:
    """Run the command; an error that Xingu or the system raises is one line, and exit code 1."""
    try:
        xingu(prog_name="xingu")
    except (XinguError, OSError) as error:
        click.echo(f"xingu: {' '.join(str(error).split())}", err=True)
        sys.exit(1)


@click.group()
def xingu() -> None:
    """Xingu: models declared as classes, trained by a Dagster asset graph."""


xingu.add_command(report)


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


@inventory.command(short_help="Say everything that is known about one train.")
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
    for file in details["files"]:
        file["sha256"] = f"{file['sha256'][:12]}…"
    for name, content in details.items():
        title = name.replace("pre_req", "pre-req").replace("_", " ").capitalize()
        _print_section(title, content)


@inventory.command(short_help="Make a train the current one of its DataProvider.")
@click.argument("dp")
@click.argument("train")
def pin(dp: str, train: str) -> None:
    """Make TRAIN the current train of DP: also how to go back to an older one."""
    models = _models(Settings.load())
    train_id = catalog.pin(models, dp, train).train_id
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
    exported = catalog.export(_models(settings), target)
    click.echo(f"Wrote {target}: {_count(len(exported), 'DataProvider')}.")
    if commit_inventory or settings.commit_inventory:
        from xingu.inventory.gitops import commit_and_push

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
    from xingu.inventory import pruning
    from xingu.storage.values import ValueStore

    settings = Settings.load()
    models = _models(settings)
    places = (settings.models, settings.values, settings.plots)
    done = "Would remove" if dry_run else "Removed"
    if left := pruning.sweep(map(settings.place, places), only_look=dry_run):
        click.echo(f"{done} {_count(len(left), 'leftover')} of killed runs.")
    spare = pruning.spare_trains(models, keep)
    if not spare:
        click.echo("No train to remove: every one is new, current, pinned or a prerequisite.")
        return
    table = _table("", "DataProvider", "train", "trained (UTC)", "size")
    for train in spare:
        size = decimal(pruning.size_of(train))
        trained = train.trained.isoformat() if train.trained else None
        table.add_row(train.dataprovider_id, train.train_id, _time(trained), size)
    _console().print(table)
    if not dry_run:
        values = ValueStore(settings.place(settings.values), settings.keep_values)
        pruning.prune(models, settings.place(settings.plots), values, spare)
    total = f"{_count(len(spare), 'train')}, {decimal(sum(map(pruning.size_of, spare)))}"
    click.echo(f"{done} {total}.")


def _models(settings: Settings) -> ModelStore:
    return ModelStore(settings.place(settings.models), pinned_trains(settings.project_home))


def _control(settings: Settings) -> "ControlDB":
    from xingu.inventory.database import ControlDB
    from xingu.sources import Databases

    databases = Databases(settings.source_databases(), settings.project_home.resolve())
    return ControlDB(databases, settings.table_prefix)


# -- printing -------------------------------------------------------------------------------------


def _print_json(content: Any) -> None:
    click.echo(json.dumps(content, indent=1, default=str))


def _console() -> Console:
    # Queries and branches may hold what Rich takes for markup.
    return Console(markup=False, emoji=False, highlight=False)


def _table(title: str, *columns: str, header: bool = True) -> Table:
    table = Table(title=Text(title, "bold") if title else None, title_justify="left",
                  show_header=header, box=box.SIMPLE_HEAD if header else None,
                  show_edge=False, padding=(0, 1 if header else 2, 0, 0))  # fmt: skip
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _print_current(current: list[dict[str, Any]]) -> None:
    table = _table("Current trains", "DataProvider", "train", "trained (UTC)")
    for record in current:
        parts = [record["train_id"] + (" (pinned)" if record["pinned"] else "")]
        if session := record.get("train_session_id"):
            parts.append(f"session {session}")
        parts += [f"with {dp_id} {train}" for dp_id, train in record.get("pre_reqs", {}).items()]
        facts = [_time(record.get("trained")), _commit(record), record.get("git_branch")]
        table.add_row(record["dataprovider_id"], "\n".join(parts), "\n".join(filter(None, facts)))
    console = _console()
    console.print(table)
    past = _table("History, newest first", "since (UTC)", "by", "train", "commit")
    for record in (record for record in current if record["history"]):
        past.add_row(Text(record["dataprovider_id"], "bold"))
        for one in record["history"]:
            past.add_row(_time(one["since"]), one["action"], one["train_id"], _commit(one))
    if past.row_count:
        console.print()
        console.print(past)


def _time(iso: str | None) -> str:
    return (iso or "")[:16].replace("T", " ")


def _commit(record: Mapping[str, Any]) -> str:
    if record.get("removed"):
        return "no package"
    commit = (record.get("git_commit") or "")[:8]
    return f"{commit}-dirty" if commit and record.get("git_dirty") else commit


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _print_section(title: str, content: Any) -> None:
    """Print a record, or a list of records of the same names; nothing of an empty one."""
    if isinstance(content, list):
        names = list(content[0]) if content else []
        table = _table(title, *names)
        for column in table.columns:
            numbers = [row[str(column.header)] for row in content]
            if all(isinstance(value, int | float | None) for value in numbers):
                column.justify = "right"
        rows = [[row[name] for name in names] for row in content]
    else:
        table = _table(title, "", "", header=False)
        rows = [(name.replace("_", " "), value) for name, value in content.items()]
        rows = [row for row in rows if _text(row[1])]
    for row in rows:
        table.add_row(*map(_text, row))
    if rows:
        console = _console()
        console.print(table)
        console.print()


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_text(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


if __name__ == "__main__":
    main()
