"""Parse search spaces, in the notations of scikit-optimize and of Xingu 2.0.

Every dimension maps positions in [0, 1] to plain Python values and back, so each search method
works on the same unit cube. scikit-optimize is imported only to parse a bare list or tuple.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from xingu.errors import DeclarationError, did_you_mean, text_of
from xingu.tuning.trials import plain


@dataclass(frozen=True, slots=True)
class Number:
    """A range of numbers, both bounds included.

    Attributes:
        name: Name of the hyperparameter.
        low: Lower bound.
        high: Upper bound.
        integer: Whether values are integers.
        log: Whether the logarithm is searched uniformly.
        step: Distance of neighbouring values, counted from `low`; None for a continuous range.
    """

    name: str
    low: float
    high: float
    integer: bool = False
    log: bool = False
    step: float | None = None

    def contains(self, value: Any) -> bool:
        """Return whether `value` is in the range."""
        if isinstance(value, bool) or not isinstance(value, Real):
            return False
        if self.integer and not float(value).is_integer():
            return False
        # exp(log(bound)) may differ from the bound in the last digit.
        tolerance = 1e-9 * max(abs(self.low), abs(self.high))
        return self.low - tolerance <= float(value) <= self.high + tolerance

    def at(self, position: float) -> int | float:
        """Return the value at a position in [0, 1]."""
        if position >= 1:
            return self.high
        low, high = self._bounds()
        value = low + max(position, 0.0) * (high - low)
        value = math.exp(value) if self.log else value
        if self.step:
            value = self.low + round((value - self.low) / self.step) * self.step
        value = min(max(value, self.low), self.high)
        return round(value) if self.integer else float(value)

    def position(self, value: Any) -> float:
        """Return the position of `value` in [0, 1]."""
        low, high = self._bounds()
        return ((math.log(value) if self.log else float(value)) - low) / (high - low)

    def grid(self, levels: int) -> list[int | float]:
        """Return at most `levels` distinct values, evenly spaced, ascending."""
        positions = [number / max(levels - 1, 1) for number in range(levels)]
        return list(dict.fromkeys(map(self.at, positions)))

    def restore(self, value: Any) -> Any:
        """Return a value that was stored as JSON in its original type."""
        return int(value) if self.integer and self.contains(value) else value

    def __str__(self) -> str:
        return f"{'integers ' if self.integer else ''}{self.low:g} to {self.high:g}"

    def _bounds(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Choice:
    """A list of values of any type, of which one is chosen.

    Attributes:
        name: Name of the hyperparameter.
        values: The values.
    """

    name: str
    values: tuple[Any, ...]

    def contains(self, value: Any) -> bool:
        """Return whether `value` is one of the values, also after a round trip through JSON."""
        return self.index(value) is not None

    def index(self, value: Any) -> int | None:
        """Return the index of `value`, also after a round trip through JSON; None if unknown."""
        for number, known in enumerate(self.values):
            if plain(known) == plain(value) and isinstance(known, bool) == isinstance(value, bool):
                return number
        return None

    def at(self, position: float) -> Any:
        """Return the value at a position in [0, 1]."""
        return self.values[min(int(position * len(self.values)), len(self.values) - 1)]

    def position(self, value: Any) -> float:
        """Return the position of `value` in [0, 1]."""
        return ((self.index(value) or 0) + 0.5) / len(self.values)

    def grid(self, levels: int) -> list[Any]:  # noqa: ARG002
        """Return all values."""
        return list(self.values)

    def restore(self, value: Any) -> Any:
        """Return a value that was stored as JSON in its original type."""
        index = self.index(value)
        return value if index is None else self.values[index]

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self.values[:10]))}"


@dataclass(frozen=True, slots=True)
class Foreign(Choice):
    """A dimension in the notation of another library, which only the Estimator understands."""

    def contains(self, value: Any) -> bool:  # noqa: ARG002
        """Return True: nothing is known about the dimension."""
        return True

    def restore(self, value: Any) -> Any:
        """Return `value`."""
        return value

    def __str__(self) -> str:
        return "what its estimator searches"


Dimension: TypeAlias = Number | Choice
Space: TypeAlias = Mapping[str, Dimension]


def parse_space(
    declared: Mapping[str, Any], owner: str, *, foreign: bool = False
) -> dict[str, Dimension]:
    """Return the dimensions of a declared search space by hyperparameter.

    Args:
        declared: Dimensions of scikit-optimize, or tuples such as ``('int', dict(low=…, high=…))``.
        owner: Name of the declaration, for errors.
        foreign: The Estimator searches by itself, so that other notations are accepted.

    Raises:
        DeclarationError: If a dimension cannot be parsed, or is empty.
    """
    space: dict[str, Dimension] = {}
    for name, one in declared.items():
        try:
            space[str(name)] = _dimension(str(name), one, owner)
        except DeclarationError:
            if not foreign:
                raise
            space[str(name)] = Foreign(str(name), ())
    return space


def restore_types(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters that were stored as JSON, with the types of the search space."""
    return {
        name: space[name].restore(value) if name in space else value
        for name, value in params.items()
    }


