"""The sensor that sends alerts: about runs that ended, their checks, and sensors that are silent.

It looks at the runs that make or check assets of one project and have ended since its last tick.
Its cursor holds how far it has read, the groups of repeated alerts, and what a channel did not
take yet. So nothing is lost when the daemon restarts; if it is killed between sending and storing
the cursor, an alert is sent twice.

Runs of the command `xingu` and of `Coach` are left out: whoever started them reads the outcome, and
`ALERT_ON_COMMAND` lets them send alerts themselves.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from xingu.alerts import Alert, Alerts
from xingu.alerts.grouping import Groups
from xingu.texts import counted
from xingu_dagster.engine.ticks import sensor_states
from xingu_dagster.failures import failure_of, first_cause, is_refusal
from xingu_dagster.phases.step import trigger_of
from xingu_dagster.resources import workspace_of

logger = logging.getLogger(__name__)

INTERVAL = 30
"""Seconds between two ticks."""
RUNS = 50
"""Runs of each outcome that one tick looks at."""
WAITING = 200
"""Documents that wait for a channel; the oldest are dropped."""
GATES = "quality_gates"
ENDS = {"failed": dg.DagsterEventType.RUN_FAILURE, "succeeded": dg.DagsterEventType.RUN_SUCCESS}
READ = {
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}


@dataclass(frozen=True)
class Watched:
    """The project whose runs are reported.

    Attributes:
        dataproviders: Ids of the DataProviders by asset key.
        steps: Ids of the DataProviders by name of the step.
        checks: Checks of Xingu, whose descriptions hold no values of data.
        resource_key: Key of the resource with the settings.
        prefix: Key prefix of the assets.
    """

    dataproviders: Mapping[dg.AssetKey, str]
    steps: Mapping[str, str]
    checks: frozenset[dg.AssetCheckKey]
    resource_key: str
    prefix: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        assets: Mapping[str, Sequence[dg.AssetsDefinition]],
        resource_key: str,
        prefix: tuple[str, ...] = (),
    ) -> "Watched":
        """Describe the assets of DataProviders, given by id."""
        pairs = [(dp_id, one) for dp_id, some in assets.items() for one in some]
        return cls(
            {key: dp_id for dp_id, one in pairs if one.is_executable for key in one.keys},
            {one.op.name: dp_id for dp_id, one in pairs if one.is_executable},
            frozenset(key for _, one in pairs for key in one.check_keys),
            resource_key,
            prefix,
        )


def is_configured(settings: Any) -> bool:
    """Return whether `Settings`, or an `XinguResource`, have a channel of alerts."""
    webhook = getattr(settings, "alert_webhook", "")
    secret = getattr(webhook, "get_secret_value", None)
    return bool((secret() if secret else webhook) or getattr(settings, "alert_urls", ()))


def alert_sensor(watched: Watched) -> dg.SensorDefinition:
    """Return the sensor ``<resource key>_alerts``; it runs unless it is turned off."""

    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        alerts = workspace_of(context.resources, watched.resource_key, watched.prefix).alerts
        state = json.loads(context.cursor) if context.cursor else {}
        found, positions = _news(context.instance, watched, state, alerts)
        groups = Groups(state.get("groups"), alerts.seconds)
        documents = list(groups.take(alerts.wanted(found)))
        queue = [(one.name, document) for document in documents for one in alerts.channels]
        left = alerts.post([*state.get("unsent", []), *queue])
        cursor = {**positions, "groups": groups.state(), "unsent": left[-WAITING:]}
        waiting = f"; {counted(len(left), 'message')} will be sent again" if left else ""
        text = f"{counted(len(found), 'alert')}, {counted(len(documents), 'message')}{waiting}"
        return dg.SensorResult(skip_reason=text, cursor=json.dumps(cursor, default=str))

    return dg.SensorDefinition(
        name=f"{watched.resource_key}_alerts",
        evaluation_fn=tick,
        minimum_interval_seconds=INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={watched.resource_key},
        description="Sends alerts about failed runs, checks, gates and silent sensors.",
    )


def _news(
    instance: dg.DagsterInstance, watched: Watched, state: Mapping[str, Any], alerts: Alerts
) -> tuple[list[Alert], dict[str, str]]:
    """Return the alerts of runs that ended since the last tick, and how far was read."""
    found: list[Alert] = []
    positions: dict[str, str] = {}
    for name, event_type in ENDS.items():
        before = state.get(name)
        if before is None:  # the first tick does not report the past
            newest = instance.fetch_run_status_changes(event_type, limit=1)
            positions[name] = newest.cursor
            continue
        ended = instance.fetch_run_status_changes(event_type, RUNS, before, ascending=True)
        positions[name] = ended.cursor
        for record in ended.records:
            run = instance.get_run_by_id(record.event_log_entry.run_id)
            if run is not None and not _is_of_people(run):
                found += alerts_of_run(instance, run, watched, alerts)
    return [*found, *_silent(instance, watched)], positions


def _is_of_people(run: dg.DagsterRun) -> bool:
    """Return whether the command or `Coach` runs it, so that somebody reads the outcome."""
    trigger = trigger_of(run.tags)
    return trigger == "coach" or (trigger == "command" and "xingu/command" in run.tags)


def alerts_of_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, watched: Watched, alerts: Alerts
) -> list[Alert]:
    """Return the alerts of a run that has ended; none if it makes nothing of the project.

    One is about its failure, with the first cause; refusals of checks are no failures, and have
    alerts of their own: one for each DataProvider and kind.
    """
    logs = instance.all_logs(run.run_id, of_type=READ)
    events = [entry.dagster_event for entry in logs if entry.dagster_event]
    keys = {event.asset_key or _checked_asset(event) for event in events}
    if not keys & watched.dataproviders.keys():
        return []
    link = alerts.run_link(run.run_id)
    checks = list(_of_checks(events, watched, run.run_id, link))
    failures = [event for event in events if event.is_step_failure]
    broken = [event for event in failures if not is_refusal(failure_of(event))]
    ended = [one for one in events if one.event_type is dg.DagsterEventType.RUN_FAILURE]
    if broken or (ended and not any(one.severity == "error" for one in checks)):
        checks.insert(0, _of_failure(broken or failures, ended, watched, run.run_id, link))
    return checks


def _of_failure(
    failures: Sequence[dg.DagsterEvent],
    ended: Sequence[dg.DagsterEvent],
    watched: Watched,
    run_id: str,
    link: str,
) -> Alert:
    steps = [str(event.step_key) for event in failures]
    dp_id = watched.steps.get(steps[0], "") if steps else ""
    others = f" (and {counted(len(steps) - 1, 'other step')})" if len(steps) > 1 else ""
    subject = f"{dp_id}: " if dp_id else ""
    title = f"{subject}the step {steps[0]} failed{others}" if steps else "The run failed"
    error: Any = None
    if failures:
        error = failures[0].step_failure_data.error
    elif ended:
        error = getattr(ended[0].event_specific_data, "error", None)
    message = ended[0].message if ended else None
    cause = first_cause(error) if error else (message or "no reason was given")
    facts = {"failed_steps": steps}
    return Alert("run_failed", "error", dp_id, title, cause, link, run_id, facts)


def _of_checks(
    events: Sequence[dg.DagsterEvent], watched: Watched, run_id: str, link: str
) -> Iterator[Alert]:
    """Yield an alert for each DataProvider and kind of failed check; the last result counts."""
    results: dict[dg.AssetCheckKey, Any] = {}
    for event in events:
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            result: Any = event.event_specific_data
            results[dg.AssetCheckKey(result.asset_key, result.check_name)] = result
    failed: dict[tuple[str, str], list[str]] = {}
    for key, result in results.items():
        dp_id = watched.dataproviders.get(key.asset_key)
        if result.passed or dp_id is None:
            continue
        is_error = result.severity is dg.AssetCheckSeverity.ERROR
        kind = "check_failed" if is_error else "check_warning"
        if is_error and key.name == GATES:
            kind = "gate_refused"
        known = key in watched.checks and result.description
        text = f"{key.name}: {result.description}" if known else key.name
        failed.setdefault((dp_id, kind), []).append(text)
    for (dp_id, kind), texts in failed.items():
        word = "warned" if kind == "check_warning" else "failed"
        noun = "a gate refused a train" if kind == "gate_refused" else (
            f"{counted(len(texts), 'check')} {word}"
        )  # fmt: skip
        severity = "warning" if kind == "check_warning" else "error"
        facts = {"checks": [text.partition(":")[0] for text in texts]}
        cause = "; ".join(sorted(texts))
        yield Alert(kind, severity, dp_id, f"{dp_id}: {noun}", cause, link, run_id, facts)  # type: ignore[arg-type]


def _silent(instance: dg.DagsterInstance, watched: Watched) -> Iterator[Alert]:
    """Yield an alert for each other sensor of the project that is late, or whose tick failed."""
    project = f"{watched.resource_key}_"
    own = f"{project}alerts"
    for one in sensor_states(instance):
        if not one.running or one.name == own or not one.name.startswith(project):
            continue
        facts = {"sensor": one.name, "location": one.location}
        if one.late:
            title = f"The sensor {one.name} has not ticked for {round((one.age or 0) / 60)} minutes"
            cause = "see whether the daemon runs and the code location loads: xingu doctor"
            yield Alert("sensor_silent", "error", "", title, cause, facts=facts)
        elif one.error is not None:
            title = f"The sensor {one.name} fails"
            yield Alert("sensor_silent", "error", "", title, first_cause(one.error), facts=facts)


def _checked_asset(event: dg.DagsterEvent) -> dg.AssetKey | None:
    """Return the asset of a check that was planned or evaluated; None for other events."""
    return getattr(event.event_specific_data, "asset_key", None)
