"""Run the command `xingu` as ``python -m xingu_dagster.cli``."""

from xingu_dagster.cli.main import main

main()
