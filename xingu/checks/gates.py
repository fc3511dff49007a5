"""Quality gates: what a train must reach before it may be deployed.

A gate compares one metric of one set with a number, or with the same metric of the previous train,
measured on the same rows.
"""

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from xingu.checks.outcome import Outcome
from xingu.directions import DeclaredDirection, direction_of
from xingu.errors import DeclarationError, did_you_mean

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
GLOBAL = "global"
"""Name of the set of metrics of the whole Model in gates."""
RELATIVE = ("not worse by", "not lower by", "not higher by")
"""Operators that compare with the previous train; the first uses the direction of the metric."""
EXAMPLE = '{"test": {"R2": (">=", 0.8), "MAPE": ("not higher by", 0.01)}}'

Metrics = Mapping[tuple[str, str], float]
"""Numbers by set and metric."""
Directions = Mapping[str, DeclaredDirection]
"""Which values are better, by name of the metric."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A requirement: ``metric`` of ``set`` compared by ``operator`` with ``value``."""

    set: str
    metric: str
    operator: str
    value: float

    @property
    def relative(self) -> bool:
        """Whether it compares with the previous train."""
        return self.operator not in OPERATORS


def parse_gates(owner: str, declared: Any, directions: Directions) -> list[Gate]:
    """Return the gates that a DataProvider declares.

    Args:
        owner: Id of the DataProvider, for errors.
        declared: `{set: {metric: (operator, value)}}`; several gates of a metric are a list.
        directions: Directions of the DataProvider's own metrics, by name.

    Raises:
        DeclarationError: If the form, an operator or a value is wrong; the text shows an example.
    """
    where = f"{owner}.quality_gates"
    gates = []
    for set_name, metrics in _mapping(where, declared).items():
        for metric, required in _mapping(f"{where}[{set_name!r}]", metrics).items():
            place = f"{where}[{set_name!r}][{metric!r}]"
            gates += [
                Gate(set_name, metric, *_operator_and_value(place, one, metric, directions))
                for one in (required if isinstance(required, list) else [required])
            ]
    return gates


def check_sets_of(owner: str, gates: Iterable[Gate], sets: Collection[str]) -> None:
    """Refuse gates of sets that the split has not made.

    Raises:
        DeclarationError: If a gate names such a set.
    """
    for gate in gates:
        if gate.set not in (*sets, GLOBAL):
            raise DeclarationError(
                f"{owner}.quality_gates names the set {gate.set!r}; the split has made "
                f"{', '.join(sets)}.{did_you_mean(gate.set, sets)}",
                dataprovider_id=owner,
            )


def check_metrics_of(owner: str, gates: Iterable[Gate], known: Collection[str]) -> None:
    """Refuse gates of metrics that are not measured.

    Raises:
        DeclarationError: If a gate names such a metric.
    """
    for gate in gates:
        if gate.metric not in known:
            raise DeclarationError(
                f"{owner}.quality_gates[{gate.set!r}] names the metric {gate.metric!r}; measured "
                f"are {', '.join(sorted(known))}.{did_you_mean(gate.metric, known)}",
                dataprovider_id=owner,
            )


def quality_gates(gates: Iterable[Gate], measured: Metrics) -> Outcome:
    """Check that metrics reach their gates; a metric without a value does not."""
    rows = []
    for gate in gates:
        value = measured.get((gate.set, gate.metric), float("nan"))
        passed = OPERATORS[gate.operator](value, gate.value)
        rows.append(_row(gate, passed, {"is": value}))
    return _gates_outcome(rows)


def not_worse(gates: Iterable[Gate], measured: Metrics, before: Metrics) -> Outcome:
    """Check that metrics are not worse than those of the previous train by more than is allowed.

    The outcome is not conclusive if only metrics fail that the previous train has no value of.
    """
    rows = []
    for gate in gates:
        key = (gate.set, gate.metric)
        new, old = measured.get(key, float("nan")), before.get(key, float("nan"))
        worse = {
            "not lower by": old - new,
            "not higher by": new - old,
            "not farther by": abs(new) - abs(old),
        }[gate.operator]
        # Rounding: 0.1 + 0.2 is slightly above 0.3.
        rows.append(_row(gate, worse <= gate.value + 1e-12, {"is": new, "was": old}))
    failed = [row for row in rows if not row["passed"]]
    conclusive = any(math.isnan(row["is"]) or not math.isnan(row["was"]) for row in failed)
    outcome = _gates_outcome(rows)
    return replace(outcome, conclusive=conclusive or outcome.passed)


def _gates_outcome(rows: list[dict[str, Any]]) -> Outcome:
    failed = [row for row in rows if not row["passed"]]
    failures = "; ".join(
        f"{row['set']} {row['metric']} is {row['is']:.4g}"
        + (f", was {row['was']:.4g}" if "was" in row else "")
        + f", must be {row['required']}"
        for row in failed
    )
    figures = {f"{row['set']} {row['metric']}": row["is"] for row in rows}
    figures |= {f"{row['set']} {row['metric']} before": row["was"] for row in rows if "was" in row}
    finite = {name: value for name, value in figures.items() if value == value}
    text = f"{failures}." if failed else f"{len(rows)} of {len(rows)} reached."
    return Outcome(not failed, text, {**finite, "failed": len(failed)}, rows)


def _row(gate: Gate, passed: bool, values: Mapping[str, float]) -> dict[str, Any]:
    required = f"{gate.operator} {gate.value:g}"
    row = {"set": gate.set, "metric": gate.metric, **values}
    return {**row, "required": required, "passed": passed}


def _mapping(where: str, declared: Any) -> Mapping[str, Any]:
    if not isinstance(declared, Mapping) or not all(isinstance(name, str) for name in declared):
        raise DeclarationError(f"{where} is {declared!r}; write for example {EXAMPLE}.")
    return declared


def _operator_and_value(
    where: str, required: Any, metric: str, directions: Directions
) -> tuple[str, float]:
    if not isinstance(required, tuple | list) or len(required) != 2:
        raise DeclarationError(f"{where} is {required!r}; write for example {EXAMPLE}.")
    sign, value = required
    known = [*OPERATORS, *RELATIVE]
    if sign not in known:
        raise DeclarationError(
            f"{where}: there is no operator {sign!r}; known: {', '.join(known)}."
            f"{did_you_mean(str(sign), known)}"
        )
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise DeclarationError(f"{where} compares with {value!r}; it must be a number.")
    if sign == "not worse by":
        signs = {
            "maximize": "not lower by",
            "minimize": "not higher by",
            "zero": "not farther by",
        }
        better = direction_of(metric, directions)
        if better is None:
            raise DeclarationError(
                f"{where}: the direction of {metric!r} is not known; declare it in "
                "metric_directions, or write 'not lower by' or 'not higher by'."
            )
        sign = signs[better]
    return sign, float(value)
