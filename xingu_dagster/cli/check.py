"""`xingu check`: list everything that is wrong with a project, without training."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from textwrap import TextWrapper
from time import monotonic
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.text import Text

from xingu.errors import SettingsError
from xingu.texts import counted
from xingu_dagster.cli.output import JSON, make_console, print_json, shown_place

if TYPE_CHECKING:
    from xingu.inspection.findings import Finding
    from xingu_dagster.inspection.project import ProjectCheck

SCHEMA = "xingu.check/1"


@click.command(short_help="List everything that is wrong, without training.")
@click.option("--dps", "--data-providers", "dps", metavar="IDS",
              help="DataProviders to check, with commas between them. Default: all.")  # fmt: skip
@click.option("--timeout", "seconds", type=click.FloatRange(0, min_open=True), default=10,
              show_default=True, metavar="SECONDS",
              help="Longest wait for each answer of a database, address or storage.")  # fmt: skip
@JSON
def check(dps: str | None, seconds: float, as_json: bool) -> None:
    """List everything that is wrong with the project, without training.

    Every DataProvider is loaded and its declarations are read; each database is asked a cheap
    query and plans the declared queries (PostgreSQL, SQLite, DuckDB); files and addresses are
    looked at, but not read; storage and control DB are tried. Exit code 1 if there is an error.
    """
    from xingu.config import Settings
    from xingu.inspection.findings import finding_of
    from xingu_dagster.inspection.project import ProjectCheck, check_project

    started, home = monotonic(), Path.cwd()
    wanted = [one.strip() for one in (dps or "").split(",") if one.strip()]
    # What modules print while they are imported must not get into the JSON.
    with redirect_stdout(sys.stderr), _progress() as tell:
        try:
            settings = Settings.load()
            home = settings.project_home.resolve()
            found = check_project(settings, wanted, seconds, tell)
        except SettingsError as error:
            found = ProjectCheck([finding_of(error, "settings")], {})
    if as_json:
        print_json(_document(found))
    else:
        checked = ", ".join(counted(count, noun) for noun, count in found.counts.items() if count)
        print_findings(found.findings, monotonic() - started, home, f"checked {checked}")
    sys.exit(1 if found.errors else 0)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show what is being done on stderr, if it is a terminal."""
    console = Console(stderr=True)
    with console.status("checking") as status:
        yield lambda text: status.update(Text(text[: console.width - 4]))


def _document(found: "ProjectCheck") -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "ok": not found.errors,
        "counts": dict(found.counts),
        "findings": [one.as_record() for one in found.findings],
    }


def print_findings(
    findings: "Sequence[Finding]",
    seconds: float,
    home: Path | None = None,
    done: str = "looked at everything",
) -> None:
    """Print findings, and a line that counts them.

    Args:
        findings: The findings.
        seconds: Duration of the command.
        home: Folder that places are shown relative to; None: the current one.
        done: What the command has done, for the last line.
    """
    for finding in findings:
        _print_finding(finding, home or Path.cwd())
    errors = sum(one.severity == "error" for one in findings)
    numbers = {"error": errors, "warning": len(findings) - errors}
    wrong = ", ".join(counted(number, noun) for noun, number in numbers.items() if number)
    color = "red" if errors else "yellow" if wrong else "green"
    line = Text(wrong or "All is well", f"bold {color}")
    make_console().print(line.append(f": {done} in {seconds:.1f} s.", "default not bold"))


def _print_finding(finding: "Finding", home: Path) -> None:
    console = make_console()
    color = "red" if finding.severity == "error" else "yellow"
    head = Text(finding.severity, f"bold {color}").append(f"  {finding.subject}", "bold default")
    if place := finding.place:
        head.append(f"  {shown_place(place.file, place.line, home)}", "not bold dim default")
    console.print(head, soft_wrap=True)
    # Paths and names stay whole, so that they can be copied.
    wrapper = TextWrapper(console.width, "  ", "  ", break_long_words=False, break_on_hyphens=False)
    text = wrapper.fill(finding.text)
    console.print(f"{text}\n", soft_wrap=True)
