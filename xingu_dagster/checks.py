"""Asset checks: which check is on which asset, and how Dagster and the UI see what it has found.

Its one idea: a check runs in the step that makes its asset, right after it, on the value that is
in memory then. It computes nothing itself.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from xingu.checks.catalog import Check
from xingu.checks.outcome import Limits, Outcome
from xingu.errors import CheckFailedError, DeclarationError

if TYPE_CHECKING:
    from xingu_dagster.phases.step import PhaseStep
    from xingu_dagster.translator import XinguTranslator

logger = logging.getLogger(__name__)

Parts = tuple[str, ...]
Computation = Callable[[Limits], Outcome]

ON_ASSETS: Mapping[Parts, Sequence[str]] = {
    ("cleaned",): ("sources_not_empty",),
    ("splits",): (
        "declared_columns",
        "unique_index",
        "disjoint_sets",
        "classes_in_sets",
        "finite_values",
        "leakage",
    ),
    ("trainset_estimations",): ("complete_estimations", "batch_parity"),
    ("trainset_metrics",): ("quality_gates", "not_worse_than_current"),
    ("batch", "cleaned"): ("sources_not_empty",),
    ("batch", "features"): ("unique_index", "known_values", "feature_drift"),
    ("batch", "estimations"): ("complete_estimations", "estimation_drift"),
}


def check_specs(names: "XinguTranslator", key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Return the specs of the checks on one asset."""
    return [
        dg.AssetCheckSpec(
            name,
            asset=key,
            description=names.checks[name].text,
            blocking=names.checks[name].severity == "error",
        )
        for name in ON_ASSETS.get(tuple(key.path[1:]), ())
        if name in names.checks
    ]


def is_asked(step: "PhaseStep", parts: Parts, name: str) -> bool:
    """Return whether a check on an asset was asked for."""
    key = dg.AssetCheckKey(step.names.asset_key(*parts), name)
    return key in step.context.selected_asset_check_keys


def check_results(
    step: "PhaseStep", parts: Parts, computations: Mapping[str, Computation]
) -> Iterator[dg.AssetCheckResult]:
    """Do those checks on an asset that were asked for.

    Args:
        step: The running step.
        parts: The asset.
        computations: Computes the outcome from the limits, by name of the check.

    Raises:
        CheckFailedError: If one failed that stops what is downstream, once all are announced.
    """
    failed = []
    for name, compute in computations.items():
        if not is_asked(step, parts, name):
            continue
        check = step.names.checks[name]
        outcome = _outcome(step, name, check, compute)
        counts = check.severity == "error" and outcome.certain
        if not outcome.passed:
            logger.warning("%s: check %s failed: %s", step.names.id, name, outcome.text)
            if counts:
                failed.append(f"{name}: {outcome.text}")
        severity = dg.AssetCheckSeverity.ERROR if counts else dg.AssetCheckSeverity.WARN
        yield dg.AssetCheckResult(
            passed=outcome.passed,
            asset_key=step.names.asset_key(*parts),
            check_name=name,
            description=outcome.text,
            severity=severity,
            metadata=_metadata(check, outcome),
        )
    if failed:
        raise CheckFailedError(
            f"{'/'.join(step.names.key(*parts))}: {' '.join(failed)} Nothing downstream was made; "
            f"correct it, or relax the check in {step.names.id}.checks.",
            dataprovider_id=step.names.id,
        )


def _outcome(step: "PhaseStep", name: str, check: Check, compute: Computation) -> Outcome:
    try:
        return compute(check.limits)
    except DeclarationError:
        raise
    except Exception as error:
        logger.warning("%s: check %s could not be done", step.names.id, name, exc_info=True)
        text = f"It could not be done: {type(error).__name__}: {error}"
        return Outcome(False, text, certain=False)


def _metadata(check: Check, outcome: Outcome) -> dict[str, Any]:
    metadata: dict[str, Any] = {name: _figure(value) for name, value in outcome.figures.items()}
    metadata |= {
        f"limit {name}": _figure(value) for name, value in check.limits.items() if value != ()
    }
    if outcome.rows:
        schema = dg.TableSchema([dg.TableColumn(name) for name in outcome.rows[0]])
        records = [
            dg.TableRecord({name: _figure(value) for name, value in row.items()})
            for row in outcome.rows
        ]
        metadata["details"] = dg.MetadataValue.table(records, schema=schema)
    return metadata


def _figure(value: Any) -> str | int | float | bool:
    """Return a figure as JSON has it."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return ", ".join(map(str, value))[:200] if isinstance(value, list | tuple) else str(value)[:200]
