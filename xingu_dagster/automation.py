"""Sensors that train models, and estimate batches, by themselves, as their policies say.

One tick observes the sources, decides for each DataProvider (`xingu.automation.decide`), and asks
for one run per group of models that depend on each other. What a tick decides follows from storage
and from the runs of the instance; its cursor only remembers for how long data has been quiet, and
may be lost. Definitions are built without any of this: nothing is read before the first tick.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from xingu.alerts import Alert
from xingu.automation.decide import decide
from xingu.automation.facts import Decision, State
from xingu.config import Settings
from xingu.errors import text_of
from xingu.masking import masked
from xingu.provider.base import DataProvider
from xingu.workspace import Workspace
from xingu_dagster.automation_facts import FactFinder, Subject
from xingu_dagster.options import TAG
from xingu_dagster.spec import ProviderSpec

logger = logging.getLogger(__name__)

RETRAIN, BATCH = "retrain", "batch_predict"
"""Ends of the names of the sensors."""
TRAINS = ("prepare", "tune", "fit", "evaluate")
ESTIMATES = ("batch_raw", "batch", "batch_sinks")
"""Phases of the runs that the sensors ask for."""
SHOWN = 20
"""Number of DataProviders that the description of a sensor names."""


@dataclass(frozen=True, slots=True)
class SensorOptions:
    """How the sensors of a project are built.

    Attributes:
        seconds: Least time between two ticks.
        running: Whether they run as soon as the code location is loaded; else somebody starts them
            in the UI. What was chosen in the UI counts more.
        per_dataprovider: One sensor for each DataProvider, in place of one for all.
    """

    seconds: int = 60
    running: bool = False
    per_dataprovider: bool = False


def sensor_options(settings: Any) -> SensorOptions:
    """Return the options that settings give; of a resource, the defaults."""
    if not isinstance(settings, Settings):
        return SensorOptions()
    return SensorOptions(
        settings.sensor_seconds, settings.sensors_running, settings.sensor_per_dataprovider
    )


def has_policy(cls: type[DataProvider]) -> bool:
    """Return whether a DataProvider is trained, or its batch is estimated, by itself."""
    return cls.retrain is not None or cls.batch_predict_when is not None


def build_sensors(
    specs: Mapping[ProviderSpec, Sequence[dg.AssetsDefinition]],
    resource_key: str,
    options: SensorOptions,
) -> list[dg.SensorDefinition]:
    """Return the sensors of DataProviders that have a policy.

    Args:
        specs: The DataProviders, prerequisites first, and their assets.
        resource_key: Key of the resource, which the names of sensors begin with.
        options: How they are built.
    """
    found = [(RETRAIN, _trained(spec, assets)) for spec, assets in specs.items()]
    found += [(BATCH, _estimated(spec, assets)) for spec, assets in specs.items()]
    by_name: dict[str, list[Subject]] = {}
    for kind, subject in found:
        if subject is not None:
            own = f"__{subject.step_prefix}" if options.per_dataprovider else ""
            by_name.setdefault(f"{resource_key}_{kind}{own}", []).append(subject)
    return [_build(name, some, resource_key, options) for name, some in by_name.items()]


def _trained(spec: ProviderSpec, assets: Sequence[dg.AssetsDefinition]) -> Subject | None:
    if spec.policy is None:
        return None
    keys = _keys(assets, TRAINS)
    if spec.policy.then == "deploy":
        targets = [key for one in assets for key in one.keys if "deploy" in key.path[-2:-1]]
        if not targets:
            logger.warning(
                "%s.retrain: 'deploy' has no effect, because there is no target", spec.id
            )
        keys += targets[:1]
    return Subject(spec, spec.policy, tuple(keys))


def _estimated(spec: ProviderSpec, assets: Sequence[dg.AssetsDefinition]) -> Subject | None:
    if spec.batch_policy is None:
        return None
    return Subject(spec, spec.batch_policy, tuple(_keys(assets, ESTIMATES)), True)


def _keys(assets: Sequence[dg.AssetsDefinition], phases: Sequence[str]) -> list[dg.AssetKey]:
    return [
        key
        for one in assets
        if one.is_executable and one.op.name.rpartition("__")[2] in phases
        for key in one.keys
    ]


def _build(
    name: str, subjects: Sequence[Subject], resource_key: str, options: SensorOptions
) -> dg.SensorDefinition:
    status = dg.DefaultSensorStatus.RUNNING if options.running else dg.DefaultSensorStatus.STOPPED
    finder = FactFinder(subjects)

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        workspace = subjects[0].spec.workspace(context.resources)
        finder.begin(workspace, context.instance, datetime.now(UTC))
        return _tick(context, finder, workspace)

    names = ", ".join(one.id for one in subjects[:SHOWN])
    does = "Estimates the batches of" if subjects[0].batch else "Trains"
    return dg.SensorDefinition(
        name=name,
        evaluation_fn=evaluate,
        target=dg.AssetSelection.assets(*(key for one in subjects for key in one.keys)),
        minimum_interval_seconds=options.seconds,
        default_status=status,
        required_resource_keys={resource_key},
        description=f"{does} {names}{' and others' if len(subjects) > SHOWN else ''}, as their "
        "policies say. Each tick tells for each model what it has decided, and why.",
    )


def _tick(
    context: dg.SensorEvaluationContext, finder: FactFinder, workspace: Workspace
) -> dg.SensorResult:
    states, decisions = _states(context.cursor), {}
    for subject in finder.subjects:
        state = states.get(subject.id, State())
        decision = _decide(finder, subject, state, decisions)
        if decision.stopped and not state.stopped:
            _tell_stopped(workspace, subject.id, decision.reason)
        state = replace(decision.state, stopped=decision.stopped)
        decisions[subject.id] = replace(decision, state=state)
        context.log.info("%s: %s", subject.id, decision.reason)
    due = [one for one in finder.subjects if decisions[one.id].run]
    requests = [_request(finder, group, decisions) for group in _groups(due)]
    kept = {dp_id: asdict(one.state) for dp_id, one in decisions.items() if one.state != State()}
    told = "\n".join(f"{dp_id}: {one.reason}." for dp_id, one in decisions.items())
    return dg.SensorResult(
        run_requests=requests, cursor=json.dumps(kept), skip_reason=None if requests else told
    )


def _tell_stopped(workspace: Workspace, dp_id: str, reason: str) -> None:
    title = f"{dp_id}: its policy has stopped"
    workspace.usable_alerts.send(Alert("policy_tripped", "error", dp_id, title, reason))


def _decide(
    finder: FactFinder, subject: Subject, state: State, before: Mapping[str, Decision]
) -> Decision:
    """Decide about one DataProvider; what fails for it does not concern the others."""
    try:
        if finder.lacks_partition(subject):
            return Decision(False, "its batch has no partition yet", state=state)
        joined = {
            name: before[name].change
            for name in subject.pre_reqs
            if name in before and before[name].run
        }
        facts = finder.facts(subject, state, joined)
        decision = decide(subject.policy, facts, finder.now)
        if not decision.run:
            return decision
        # Earlier runs are looked up only now: most ticks ask for nothing.
        return decide(subject.policy, finder.with_runs(subject, facts), finder.now)
    except Exception as error:  # noqa: BLE001 - databases and storage raise anything
        reason = masked(text_of(error)).partition("\n")[0]
        return Decision(False, f"cannot be decided: {type(error).__name__}: {reason}", state=state)


def _groups(due: Sequence[Subject]) -> list[list[Subject]]:
    """Return the DataProviders of each run: one that needs another is trained by the same run."""
    groups: list[list[Subject]] = []
    for one in due:
        connected = [some for some in groups if any(other.id in one.pre_reqs for other in some)]
        merged = [other for some in connected for other in some] + [one]
        groups = [some for some in groups if some not in connected] + [merged]
    return groups


def _request(
    finder: FactFinder, group: Sequence[Subject], decisions: Mapping[str, Decision]
) -> dg.RunRequest:
    tags = {f"{TAG}trigger": "sensor", f"{TAG}refresh_sources": "true"}
    reasons, ops, keys = [], {}, []
    for one in group:
        decision = decisions[one.id]
        tags |= one.run_tags(decision.change)
        reasons.append(f"{one.id}: {decision.reason}")
        ops |= one.config(decision)
        keys.append(f"{one.step_prefix}-{decision.key}")
    partition = finder.partition(group[0])  # batches are estimated in runs of their own
    if partition is not None:
        keys.append(partition.key)
    return dg.RunRequest(
        run_key=" ".join(keys),
        partition_key=partition.key if partition else None,
        asset_selection=[key for one in group for key in one.keys],
        tags={**tags, f"{TAG}reason": "; ".join(reasons)},
        run_config={"ops": ops} if ops else {},
    )


def _states(cursor: str | None) -> dict[str, State]:
    try:
        return {dp_id: State(**one) for dp_id, one in json.loads(cursor or "{}").items()}
    except (ValueError, TypeError, AttributeError):  # of another version
        return {}
