"""The built-in checks by name, and what a DataProvider declares about them.

Its one idea: one word, `warn` or `error`, says both what a failure means and whether it stops what
is downstream. Knows neither data nor Dagster.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from xingu.errors import DeclarationError, did_you_mean
from xingu.records import Severity

OFF = (False, None, "off")


@dataclass(frozen=True, slots=True)
class Check:
    """A check as it is done.

    Attributes:
        text: What is true if it passes.
        severity: ``warn``: a failure is shown; ``error``: it also fails the run and stops what is
            downstream.
        limits: What is still tolerated, by name.
    """

    text: str
    severity: Severity
    limits: Mapping[str, Any] = field(default_factory=dict)


DRIFT: Mapping[str, Any] = {"psi": 0.25, "ks": 0.2}

CATALOG: Mapping[str, Check] = {
    "sources_not_empty": Check("Every source has rows.", "warn"),
    "declared_columns": Check("Declared features and target are in every set.", "error"),
    "unique_index": Check("No index value names two rows.", "error"),
    "disjoint_sets": Check("No row is in two sets.", "error"),
    "classes_in_sets": Check("Every set has every class of the set `train`.", "warn"),
    "finite_values": Check("No feature and no target is infinite.", "error"),
    "leakage": Check(
        "No feature alone explains the target.", "warn", {"auc": 0.99, "r2": 0.99, "ignore": ()}
    ),
    "complete_estimations": Check(
        "Estimations are finite, and as many as the rows.", "error", {"share": 0.0}
    ),
    "batch_parity": Check(
        "Rows of the training data give the same through the batch hooks.",
        "error",
        {"rows": 1_000, "ignore": ()},
    ),
    "known_values": Check(
        "Features are inside the ranges and categories that training has seen.",
        "warn",
        {"share": 0.01, "ignore": ()},
    ),
    "feature_drift": Check(
        "Features are distributed as in training.", "warn", {**DRIFT, "ignore": ()}
    ),
    "estimation_drift": Check("Estimations are distributed as in training.", "warn", DRIFT),
    "quality_gates": Check("The train reaches its `quality_gates`.", "error"),
    "not_worse_than_current": Check(
        "On the same rows the train is not worse than the one before it.", "error"
    ),
}


def planned_checks(owner: str, declared: Mapping[str, Any]) -> dict[str, Check]:
    """Return the checks that a DataProvider wants, by name.

    Args:
        owner: Its id, for errors.
        declared: By name of the check: False or ``"off"``, ``"warn"``, ``"error"``, or a dict with
            `severity` and limits.

    Raises:
        DeclarationError: If a name, a severity or a limit does not exist, or has the wrong type.
    """
    if not declared:
        return dict(CATALOG)
    where = f"{owner}.checks"
    if not isinstance(declared, Mapping):
        raise DeclarationError(f"{where} must be a dict by name of the check, not {declared!r}.")
    for name in declared:
        _one_of(where, name, CATALOG, "check")
    return {
        name: _changed(f"{where}[{name!r}]", check, declared.get(name, {}))
        for name, check in CATALOG.items()
        if not _is_off(declared.get(name, {}))
    }


def _is_off(wish: object) -> bool:
    return any(wish is off or (isinstance(wish, str) and wish == off) for off in OFF)


def _changed(where: str, check: Check, wish: object) -> Check:
    if isinstance(wish, str):
        wish = {"severity": wish}
    if wish is True:
        wish = {}
    if not isinstance(wish, Mapping):
        raise DeclarationError(
            f"{where} is {wish!r}; write 'off', 'warn', 'error', or a dict with 'severity' and "
            f"limits ({', '.join(check.limits) or 'it has none'})."
        )
    for name in wish:
        _one_of(where, name, ["severity", *check.limits], "limit")
    severity = wish.get("severity", check.severity)
    _one_of(where, severity, get_args(Severity), "severity")
    limits = {name: wish.get(name, value) for name, value in check.limits.items()}
    for name, value in limits.items():
        _check_limit(f"{where}[{name!r}]", value, check.limits[name])
    return Check(check.text, cast(Severity, severity), limits)


def _check_limit(where: str, value: Any, default: Any) -> None:
    if isinstance(default, tuple):
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise DeclarationError(f"{where} is {value!r}; it is a list of columns.")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise DeclarationError(f"{where} is {value!r}; it is a number of at least 0.")


def _one_of(where: str, name: object, known: Collection[str], kind: str) -> None:
    if name not in known:
        raise DeclarationError(
            f"{where}: there is no {kind} {name!r}; known: {', '.join(known)}."
            f"{did_you_mean(str(name), known)}"
        )
