"""The commands `train`, `tune` and `batch-predict`: they run phases and print the outcome."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from xingu.config import Settings
from xingu.errors import DeclarationError
from xingu.options import RunOptions
from xingu_dagster.cli.order import Command, Message, Order, schema_of
from xingu_dagster.cli.output import JSON, print_json
from xingu_dagster.cli.process import Child, new_log
from xingu_dagster.cli.settings import SettingsCommand, use_flags
from xingu_dagster.cli.summary import print_summary
from xingu_dagster.cli.watch import Watch

PHASES = {"train", "batch_predict"}
"""Settings that the sub-commands decide themselves."""
SEARCH, BATCH = ("refresh_sources", "hyperopt_evaluations"), ("refresh_sources", "train_id")
"""Options of a run that have no setting, of commands that may search, and of those that do not."""


def of_run(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add options of a run to a command."""

    def add(function: Callable[..., None]) -> Callable[..., None]:
        for name in reversed(names):
            option = RunOptions.model_fields[name]
            is_flag = option.annotation is bool
            kind: Any = None if is_flag else click.IntRange(0) if option.annotation is int else str
            flag = f"--{name.replace('_', '-')}"
            function = click.option(
                flag, name, is_flag=is_flag, type=kind, default=None, help=option.description
            )(function)
        return function

    return add


PARTITION = click.option(
    "--partition",
    metavar="KEY",
    default="",
    help="Partition of batches that have any: a key, FIRST..LAST, or latest. Without it, such a "
    "batch is left out.",
)


@click.command(
    cls=SettingsCommand,
    without={"train"},
    epilog="Exit codes: 0 success, 1 failure, "
    "2 wrong usage, 3 refused by a gate or a blocking check, 130 interrupted.",
)
@JSON
@click.option("--changed", is_flag=True, help="Train only DataProviders whose code differs from "
              "that of their current train, and those that need them.")  # fmt: skip
@click.option("--base", metavar="STORAGE", help="With --changed: the model storage whose current "
              "trains are compared, such as that of staging. Of it, the trains that are needed "
              "are copied. Default: TRAINED_MODELS_PATH.")  # fmt: skip
@of_run(*SEARCH)
@PARTITION
@click.pass_context
def train(
    context: click.Context, /, as_json: bool, changed: bool, base: str | None, **flags: Any
) -> None:
    """Train models, evaluate them, and estimate their batches.

    Prerequisites are trained first if they are asked for; else their current models are used. A
    DataProvider that fails does not stop those that do not need it.
    """
    if base and not changed:
        raise click.UsageError("--base is of use with --changed only.")
    use_flags(context, flags)
    execute("train", flags, as_json=as_json, changed=changed, base=base or "")


@click.command(cls=SettingsCommand, without={*PHASES, "post_process", "hyperopt_strategy"})
@JSON
@of_run(*SEARCH)
@click.pass_context
def tune(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Search for hyperparameters, and train nothing.

    A later `xingu train` uses what was found, because the strategy `last` takes the newest.
    """
    use_flags(context, flags)
    execute("tune", flags, as_json=as_json)


@click.command(cls=SettingsCommand, without={*PHASES, "post_process", "hyperopt_strategy"})
@JSON
@of_run(*BATCH)
@PARTITION
@click.pass_context
def batch_predict(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Estimate batches with the current models. Nothing is trained."""
    use_flags(context, flags)
    execute("batch-predict", flags, as_json=as_json)


def execute(
    command: Command,
    flags: Mapping[str, Any] | None = None,
    *,
    as_json: bool = False,
    changed: bool = False,
    base: str = "",
) -> None:
    """Run what the settings ask for, and end the command with its exit code.

    Args:
        command: The sub-command.
        flags: Values of its options, also of those that are no options of a run.
        as_json: Print the outcome as JSON.
        changed: Train only what has changed; see `Order`.
        base: The model storage to compare with; see `Order`.
    """
    given = {name: value for name, value in (flags or {}).items() if name in {*SEARCH, *BATCH}}
    options = {name: value for name, value in given.items() if value is not None}
    settings = Settings.load()
    home = settings.project_home.resolve()
    folder = home / settings.dataproviders_folder
    if not folder.is_dir() and not settings.simpledp_id:
        raise DeclarationError(
            f"There is no folder of DataProviders at {folder}; run from the project's root, set "
            "DATAPROVIDER_FOLDER, or let `xingu init` make a project."
        )
    partition = (flags or {}).get("partition") or ""
    order = Order(command, new_log(home), options, partition, changed, base)
    child, watch = Child(order), Watch(order.log, debug=settings.debug)
    with child.interruptible():
        end = watch.follow(child.messages())
    if end is None:
        end = _end_of_killed(child, watch.run_id, home)
    document = _failed(end, order) if end["kind"] == "error" else end["document"]
    if as_json:
        print_json(document)
    if end["kind"] == "error":
        watch.report_error(end)
        sys.exit(document["exit_code"])
    if "note" in document:
        click.echo(document["note"], err=as_json)
        sys.exit(document["exit_code"])
    for dp_id, reason in document.get("changed", {}).items():
        click.echo(f"{dp_id}: {reason}", err=as_json)
    print_summary(document, watch.console if as_json else None, traces=settings.debug)
    trained = any("train_id" in record for record in document["dataproviders"])
    if trained and settings.commit_inventory and document["exit_code"] == 0:
        from xingu_dagster.cli.inventory import export_inventory

        export_inventory(settings, commit=True, err=as_json)
    sys.exit(document["exit_code"])


def _end_of_killed(child: Child, run_id: str | None, home: Path) -> Message:
    """Record the end of a run whose process was killed, and return it as a message."""
    if run_id:
        from xingu_dagster.engine.run_process import close_run
        from xingu_dagster.running import open_instance

        with open_instance(home) as instance:
            close_run(instance, run_id, canceled=child.interrupted)
    ended = f"the process of the run ended with code {child.exit_code}"
    text = "interrupted" if child.interrupted else ended
    code = 130 if child.interrupted else 1
    return {"kind": "error", "text": text, "code": code, "expected": child.interrupted}


def _failed(error: Message, order: Order) -> dict[str, Any]:
    """Return the document of a command that has no outcome."""
    return {
        "schema": schema_of(order.command),
        "status": "interrupted" if error["code"] == 130 else "failed",
        "exit_code": error["code"],
        "error": error["text"],
        "log": str(order.log),
        "dataproviders": [],
        "broken": {},
    }
