"""`xingu replay`: what a retrain policy would have done on the data that is there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from xingu_dagster.cli.output import JSON, make_console, paragraph, print_json, print_table

if TYPE_CHECKING:
    from xingu.automation.policy import Policy
    from xingu.config import Settings
    from xingu.replay import Replay, Replayed

SCHEMA = "xingu.replay/1"
DECLARED = "declared"
SHOWN = 10
"""Number of trains of a policy that are listed."""


@click.command(short_help="Show what a retrain policy would have done in the past.")
@click.argument("dp")
@click.option("--by", "column", required=True, help="Column of the sources with the time of a row.")
@click.option("--policy", "policies", multiple=True, metavar="POLICY",
              help="declared, on_new_data, a cron string, or JSON as in the class. Repeatable; "
              "by default declared.")  # fmt: skip
@click.option("--every", metavar="DURATION", help="Time between two decisions, as 1d or 6h.")
@click.option("--start", type=click.DateTime(), help="Time of the first train (UTC).")
@JSON
def replay(
    dp: str,
    column: str,
    policies: Sequence[str],
    every: str | None,
    start: datetime | None,
    as_json: bool,
) -> None:
    """Walk through the history of DP's sources, and compare policies with never training again.

    At each cut of time a policy sees the rows until then, and decides as the sensor does. Trains
    run in memory, and nothing is written. Each is measured on the rows until the next cut, with the
    metric that leads its scores.

    Checks and gates are not applied, hyperparameters are those of the class, prerequisites are the
    current ones, and rows that were changed or deleted since count as they are now.
    """
    from xingu.compat.factory import factory_of
    from xingu.config import Settings

    settings = Settings.load(dataproviders=())
    cls = type(factory_of(settings).create(dp))
    chosen = _policies(cls, policies or [DECLARED])
    replaying = _replay(settings, cls, column, _seconds(every), start)
    found = [replaying.run(name, policy) for name, policy in chosen.items()]
    if as_json:
        print_json(_document(dp, column, replaying, found))
        return
    _print(dp, replaying, found)
    _print_trains(found)


def _policies(cls: Any, given: Sequence[str]) -> dict[str, "Policy | None"]:
    from xingu.automation.policy import parse_policy
    from xingu.errors import DeclarationError
    from xingu.replay import NEVER

    found: dict[str, Policy | None] = {NEVER: None}
    for text in given:
        if text == NEVER:
            continue
        declared: Any = cls.retrain if text == DECLARED else text
        if text == DECLARED and declared is None:
            raise click.UsageError(f"{cls.id} declares no retrain policy; give one by --policy.")
        if text.lstrip().startswith(("{", "[")):
            try:
                declared = json.loads(text)
            except ValueError as error:
                raise click.UsageError(f"--policy {text}: it is no JSON: {error}") from None
        try:
            policy = parse_policy(cls.id, declared, pre_reqs=bool(cls.pre_req))
        except DeclarationError as error:
            raise click.UsageError(f"--policy {text}: {error}") from None
        found[text] = policy
    return found


def _seconds(every: str | None) -> float | None:
    from xingu.automation.policy import seconds_of

    if every is None:
        return None
    try:
        return float(seconds_of(every))
    except ValueError as error:
        raise click.UsageError(f"--every: {error}.") from None


def _replay(
    settings: "Settings", cls: Any, column: str, every: float | None, start: datetime | None
) -> "Replay":
    from datetime import UTC

    from xingu.api import Model
    from xingu.replay import Replay, history_of
    from xingu.sources import parse_sources, read_sources
    from xingu.stages.builder import ProviderBuilder
    from xingu.workspace import Workspace
    from xingu_dagster.spec import TRAIN_SOURCES, ProviderSpec

    workspace, spec = Workspace(settings, Model), ProviderSpec(cls)
    hook, attribute = TRAIN_SOURCES
    declared = parse_sources(spec.id, attribute, spec.read_declarations(hook, attribute))
    workspace.databases.check(spec.id, attribute, declared)
    click.echo(f"reading the sources of {spec.id}", err=True)
    results = read_sources(spec.id, declared, workspace.databases, workspace.cache())
    frames = {one.name: one.frame for one in results}
    begin = start.replace(tzinfo=UTC) if start else None
    models = workspace.models
    builder = ProviderBuilder(cls, models.load, workspace.model_class)
    return Replay(
        builder,
        history_of(frames, column, every, begin),
        {name: models.find(name) for name in spec.pre_reqs},
        lambda text: click.echo(text, err=True),
    )


def _document(
    dp: str, column: str, replaying: "Replay", found: Sequence["Replayed"]
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "dataprovider_id": dp,
        "by": column,
        "metric": replaying.metric,
        "direction": replaying.direction,
        "cuts": [one.isoformat() for one in replaying.cuts],
        "policies": [
            {
                "policy": one.policy,
                "trains": len(one.trains),
                "failed": len(one.events) - len(one.trains),
                "seconds": round(one.seconds, 3),
                "value": one.value,
                "events": [_plain(asdict(event)) for event in one.events],
                "windows": [_plain(asdict(window)) for window in one.windows],
            }
            for one in found
        ],
    }


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one.isoformat() if isinstance(one, datetime) else one
            for name, one in record.items()}  # fmt: skip


def _print(dp: str, replaying: "Replay", found: Sequence["Replayed"]) -> None:
    from xingu.texts import counted, number

    never = found[0].value
    rows = []
    for one in found:
        value = "" if one.value is None else number(one.value, 4)
        versus = ""
        if one is not found[0] and never and one.value is not None:
            versus = f"{(one.value - never) / abs(never):+.1%}"
        failed = len(one.events) - len(one.trains)
        shown = f"{len(one.trains)}{f' ({failed} failed)' if failed else ''}"
        rows.append([one.policy, shown, f"{one.seconds:.1f}", value, versus])
    cuts = replaying.cuts
    title = (
        f"{dp} from {cuts[0]:%Y-%m-%d %H:%M} to {cuts[-1]:%Y-%m-%d %H:%M} (UTC), "
        f"{counted(len(cuts) - 1, 'decision')}"
    )
    metric = replaying.metric or "metric"
    click.echo(paragraph(f"{title}\n", make_console()))
    print_table("", ["policy", "trains", "seconds", metric, "vs never"], rows)
    way = {"minimize": "lower is better", "maximize": "higher is better"}.get(replaying.direction)
    measured = sum(one.rows for one in found[0].windows)
    click.echo(paragraph(
        f"\n{metric}{f' ({way})' if way else ''}: mean over the {measured:,} rows that came after "
        "each decision. All policies begin with the same train.", make_console(),
    ))  # fmt: skip


def _print_trains(found: Sequence["Replayed"]) -> None:
    for one in found[1:]:
        rows = [
            [f"{event.time:%Y-%m-%d %H:%M}", f"{event.rows:,}", f"{event.seconds:.1f}",
             event.reason, event.error]
            for event in one.events[:SHOWN]
        ]  # fmt: skip
        click.echo()
        columns = ["time", "rows", "seconds", "reason", "error"]
        kept = columns if any(row[-1] for row in rows) else columns[:-1]
        print_table(f"Trains of {one.policy}", kept, [row[: len(kept)] for row in rows])
        if more := one.events[SHOWN:]:
            click.echo(f"… and {len(more)} more; --json lists all.")
