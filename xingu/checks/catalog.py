"""The built-in checks by name, and how a DataProvider configures them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast, get_args

from xingu.checks import batch, data, leakage, parity, train
from xingu.checks.check import Check
from xingu.errors import DeclarationError, did_you_mean
from xingu.records import Severity

MODULES = (data, leakage, parity, batch, train)


def built_in_checks() -> dict[str, Check]:
    """Return all built-in checks by name, with their default severity and limits."""
    return {check.name: check for module in MODULES for check in module.CHECKS}


def planned_checks(owner: str, declared: Mapping[str, Any]) -> dict[str, Check]:
    """Return the checks that a DataProvider configures, by name.

    Args:
        owner: Its id, for errors.
        declared: By name of the check: None, False or ``"off"``, ``"warn"``, ``"error"``, or a
            dict with `severity` and limits.

    Raises:
        DeclarationError: If a name, a severity or a limit does not exist, or has the wrong type.
    """
    known = built_in_checks()
    if not declared:
        return known
    where = f"{owner}.checks"
    if not isinstance(declared, Mapping):
        raise DeclarationError(f"{where} must be a dict by name of the check, not {declared!r}.")
    for name in declared:
        _one_of(where, name, known, "check")
    return {
        name: _changed(f"{where}[{name!r}]", check, declared.get(name, {}))
        for name, check in known.items()
        if not _is_off(declared.get(name, {}))
    }


def _is_off(requested: object) -> bool:
    return requested is None or requested is False or requested == "off"


def _changed(where: str, check: Check, requested: object) -> Check:
    if isinstance(requested, str):
        requested = {"severity": requested}
    if requested is True:
        requested = {}
    if not isinstance(requested, Mapping):
        raise DeclarationError(
            f"{where} is {requested!r}; write 'off', 'warn', 'error', or a dict with 'severity' "
            f"and limits ({', '.join(check.limits) or 'it has none'})."
        )
    for name in requested:
        _one_of(where, name, ["severity", *check.limits], "limit")
    severity = requested.get("severity", check.severity)
    _one_of(where, severity, get_args(Severity), "severity")
    limits = {name: requested.get(name, value) for name, value in check.limits.items()}
    for name, value in limits.items():
        _check_limit(f"{where}[{name!r}]", value, check.limits[name])
    return replace(check, severity=cast(Severity, severity), limits=limits)


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
