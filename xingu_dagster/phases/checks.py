"""Asset checks: run the checks on an asset, and report their results to Dagster and the control DB.

A check runs in the step that makes its asset, on the value that is in memory.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from xingu.checks.check import AssetPath, Check
from xingu.checks.outcome import Outcome
from xingu.errors import CheckFailedError
from xingu.records import CheckRecord, TrainRun
from xingu.tracking.record import record_checks
from xingu_dagster.metadata import cell
from xingu_dagster.phases.step import PhaseStep

logger = logging.getLogger(__name__)

CheckResults = Iterator[dg.AssetCheckResult]


def run_checks(
    step: PhaseStep,
    path: AssetPath,
    get_subject: Callable[[], Any],
    train: TrainRun | None = None,
    *,
    deferred: bool | None = None,
) -> CheckResults:
    """Run the requested checks on an asset.

    Args:
        step: The running step.
        path: The asset.
        get_subject: Returns the subject of its checks; called only if a check was requested.
        train: Record the results as those of this train.
        deferred: Run only checks that are deferred, or only those that are not; None: all.

    Raises:
        CheckFailedError: If a blocking check failed; raised once all results were yielded.
    """
    outcomes = {
        check.name: check.run(get_subject)
        for check in step.spec.checks.values()
        if path in check.assets
        and deferred in (None, check.deferred)
        and _requested(step, path, check)
    }
    yield from _report(step, path, outcomes, train)


def make_unless_refused(
    step: PhaseStep,
    path: AssetPath,
    make: Callable[[], dg.MaterializeResult],
    train: TrainRun | None = None,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Yield what `make` returns or, if a stage refuses the value, the results of failed checks.

    Args:
        step: The running step.
        path: The asset.
        make: Computes and stores the value.
        train: Record the results as those of this train.

    Raises:
        CheckFailedError: If the value was refused; raised once all results were yielded.
    """
    try:
        result = make()
    except CheckFailedError as error:
        if error.facts.get("dataprovider_id") == step.spec.id:  # a hook may use other Models
            outcomes: Any = error.facts.get("outcomes", {})
            yield from _report(step, path, outcomes, train)
        raise
    yield result


def _report(
    step: PhaseStep, path: AssetPath, outcomes: Mapping[str, Outcome], train: TrainRun | None
) -> CheckResults:
    """Log, yield and record outcomes, then raise if one is a blocking failure."""
    failed, records = [], []
    for name, outcome in outcomes.items():
        check = step.spec.checks[name]
        blocking = check.severity == "error" and outcome.conclusive
        if not outcome.passed:
            logger.warning("%s: check %s failed: %s", step.spec.id, name, outcome.text)
            if blocking:
                failed.append(f"{name}: {outcome.text}")
        severity = "error" if blocking else "warn"
        asset = "/".join(path)
        records.append(CheckRecord(asset, name, outcome.passed, severity, outcome.text))
        if _requested(step, path, check):
            yield _result(step, path, check, outcome, blocking=blocking)
    if train and records:
        record_checks(step.workspace.control, train, records, step.spec.checks)
    if failed:
        name = "/".join(step.spec.key(*path)) + step.suffix
        raise CheckFailedError(
            f"{name}: {' '.join(failed)} Nothing downstream was made; "
            f"correct the data, or relax the check in {step.spec.id}.checks.",
            dataprovider_id=step.spec.id,
        )


def _requested(step: PhaseStep, path: AssetPath, check: Check) -> bool:
    key = dg.AssetCheckKey(step.spec.asset_key(*path), check.name)
    return key in step.context.selected_asset_check_keys


def _result(
    step: PhaseStep, path: AssetPath, check: Check, outcome: Outcome, *, blocking: bool
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=outcome.passed,
        asset_key=step.spec.asset_key(*path),
        check_name=check.name,
        description=outcome.text,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        metadata=_metadata(check, outcome),
    )


def _metadata(check: Check, outcome: Outcome) -> dict[str, Any]:
    metadata: dict[str, Any] = {name: cell(value, 200) for name, value in outcome.figures.items()}
    metadata |= {
        f"limit {name}": cell(value, 200) for name, value in check.limits.items() if value != ()
    }
    if outcome.rows:
        schema = dg.TableSchema([dg.TableColumn(name) for name in outcome.rows[0]])
        records = [
            dg.TableRecord({name: cell(value, 200) for name, value in row.items()})
            for row in outcome.rows
        ]
        metadata["details"] = dg.MetadataValue.table(records, schema=schema)
    return metadata
