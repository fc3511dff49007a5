"""Checks of a train against the quality gates of its DataProvider."""

from dataclasses import replace

from xingu.checks.check import Check
from xingu.checks.gates import check_metrics_of, not_worse, quality_gates
from xingu.checks.outcome import Limits, Outcome, not_applicable
from xingu.checks.subjects import TrainMetrics


def _quality_gates(subject: TrainMetrics, _: Limits) -> Outcome:
    gates = [gate for gate in subject.gates if not gate.relative]
    metrics = subject.metrics()
    check_metrics_of(subject.dataprovider_id, gates, {metric for _, metric in metrics})
    return quality_gates(gates, metrics)


def _not_worse_than_current(subject: TrainMetrics, _: Limits) -> Outcome:
    gates = [gate for gate in subject.gates if gate.relative]
    metrics = subject.metrics()
    check_metrics_of(subject.dataprovider_id, gates, {metric for _, metric in metrics})
    before = subject.previous(gates)
    if before is None:
        return not_applicable("there is no train before this one")
    if before.metrics is None:
        text = f"The train {before.train_id} cannot be compared on these rows: {before.reason}"
        return Outcome(False, text, {"before": before.train_id}, conclusive=False)
    outcome = not_worse(gates, metrics, before.metrics)
    figures = {**outcome.figures, "before": before.train_id}
    text = f"Compared with {before.train_id}: {outcome.text}"
    return replace(outcome, text=text, figures=figures)


CHECKS = (
    Check(
        name="quality_gates",
        assets=(("trainset_metrics",),),
        title="The train reaches its `quality_gates`.",
        severity="error",
        compute=_quality_gates,
        applies=lambda declared: any(not gate.relative for gate in declared.gates),
    ),
    Check(
        name="not_worse_than_current",
        assets=(("trainset_metrics",),),
        title="On the same rows the train is not worse than the one before it.",
        severity="error",
        compute=_not_worse_than_current,
        applies=lambda declared: any(gate.relative for gate in declared.gates),
    ),
)