def outside(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters whose dimension does not contain their value."""
    return {
        name: value
        for name, value in params.items()
        if name in space and not space[name].contains(value)
    }


def _dimension(name: str, declared: Any, owner: str) -> Dimension:
    where = f"{owner}[{name!r}]"
    if isinstance(declared, tuple) and declared and isinstance(declared[0], str):
        return _parse_tuple(name, declared, where)
    if isinstance(declared, tuple | list):
        declared = _as_skopt(declared, where)
    # Compared by name, so that a space of plain tuples does not import scikit-optimize.
    kind = type(declared).__name__
    if kind == "Categorical":
        return _choice(name, declared.categories, where)
    if kind in ("Real", "Integer"):
        log = declared.prior == "log-uniform"
        return _number(Number(name, declared.low, declared.high, kind == "Integer", log), where)
    raise DeclarationError(
        f"{where}: {declared!r} is not a dimension; use Real, Integer or Categorical of skopt, or "
        "('int', dict(low=…, high=…)).",
        hyperparameter=name,
    )


def _as_skopt(declared: Any, where: str) -> Any:
    from skopt.space.space import check_dimension

    try:
        return check_dimension(declared)
    except (ValueError, TypeError) as error:
        raise DeclarationError(
            f"{where}: {declared!r} is not a dimension: {text_of(error)}"
        ) from error


_KINDS: Mapping[str, Mapping[str, bool]] = {
    "int": {"integer": True},
    "float": {},
    "uniform": {},
    "loguniform": {"log": True},
}
_CHOICES = ("choices", "categories", "values")


def _parse_tuple(name: str, declared: tuple[Any, ...], where: str) -> Dimension:
    """Parse the notation of Xingu 2.0."""
    kind, options = declared[0], declared[1] if len(declared) == 2 else None
    known = [*_KINDS, "categorical"]
    if kind not in known:
        raise DeclarationError(
            f"{where}: there is no kind {kind!r}; known: {', '.join(known)}."
            f"{did_you_mean(kind, known)}"
        )
    if kind == "categorical" and isinstance(options, list | tuple):
        options = {"choices": options}
    allowed = _CHOICES if kind == "categorical" else ("low", "high", "log", "step")
    if not isinstance(options, Mapping) or not set(options) <= set(allowed):
        example = "choices=[…]" if kind == "categorical" else "low=…, high=…"
        raise DeclarationError(f"{where}: write ({kind!r}, dict({example})), not {declared!r}.")
    if kind == "categorical":
        return _choice(name, next(iter(options.values()), ()), where)
    if not {"low", "high"} <= set(options):
        raise DeclarationError(f"{where}: {declared!r} needs both low and high.")
    flags = {"log": bool(options.get("log")), **_KINDS[kind]}
    bounds: Mapping[str, Any] = {option: options.get(option) for option in ("low", "high", "step")}
    return _number(Number(name, **bounds, **flags), where)


def _choice(name: str, values: Any, where: str) -> Choice:
    if not isinstance(values, list | tuple) or not values:
        raise DeclarationError(f"{where}: there are no values to choose from; add at least one.")
    return Choice(name, tuple(map(_plain_scalar, values)))


def _plain_scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _number(declared: Number, where: str) -> Number:
    """Return `declared` with bounds of the right type, after checking them."""
    low, high = _plain_scalar(declared.low), _plain_scalar(declared.high)
    convert: Callable[[Any], int | float] = int if declared.integer else float
    for bound in (low, high):
        number = isinstance(bound, Real) and not isinstance(bound, bool)
        if not number or not math.isfinite(float(bound)):
            raise DeclarationError(f"{where}: {bound!r} is not a finite number; correct the bound.")
        if declared.integer and not float(bound).is_integer():
            raise DeclarationError(f"{where}: {bound!r} is not an integer; use 'float' or Real.")
    if not low < high:
        raise DeclarationError(
            f"{where}: the range {low:g} to {high:g} is empty; low must be less than high (put a "
            "value that is not searched into estimator_params).",
            hyperparameter=declared.name,
        )
    if declared.log and low <= 0:
        raise DeclarationError(f"{where}: a logarithmic range must begin above 0, not at {low:g}.")
    if declared.step is not None and not declared.step > 0:
        raise DeclarationError(f"{where}: step must be above 0, not {declared.step!r}.")
    return replace(declared, low=convert(low), high=convert(high))
