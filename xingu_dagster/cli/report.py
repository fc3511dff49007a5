"""The command `xingu report`: compare trains, and show their metrics over time."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xingu.config import Settings
from xingu.texts import counted
from xingu_dagster.cli.output import make_console

if TYPE_CHECKING:
    from xingu.workspace import Workspace

FILE = click.Path(dir_okay=False, path_type=Path)
SHORT = "Compare trains, with their metrics over time."


def _repeatable(*names: str, help_text: str):
    return click.option(*names, multiple=True, help=f"{help_text} Can be repeated.")


@click.command(short_help=SHORT)
@_repeatable("--dp", "dps", help_text="Only trains of this DataProvider.")
@_repeatable(
    "--train", "--session", "trains", help_text="Only this train, session, or session:train."
)
@_repeatable("--branch", "branches", help_text="Only trains on this git branch.")
@click.option(
    "--since", type=click.DateTime(), help="Only trains that began at this time (UTC) or later."
)
@click.option(
    "--until", type=click.DateTime(), help="Only trains that began before this time (UTC)."
)
@click.option("--reference", help="Id of the train that differences refer to. "
              "Default: the second newest.")  # fmt: skip
@_repeatable("--metric", "metrics", help_text="Only this metric, with its evolution by branch.")
@_repeatable("--set", "sets", help_text="Only this set.")
@_repeatable("--less-is-better", "minimize", help_text="An own metric: smaller is better.")
@_repeatable("--more-is-better", "maximize", help_text="An own metric: larger is better.")
@_repeatable("--nearer-to-zero", "zero", help_text="An own metric: nearer to 0 is better.")
@click.option("--limit", type=click.IntRange(1), help="Maximum number of trains side by side. "
              "Default: as many as fit.")  # fmt: skip
@click.option("--most", type=click.IntRange(1), hidden=True)  # the name before --limit
@click.option("--html", type=FILE, help="Write an HTML page with charts instead of printing.")
@click.option("--excel", type=FILE, help="Write an Excel workbook instead of printing.")
@click.option("--markdown", type=FILE, help="Write Markdown, as for the summary of a CI job: the "
              "newest train of each DataProvider and the one before it, measured on the same "
              "rows.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report(**options: Any) -> None:
    """Compare trains: attributes, hyperparameters that differ, and metrics by set.

    Better values than those of the reference are green and marked ▲, worse ones red and marked ▼.
    """
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
    workspace = Workspace(Settings.load())
    if options["markdown"]:
        _write_markdown(workspace, options["markdown"], options["dps"], err=options["as_json"])
        if not (options["html"] or options["excel"] or options["as_json"]):
            return
    control = workspace.control
    found = report_trains(control, wanted, options["reference"])
    limit = options["limit"] or options["most"]
    found = found.with_directions({name: one for one in DESCRIPTIONS for name in options[one]})
    found = found.select(options["metrics"], options["sets"])
    for path, write in ((options["html"], found.to_html), (options["excel"], found.to_excel)):
        if path is not None:
            write(path)
            click.echo(
                f"Wrote {path}: {counted(len(found.trains), 'train')}.", err=options["as_json"]
            )
    if options["as_json"]:
        records = report_records(found, limit)
        click.echo(json.dumps(records, indent=1, allow_nan=False))
    elif options["html"] is None and options["excel"] is None:
        print_report(found, make_console(), limit, branches=bool(options["metrics"]))


def _write_markdown(workspace: "Workspace", path: Path, dps: Sequence[str], *, err: bool) -> None:
    from xingu.reports.markdown import as_markdown
    from xingu.reports.same_rows import compare_on_same_rows, newest_trains

    models, values = workspace.models, workspace.values
    found = [
        compare_on_same_rows(models, values, train) for train in newest_trains(models, values, dps)
    ]
    path.write_text(as_markdown(found), "utf-8")
    click.echo(f"Wrote {path}: {counted(len(found), 'train')}.", err=err)


def _utc(time: datetime | None) -> datetime | None:
    return time and time.replace(tzinfo=UTC)
