"""The command `xingu`. Only the sub-commands that need Dagster import it."""

import sys

import click

from xingu.errors import XinguError
from xingu.masking import masked
from xingu_dagster.cli.impact import impact
from xingu_dagster.cli.inventory import inventory
from xingu_dagster.cli.report import report


@click.group()
def xingu() -> None:
    """Train and apply models that are declared as classes, on a Dagster asset graph."""


xingu.add_command(impact)
xingu.add_command(inventory)
xingu.add_command(report)


def main() -> None:
    """Run the command; print an expected error as one line on stderr and exit with code 1."""
    try:
        xingu(prog_name="xingu")
    except (XinguError, OSError) as error:
        click.echo(f"xingu: {' '.join(masked(str(error)).split())}", err=True)
        sys.exit(1)
