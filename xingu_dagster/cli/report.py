"""The command `xingu report`: trains side by side, and how their metrics evolved."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from xingu.config import Settings

FILE = click.Path(dir_okay=False, path_type=Path)
SHORT = "Put trains side by side, with their metrics over time."


def _many(*names: str, text: str):
    return click.option(*names, multiple=True, help=f"{text} Can be repeated.")


@click.command(short_help=SHORT)
@_many("--dp", "dps", text="Only of this DataProvider.")
@_many("--train", "--session", "trains", text="Only this train, session, or session:train.")
@_many("--branch", "branches", text="Only trained on this branch of git.")
@click.option("--since", type=click.DateTime(), help="Only begun at this time (UTC) or later.")
@click.option("--until", type=click.DateTime(), help="Only begun before this time (UTC).")
@click.option("--reference", help="The train that differences are meant from. "
              "Default: the one before the newest.")  # fmt: skip
@_many("--metric", "metrics", text="Only this metric, also by branch.")
@_many("--set", "sets", text="Only this set.")
@_many("--less-is-better", "minimize", text="A metric of yours, for colours.")
@_many("--more-is-better", "maximize", text="A metric of yours, for colours.")
@_many("--nearer-to-zero", "zero", text="A metric of yours, for colours.")
@click.option("--most", type=click.IntRange(1),
              help="Trains side by side. Default: as many as fit; a page has 8.")  # fmt: skip
@click.option("--html", type=FILE, help="Write a page with charts, instead of printing.")
@click.option("--excel", type=FILE, help="Write a workbook, instead of printing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def report(**options: Any) -> None:
    """Put trains side by side: what is known of them, hyperparameters that differ, metrics by set.

    Differences for the better are green and marked ▲, those for the worse red and marked ▼.
    """
    from rich.console import Console

    from xingu.directions import DESCRIPTIONS
    from xingu.reports.json_document import report_records
    from xingu.reports.report import report_trains
    from xingu.reports.terminal import print_report
    from xingu.tracking.query import TrainFilter
    from xingu.workspace import Workspace

    wanted = TrainFilter(
        options["trains"],
        options["dps"],
        _utc(options["since"]),
        _utc(options["until"]),
        options["branches"],
    )
    control = Workspace(Settings.load()).control
    found = report_trains(control, wanted, options["reference"])
    found = found.with_directions({name: way for way in DESCRIPTIONS for name in options[way]})
    found = found.select(options["metrics"], options["sets"])
    for path, write in ((options["html"], found.to_html), (options["excel"], found.to_excel)):
        if path is not None:
            write(path)
            click.echo(f"Wrote {path}: {len(found.trains):,} trains.", err=options["as_json"])
    if options["as_json"]:
        records = report_records(found, options["most"])
        click.echo(json.dumps(records, indent=1, allow_nan=False))
    elif options["html"] is None and options["excel"] is None:
        # Branches may hold what Rich takes for markup.
        console = Console(markup=False, emoji=False, highlight=False)
        print_report(found, console, options["most"], branches=bool(options["metrics"]))


def _utc(time: datetime | None) -> datetime | None:
    return time and time.replace(tzinfo=UTC)
