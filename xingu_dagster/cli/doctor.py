"""`xingu doctor`: what keeps a project from running."""

import sys
from contextlib import redirect_stdout
from time import monotonic

import click

from xingu_dagster.cli.output import JSON, print_json

SCHEMA = "xingu.doctor/1"


@click.command(short_help="Find what keeps a project from running.")
@click.option("--timeout", "seconds", type=click.FloatRange(0, min_open=True), default=5,
              show_default=True, metavar="SECONDS",
              help="Longest wait for each answer of a database, storage or Dagster.")  # fmt: skip
@JSON
def doctor(seconds: float, as_json: bool) -> None:
    """Find what keeps a project from running; `xingu check` looks at the DataProviders.

    Settings, model storage, value store and control DB are tried; of Dagster, the heartbeat of the
    daemon, the last tick of each sensor, runs whose process is gone, and slots of pools that ended
    runs hold. Pins, leftovers of killed processes, channels of alerts and free space of the disk
    are looked at, too. Exit code 1 if there is an error, so a monitor can call it.
    """
    from xingu_dagster.cli.check import print_findings
    from xingu_dagster.inspection.doctor import diagnose
    from xingu_dagster.running import open_instance

    started = monotonic()
    with redirect_stdout(sys.stderr):
        findings = diagnose(open_instance, seconds)
    errors = any(one.severity == "error" for one in findings)
    if as_json:
        records = [one.as_record() for one in findings]
        print_json({"schema": SCHEMA, "ok": not errors, "findings": records})
    else:
        print_findings(findings, monotonic() - started)
    sys.stdout.flush()
    sys.exit(1 if errors else 0)
