"""The command `xingu`. This module imports click alone: help must not wait for Dagster."""

import sys
from typing import Any

import click

from xingu.errors import (
    ApprovalMissingError,
    DeployRefusedError,
    UnknownProviderError,
    XinguError,
)
from xingu.masking import masked
from xingu.version import __version__
from xingu_dagster.cli.lazy import LazyGroup

COMMANDS = {
    "init": ("xingu_dagster.cli.init", "Make a project that trains a first model."),
    "new": ("xingu_dagster.cli.new", "Look at a table, and write a model for it."),
    "check": ("xingu_dagster.cli.check", "List everything that is wrong, without training."),
    "explain": (
        "xingu_dagster.cli.explain",
        "Show what a DataProvider overrides, reads, makes and checks.",
    ),
    "train": (
        "xingu_dagster.cli.train",
        "Train models, evaluate them, and estimate their batches.",
    ),
    "tune": ("xingu_dagster.cli.train", "Search for hyperparameters, and train nothing."),
    "batch-predict": ("xingu_dagster.cli.train", "Estimate batches with the current models."),
    "report": ("xingu_dagster.cli.report", "Compare trains, with their metrics over time."),
    "diff": ("xingu_dagster.cli.diff", "Show what differs between two trains."),
    "inventory": (
        "xingu_dagster.cli.inventory",
        "List the current train of each DataProvider, with its history.",
    ),
    "deploy": (
        "xingu_dagster.cli.deploy",
        "Deploy trains to a target, after gates, approvals and a proof.",
    ),
    "rollback": ("xingu_dagster.cli.deploy", "Return to a train that a target served before."),
    "approve": ("xingu_dagster.cli.deploy", "Approve the deploy of a train to a target."),
    "in-production": (
        "xingu_dagster.cli.in_production",
        "Show what targets serve, or served at a time.",
    ),
    "impact": ("xingu_dagster.cli.impact", "Show which models depend on a table or a column."),
    "replay": (
        "xingu_dagster.cli.replay",
        "Show what a retrain policy would have done in the past.",
    ),
    "config": ("xingu_dagster.cli.config", "Show settings, and where they come from."),
    "doctor": ("xingu_dagster.cli.doctor", "Find what keeps a project from running."),
    "ui": ("xingu_dagster.cli.ui", "Open the Dagster UI of the project."),
    "completion": (
        "xingu_dagster.cli.completion",
        "Print the script that completes `xingu` in a shell.",
    ),
}


EXAMPLES = """\b
Examples:
  xingu init my_project          make a project that trains at once
  xingu train                    train all models of this folder's project
  xingu train --dps a,b          train these
  xingu batch-predict --dps a    estimate the batch of a with its current model
"""
"""End of the help; click keeps the lines of a paragraph that begins with a backspace."""


@click.group(cls=LazyGroup, lazy=COMMANDS, invoke_without_command=True, epilog=EXAMPLES)
@click.version_option(__version__, prog_name="xingu", message="%(prog)s %(version)s")
@click.pass_context
def xingu(context: click.Context, /, **flags: Any) -> None:
    """Train and apply models that are declared as classes, on a Dagster asset graph.

    Every setting is a flag too, also before the sub-command; `xingu train --help` lists them. With
    flags alone, `xingu` does what the settings TRAIN and BATCH_PREDICT say, as Xingu 2.0 did.
    """
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    if not given and context.invoked_subcommand:
        return
    from xingu_dagster.cli.settings import configured, use_flags

    use_flags(context, given)
    if context.invoked_subcommand is None and not given and not configured("DATAPROVIDER_LIST"):
        click.echo(context.get_help())
    elif context.invoked_subcommand is None:
        from xingu_dagster.cli.train import execute

        execute("default")


EXIT_CODES = {ApprovalMissingError: 4, DeployRefusedError: 3, UnknownProviderError: 2}
"""Exit codes of errors, by class; of all others it is 1. The first class that fits counts."""


def main() -> None:
    """Run the command; print an expected error as one line on stderr, and exit with its code."""
    try:
        xingu(prog_name="xingu")
    except (XinguError, OSError) as error:
        from xingu_dagster.cli.output import print_error

        print_error(masked(str(error)))
        sys.exit(next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1))
