"""`xingu impact`: which models depend on a table, a column or an asset."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from xingu.texts import counted
from xingu_dagster.cli.output import JSON, print_json, print_table

if TYPE_CHECKING:
    from xingu.impact import AffectedModel, AffectedSource, Impact

VERSION = 1
"""Version of the JSON document."""


@click.command(short_help="Show which models depend on a table or a column.")
@click.argument("address", metavar="NICK.[SCHEMA.]TABLE[.COLUMN]")
@JSON
def impact(address: str, as_json: bool) -> None:
    """Show which sources, features, targets and models depend on a table or one of its columns.

    NICK is the nickname of a database. In place of a table, give the key of a Dagster asset, such
    as analytics/orders. The answer comes from the declared SQL: nothing is run. What hooks make of
    columns is not traced, so features are those that have the name of an affected column.
    """
    from xingu.config import Settings
    from xingu.impact import impact_of
    from xingu.provider.discovery import DataProviderFactory
    from xingu.workspace import Workspace

    settings = Settings.load()
    folder = settings.project_home / settings.dataproviders_folder
    factory = DataProviderFactory(settings.dataproviders, folder, settings.import_seconds)
    found = impact_of(address, factory.classes, Workspace(settings).databases.backend)
    for name, error in factory.broken.items():
        click.echo(f"xingu: {name} is left out: {error}", err=True)
    if as_json:
        print_json(_document(found))
    else:
        _print(found)


def _document(found: "Impact") -> dict[str, Any]:
    return {
        "version": VERSION,
        "address": found.address,
        "table": str(found.table) if found.table else None,
        "column": found.column,
        "models": [asdict(one) for one in found.models],
        "unread": list(found.unread),
    }


def _print(found: "Impact") -> None:
    from xingu.errors import did_you_mean

    what = found.address
    if found.column:
        what += f" (the column {found.column} of {found.table})"
    if found.models:
        rows = [_row(one) for one in found.models]
        columns = ["DataProvider", "reads it in", "features", "target", "through"]
        print_table(f"{counted(len(rows), 'model')} depend on {what}"
                    if len(rows) != 1 else f"1 model depends on {what}", columns, rows)  # fmt: skip
    else:
        tables = list(map(str, found.tables))
        hint = did_you_mean(str(found.table), tables)
        read = f" Tables that are read: {', '.join(tables)}.{hint}" if tables else ""
        click.echo(f"No model depends on {what}.{read}")
    if any(not source.certain for one in found.models for source in one.sources):
        click.echo("?: it may be read, by a * or under a name without schema or table.")
    for text in found.unread:
        click.echo(f"xingu: not considered: {text}", err=True)


def _row(model: "AffectedModel") -> list[str]:
    return [
        model.dataprovider_id,
        "\n".join(map(_source, model.sources)),
        ", ".join(model.features),
        model.target or "",
        ", ".join(model.through),
    ]


def _source(source: "AffectedSource") -> str:
    columns = "all columns" if source.columns is None else ", ".join(source.columns)
    shown = f": {columns}" if columns else ""
    return f"{source.purpose} {source.name}{'' if source.certain else ' ?'}{shown}"
