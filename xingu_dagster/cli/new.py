"""The command `xingu new`: look at a table, propose a model, and write it."""

import keyword
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xingu.texts import counted
from xingu_dagster.cli.output import make_console, print_table

if TYPE_CHECKING:
    from xingu.proposal import Column, Proposal

SHOWN = 10
"""Candidates for the target that are listed."""


@click.command(short_help="Look at a table, and write a model for it.")
@click.argument("name")
@click.option("--from", "origin_text", required=True, metavar="DATA",
              help="A file or URL, NICK.table of a database, or a query.")  # fmt: skip
@click.option("--target", help="Column to estimate. Default: it is proposed, or asked for.")
@click.option("--source", help="Nickname of the database of a query. Default: the only one.")
def new(name: str, origin_text: str, target: str | None, source: str | None) -> None:
    """Look at DATA, say what was found, and write the DataProvider NAME, which trains as it is.

    DATA is read as a train reads it, at most 100,000 rows. An existing file is never replaced.
    """
    from upath import UPath

    from xingu import proposal as proposals
    from xingu.config import Settings
    from xingu.errors import DeclarationError
    from xingu.files.atomic import write_once
    from xingu.workspace import Workspace

    settings = Settings.load()
    workspace = Workspace(settings)
    dp_id = _identifier(name)
    path = workspace.home / settings.dataproviders_folder / f"{dp_id}.py"
    if same := _with_id(path.parent, dp_id):
        raise DeclarationError(f"{same} has a model {dp_id!r}; give another name.")
    databases = workspace.databases
    place = proposals.relative_to_home(origin_text, Path.cwd(), workspace.home)
    origin = proposals.parse_origin(place, databases, settings.databases, source)
    found = proposals.look(origin, databases)
    columns = proposals.describe(found.frame)
    target = target or _target(columns)
    made = proposals.propose(found, target, columns)
    _print(made, proposals.decisions_of(made, found), f"{origin.description}: {found.how}")
    declared = proposals.with_columns(origin, databases, made.needed)
    if not write_once(UPath(path), proposals.code_of(made, found, declared, dp_id).encode()):
        raise DeclarationError(f"{path} exists, and is not replaced; give another name.")
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    click.echo(f"\nWrote {click.format_filename(shown)}. Read it, and train it:")
    click.echo(f"  xingu train --dps {dp_id}")


def _identifier(name: str) -> str:
    """Return a name as that of a module; ``-`` and spaces become ``_``.

    Raises:
        click.UsageError: If it is none.
    """
    found = re.sub(r"[-\s]+", "_", name.strip()).removesuffix(".py")
    usable = found.isascii() and found.isidentifier() and not found.startswith("_")
    if usable and not keyword.iskeyword(found):
        return found
    proposed = re.sub(r"\W+|^_+", "_", found, flags=re.ASCII).strip("_")
    raise click.UsageError(
        f"{name!r} cannot be the name of a module: letters, digits and _ of ASCII, a letter first, "
        f"and no word of Python; for example {f'model_{proposed}'.rstrip('_')!r}."
    )


def _with_id(folder: Path, dp_id: str) -> Path | None:
    """Return a file that is called so, or declares this id; files are not imported."""
    declared = re.compile(rf"^\s+id\s*(:.*)?=\s*[\"']{dp_id}[\"']", re.MULTILINE)
    for path in sorted(folder.glob("*.py")):
        if path.stem == dp_id or declared.search(path.read_text("utf-8", errors="replace")):
            return path
    return None


def _target(columns: "Sequence[Column]") -> str:
    """Return the target: the obvious one, or what is answered in a terminal.

    Raises:
        click.UsageError: If the input is no terminal; the candidates are named.
        DataError: If no column may be the target.
    """
    from xingu.errors import DataError
    from xingu.proposal import obvious_target, target_candidates

    if obvious := obvious_target(columns):
        return obvious.name
    candidates = [one.name for one in target_candidates(columns)]
    if not candidates:
        raise DataError("no column may be the target: a number, or a class of at most 50 values.")
    more = f" and {len(candidates) - SHOWN} more" if len(candidates) > SHOWN else ""
    listed = ", ".join(candidates[:SHOWN]) + more
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(f"Which column is the target? Give --target; candidates: {listed}.")
    click.echo(f"Which column is the target? Candidates: {listed}.", err=True)
    names = click.Choice([one.name for one in columns])
    return click.prompt("Target", default=candidates[0], type=names, show_choices=False, err=True)


def _print(made: "Proposal", decisions: Sequence[str], title: str) -> None:
    from xingu.proposal import values_of

    width = make_console().width
    room = max(14, min(44, width - 62))
    rows = [
        (
            _cut(one.name, 40),
            one.type_name,
            _share(one.missing, one.rows),
            f"{one.distinct:,}" if one.distinct else "",
            _cut(values_of(one), room),
            made.use_of(one.name),
        )
        for one in made.columns
    ]
    head = ("column", "type", "missing", "distinct", "values", "use")
    print_table(f"{title}, {counted(len(rows), 'column')}", head, rows, whole=(0, 3, 4))
    click.echo()
    for line in decisions:
        click.echo(textwrap.fill(line, width, initial_indent="- ", subsequent_indent="  "))


def _share(part: int, whole: int) -> str:
    if not part:
        return ""
    return f"{part / whole:.1%}" if part / whole >= 0.001 else "<0.1%"


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 1]}…"
