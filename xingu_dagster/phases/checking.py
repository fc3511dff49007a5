"""What the checks on each asset look at. Values are taken only if a check on them was asked for."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
import pandas as pd

from xingu.checks import batch, data, gates, leakage
from xingu.checks.outcome import Limits, Outcome, not_applicable
from xingu.checks.parity import replay_sample
from xingu.errors import MissingValueError, XinguError
from xingu.model import Model
from xingu.names import key_part
from xingu.provider.estimator import ESTIMATION
from xingu.provider.state import PreparedFrame, PreparedSplits
from xingu.records import CheckRecord
from xingu.stages.evaluate import measure_sets
from xingu.stages.parity import Replay, replay_batch
from xingu.tracking.query import rejected_trains
from xingu.tracking.record import record_checks
from xingu.values import Label
from xingu_dagster.checks import Computation, Parts, check_results
from xingu_dagster.phases.build import Results
from xingu_dagster.phases.step import PhaseStep

if TYPE_CHECKING:
    from xingu_dagster.phases.evaluate import Evaluation

SAMPLE = "replay_sample"
"""The fact that says which stored rows the parity check replays."""
SAMPLE_PLACE = ("cleaned", SAMPLE)


def replay_rows(step: PhaseStep, frames: Mapping[str, pd.DataFrame]) -> Any:
    """Return few raw rows for the parity check, which no hook can change; None: it is off."""
    check = step.names.checks.get("batch_parity")
    return replay_sample(frames, check.limits["rows"]) if check else None


def keep_replay_rows(step: PhaseStep, rows: Any) -> dict[str, Any]:
    """Store `rows` and return the fact that names them."""
    if rows is None:
        return {}
    key, run_id, values = (
        step.names.key(*SAMPLE_PLACE),
        step.context.run.run_id,
        step.workspace.values,
    )
    record = values.write(key, run_id, rows, Label(run_id, {}))
    values.prune(key)
    return {SAMPLE: record.value_id}


def check_cleaned(step: PhaseStep) -> Results:
    """Check the frame of all sources of the train."""

    def rows() -> dict[str, int]:
        sources = step.stored("cleaned").record.facts.get("sources", ())
        return {source["source"]: source["rows"] for source in sources}

    yield from check_results(
        step, ("cleaned",), {"sources_not_empty": lambda _: data.sources_not_empty(rows())}
    )


def check_splits(step: PhaseStep) -> Results:
    """Check the sets of the split."""

    def on(check: Callable[..., Outcome]) -> Computation:
        def compute(limits: Limits) -> Outcome:
            splits: PreparedSplits = step.get("splits")
            return check(step.builder.build(splits.state), splits.frames, limits)

        return compute

    checks = {
        "declared_columns": on(
            lambda dp, sets, _: data.declared_columns(sets, _features(dp), dp.get_target())
        ),
        "unique_index": on(lambda _dp, sets, _: data.unique_index(sets)),
        "disjoint_sets": on(lambda _dp, sets, _: data.disjoint_sets(sets)),
        "classes_in_sets": on(_classes),
        "finite_values": on(
            lambda dp, sets, _: data.finite_values(sets, [*_features(dp), str(dp.get_target())])
        ),
        "leakage": on(_leakage),
    }
    yield from check_results(step, ("splits",), checks)


def _features(dp: Any) -> list[str]:
    return [*dp.get_estimator_features_list()]


def _classes(dp: Any, sets: data.Sets, _: Limits) -> Outcome:
    if not dp.is_classifier():
        return not_applicable("it estimates numbers")
    return data.classes_in_sets(sets, dp.get_target())


def _leakage(dp: Any, sets: data.Sets, limits: Limits) -> Outcome:
    if dp.hollow:
        return not_applicable("it has no estimator")
    features = [name for name in _features(dp) if name not in limits["ignore"]]
    classify, target = dp.is_classifier(), dp.get_target()
    limit = limits["auc" if classify else "r2"]
    return leakage.leakage(sets["train"], features, target, limit, classify)


def check_estimations(run: "Evaluation") -> Results:
    """Check what was estimated for the sets."""

    def complete(limits: Limits) -> Outcome:
        frames, model = run.estimations.frames, run.model
        columns = {name: model.estimation_of(frame) for name, frame in frames.items()}
        rows = {name: len(frame) for name, frame in run.sets.frames.items()}
        return data.complete_estimations(columns, rows, limits["share"])

    parts = ("trainset_estimations",)
    yield from _recorded(run, check_results(run.step, parts, {"complete_estimations": complete}))


def check_train(run: "Evaluation") -> Results:
    """Check what stands between a train and its deployment, once everything else is made."""
    relative = [gate for gate in run.step.names.gates if gate.relative]
    absolute = [gate for gate in run.step.names.gates if not gate.relative]
    checks = {
        "quality_gates": lambda _: gates.quality_gates(absolute, _measured(run, absolute)),
        "not_worse_than_current": lambda _: _not_worse(run, relative),
    }
    parity = {"batch_parity": lambda limits: _parity(run, limits)}
    failed: list[XinguError] = []
    for parts, computations in (
        (("trainset_estimations",), parity),
        (("trainset_metrics",), checks),
    ):
        try:
            yield from _recorded(run, check_results(run.step, parts, computations))
        except XinguError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def _recorded(run: "Evaluation", results: Iterator[dg.AssetCheckResult]) -> Results:
    """Pass results on, and write down what they say about the train."""
    found: list[CheckRecord] = []
    try:
        for result in results:
            asset, severity = dg.AssetKey.from_coercible(result.asset_key or ""), result.severity
            found.append(
                CheckRecord(
                    "/".join(asset.path[1:]),
                    str(result.check_name),
                    result.passed,
                    "error" if severity == dg.AssetCheckSeverity.ERROR else "warn",
                    result.description or "",
                )
            )
            yield result
    finally:
        if found:
            control, planned = run.step.workspace.control, run.step.names.checks
            record_checks(control, run.model.run, found, planned)


def _measured(run: "Evaluation", wanted: list[gates.Gate]) -> gates.Metrics:
    stored = run.step.stored("trainset_metrics")
    if stored.record.facts.get("train_id") != run.train_id:
        raise MissingValueError(
            f"The metrics are of the train {stored.record.facts.get('train_id')}; materialize "
            "trainset_metrics."
        )
    table: pd.DataFrame = stored.value
    sets = table["set"].where(table["set"].notna(), gates.GLOBAL)
    numbers = zip(sets, table["name"], table["value_number"], strict=True)
    measured = {(name, metric): float(value) for name, metric, value in numbers}
    gates.check_metrics_of(run.step.names.id, wanted, {metric for _, metric in measured})
    return measured


def _not_worse(run: "Evaluation", wanted: list[gates.Gate]) -> Outcome:
    measured = _measured(run, wanted)
    before = _train_before(run.step, run.train_id)
    if before is None:
        return not_applicable("there is no train before this one")
    sets, asked = run.sets.frames, {gate.set for gate in wanted}
    frames = {name: sets[name] for name in sets if name in asked or gates.GLOBAL in asked}
    try:
        old = run.step.model(before)
        old.sets = frames
        old.trainsets_predict()
        rows = measure_sets(old).rows
    except XinguError as error:
        text = f"The train {before} cannot be compared on these rows: {error}"
        return Outcome(False, text, {"before": before}, certain=False)
    others = {
        (row.set or gates.GLOBAL, row.name): row.value_number
        for row in rows
        if row.value_number is not None
    }
    outcome = gates.not_worse(wanted, measured, others)
    figures = {**outcome.figures, "before": before}
    return Outcome(outcome.passed, f"Compared with {before}: {outcome.text}", figures, outcome.rows)


def _train_before(step: PhaseStep, train_id: str) -> str | None:
    """The train that is pinned, else the one that was the current one before this train.

    One that failed its own checks is passed over, or a train that was refused would be the measure
    of the next.
    """
    models, dp_id, seen = step.workspace.models, step.names.id, False
    rejected = rejected_trains(step.workspace.control, dp_id)
    pinned = models.pins.get(key_part(dp_id))
    if pinned is not None and pinned != train_id:
        return pinned
    for entry in models.ledger(dp_id).entries():
        if entry.train_id == train_id:
            seen = True
        elif seen and entry.train_id not in rejected and models.has(dp_id, entry.train_id):
            return entry.train_id
    return None


def _parity(run: "Evaluation", limits: Limits) -> Outcome:
    step = run.step
    value_id = step.stored("splits").record.facts.get(SAMPLE)
    if value_id is None:
        return not_applicable("no rows were kept when the data was prepared")
    try:
        frames = step.workspace.values.read(step.names.key(*SAMPLE_PLACE), value_id=value_id).value
    except MissingValueError as error:
        return not_applicable(str(error))
    if isinstance(frames, str):
        return not_applicable(frames)
    # The batch hooks may change what the model knows.
    model = step.model(run.train_id)
    replay = Replay(frames, list(step.names.batch_sources.values()), limits["ignore"], step.builder)
    return replay_batch(model, replay, run.sets.frames, run.estimations.frames)


Restored = Callable[[Parts], PreparedFrame]


def check_batch_cleaned(step: PhaseStep) -> Results:
    """Check the frame of all sources of a batch."""
    parts = ("batch", "cleaned")

    def rows(_: Limits) -> Outcome:
        return data.sources_not_empty(step.stored(*parts).record.facts.get("rows", {}))

    yield from check_results(step, parts, {"sources_not_empty": rows})


def check_batch_features(
    step: PhaseStep, get_model: Callable[[], Model], restored: Restored
) -> Results:
    """Check the features of a batch against what the model has seen in training."""
    parts = ("batch", "features")

    def against(check: Callable[..., Outcome]) -> Computation:
        def compute(limits: Limits) -> Outcome:
            reference = get_model().reference
            if reference is None:
                return not_applicable("the model is of an earlier version; train it again")
            return check(restored(parts).frame, reference.features, limits)

        return compute

    checks = {
        "unique_index": lambda _: data.unique_index({"batch": restored(parts).frame}),
        "known_values": against(batch.known_values),
        "feature_drift": against(batch.feature_drift),
    }
    yield from check_results(step, parts, checks)


def check_batch_estimations(
    step: PhaseStep, get_model: Callable[[], Model], restored: Restored
) -> Results:
    """Check the estimations of a batch."""
    parts = ("batch", "estimations")

    def complete(limits: Limits) -> Outcome:
        rows = {"batch": len(restored(("batch", "features")).frame)}
        columns = {"batch": restored(parts).frame[ESTIMATION]}
        return data.complete_estimations(columns, rows, limits["share"])

    def drift(limits: Limits) -> Outcome:
        reference = get_model().reference
        known = reference.estimations if reference else None
        return batch.estimation_drift(restored(parts).frame[ESTIMATION], known, limits)

    checks = {"complete_estimations": complete, "estimation_drift": drift}
    yield from check_results(step, parts, checks)


def check_gated_sets(step: PhaseStep, splits: PreparedSplits) -> PreparedSplits:
    """Return `splits`, whose sets have the names that the gates are about.

    Raises:
        DeclarationError: If they have not; nothing was fitted yet.
    """
    gates.check_sets_of(step.names.id, step.names.gates, list(splits.frames))
    return splits
