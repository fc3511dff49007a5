"""The command `xingu`. Dagster is imported only by the sub-commands that need it."""

import sys

import click

from xingu.errors import XinguError
from xingu_dagster.cli.inventory import inventory
from xingu_dagster.cli.report import report


@click.group()
def xingu() -> None:
    """Xingu: models declared as classes, trained by a Dagster asset graph."""


xingu.add_command(inventory)
xingu.add_command(report)


def main() -> None:
    """Run the command; an error of Xingu or of the system is one line, with exit code 1."""
    try:
        xingu(prog_name="xingu")
    except (XinguError, OSError) as error:
        click.echo(f"xingu: {' '.join(str(error).split())}", err=True)
        sys.exit(1)
