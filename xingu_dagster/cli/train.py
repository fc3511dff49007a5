"""The commands `train`, `tune` and `batch-predict`: they run phases and print the outcome."""

import sys
from typing import Any

import click

from xingu.config import Settings
from xingu_dagster.cli.order import Command, Order
from xingu_dagster.cli.output import JSON, print_json
from xingu_dagster.cli.process import Child, new_log
from xingu_dagster.cli.settings import SettingsCommand, use_flags
from xingu_dagster.cli.summary import print_summary
from xingu_dagster.cli.watch import Watch

PHASES = {"train", "batch_predict"}
"""Settings that the sub-commands decide themselves."""


@click.command(
    cls=SettingsCommand,
    without={"train"},
    epilog="Exit codes: 0 success, 1 failure, "
    "2 wrong usage, 3 refused by a gate or a blocking check, 130 interrupted.",
)
@JSON
@click.pass_context
def train(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Train models, evaluate them, and estimate their batches.

    Prerequisites are trained first if they are asked for; else their current models are used. A
    DataProvider that fails does not stop those that do not need it.
    """
    use_flags(context, flags)
    execute("train", as_json=as_json)


@click.command(cls=SettingsCommand, without={*PHASES, "post_process", "hyperopt_strategy"})
@JSON
@click.pass_context
def tune(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Search for hyperparameters, and train nothing.

    A later `xingu train` uses what was found, because the strategy `last` takes the newest.
    """
    use_flags(context, flags)
    execute("tune", as_json=as_json)


@click.command(cls=SettingsCommand, without={*PHASES, "post_process", "hyperopt_strategy"})
@JSON
@click.pass_context
def batch_predict(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Estimate batches with the current models. Nothing is trained."""
    use_flags(context, flags)
    execute("batch-predict", as_json=as_json)


def execute(command: Command, *, as_json: bool = False) -> None:
    """Run what the settings ask for, and end the command with its exit code."""
    settings = Settings.load()
    home = settings.project_home.resolve()
    order = Order(command, new_log(home))
    child, watch = Child(order), Watch(order.log, debug=settings.debug)
    with child.interruptible():
        end = watch.follow(child.messages())
    if end is None or end["kind"] == "error":
        sys.exit(watch.report_error(end, child))
    document = end["document"]
    if document["dataproviders"] and settings.commit_inventory and document["exit_code"] == 0:
        from xingu_dagster.cli.inventory import export_inventory

        export_inventory(settings, commit=True, err=as_json)
    if as_json:
        print_json(document)
    print_summary(document, watch.console if as_json else None, traces=settings.debug)
    sys.exit(document["exit_code"])
