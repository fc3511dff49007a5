"""Search spaces in both forms that a DataProvider may write, as one kind of dimension.

Its one idea: every dimension maps positions in [0, 1] to plain Python values and back, so each
method of search sees the same cube. Libraries of search are not imported here, except to read a
bare list or tuple the way that scikit-optimize does.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeAlias

from xingu.errors import DeclarationError, did_you_mean
from xingu.tuning.trials import plain


@dataclass(frozen=True, slots=True)
class Number:
    """A range of numbers, both ends included.

    Attributes:
        name: The hyperparameter.
        low: Smallest value.
        high: Largest value.
        integer: Only whole numbers.
        log: Searched by its logarithm.
        step: Distance of neighbouring values, counted from `low`; None: any value.
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
        whole = not self.integer or float(value).is_integer()
        # A value that was computed from its logarithm may miss an end by the last digit.
        slack = 1e-9 * max(abs(self.low), abs(self.high))
        return whole and self.low - slack <= float(value) <= self.high + slack

    def at(self, position: float) -> int | float:
        """Return the value at a position in [0, 1]."""
        if position >= 1:
            return self.high
        low, high = self._ends()
        value = low + max(position, 0.0) * (high - low)
        value = math.exp(value) if self.log else value
        if self.step:
            value = self.low + round((value - self.low) / self.step) * self.step
        value = min(max(value, self.low), self.high)
        return round(value) if self.integer else float(value)

    def position(self, value: Any) -> float:
        """Return where `value` is in [0, 1]."""
        low, high = self._ends()
        return ((math.log(value) if self.log else float(value)) - low) / (high - low)

    def grid(self, levels: int) -> list[int | float]:
        """Return at most `levels` values, evenly spaced."""
        places = [number / max(levels - 1, 1) for number in range(levels)]
        return list(dict.fromkeys(self.at(place) for place in places))

    def restored(self, value: Any) -> Any:
        """Return `value`, which JSON has kept, as it was."""
        return int(value) if self.integer and self.contains(value) else value

    def __str__(self) -> str:
        return f"{'whole numbers ' if self.integer else ''}{self.low:g} to {self.high:g}"

    def _ends(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values of any type."""

    name: str
    values: tuple[Any, ...]

    def contains(self, value: Any) -> bool:
        """Return whether `value` is one of them, also as JSON has kept it."""
        return self.index(value) is not None

    def index(self, value: Any) -> int | None:
        """Return the position of `value` among the values."""
        for number, known in enumerate(self.values):
            if plain(known) == plain(value) and isinstance(known, bool) == isinstance(value, bool):
                return number
        return None

    def at(self, position: float) -> Any:
        """Return the value at a position in [0, 1]."""
        return self.values[min(int(position * len(self.values)), len(self.values) - 1)]

    def position(self, value: Any) -> float:
        """Return where `value` is in [0, 1]."""
        return ((self.index(value) or 0) + 0.5) / len(self.values)

    def grid(self, levels: int) -> list[Any]:  # noqa: ARG002
        """Return all values."""
        return list(self.values)

    def restored(self, value: Any) -> Any:
        """Return `value`, which JSON has kept, as it was."""
        found = self.index(value)
        return value if found is None else self.values[found]

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self.values[:10]))}"


Dimension: TypeAlias = Number | Choice
Space: TypeAlias = Mapping[str, Dimension]


def parse_space(declared: Mapping[str, Any], owner: str) -> dict[str, Dimension]:
    """Return the dimensions of a declared search space by hyperparameter.

    Args:
        declared: Dimensions of scikit-optimize, or ``('int', dict(low=…, high=…))`` and the like.
        owner: Where it is declared, for errors.

    Raises:
        DeclarationError: If a dimension cannot be understood, or holds nothing to search.
    """
    return {str(name): _dimension(str(name), one, owner) for name, one in declared.items()}


def restored(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters that JSON has kept with the types of the search space."""
    return {
        name: space[name].restored(value) if name in space else value
        for name, value in params.items()
    }


def outside(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `params` that the search space knows and does not hold."""
    return {
        name: value
        for name, value in params.items()
        if name in space and not space[name].contains(value)
    }


def _dimension(name: str, declared: Any, owner: str) -> Dimension:
    where = f"{owner}[{name!r}]"
    if isinstance(declared, tuple) and declared and isinstance(declared[0], str):
        return _of_2_0(name, declared, where)
    if isinstance(declared, tuple | list):
        declared = _as_skopt(declared, where)
    # By name, so that a space of plain tuples does not import scikit-optimize.
    kind = type(declared).__name__
    if kind == "Categorical":
        return _choice(name, declared.categories, where)
    if kind in ("Real", "Integer"):
        log = declared.prior == "log-uniform"
        return _number(Number(name, declared.low, declared.high, kind == "Integer", log), where)
    raise DeclarationError(
        f"{where}: {declared!r} is no dimension; write skopt's Real, Integer or Categorical, or "
        "('int', dict(low=…, high=…)).",
        hyperparameter=name,
    )


def _as_skopt(declared: Any, where: str) -> Any:
    from skopt.space.space import check_dimension

    try:
        return check_dimension(declared)
    except (ValueError, TypeError) as error:
        raise DeclarationError(f"{where}: {declared!r} is no dimension: {error}") from error


_KINDS: Mapping[str, Mapping[str, bool]] = {
    "int": {"integer": True},
    "float": {},
    "uniform": {},
    "loguniform": {"log": True},
}
_CHOICES = ("choices", "categories", "values")


def _of_2_0(name: str, declared: tuple[Any, ...], where: str) -> Dimension:
    kind, options = declared[0], declared[1] if len(declared) == 2 else None
    known = [*_KINDS, "categorical"]
    if kind not in known:
        raise DeclarationError(
            f"{where}: there is no kind {kind!r}; known: {', '.join(known)}."
            f"{did_you_mean(kind, known)}"
        )
    if kind == "categorical" and isinstance(options, list | tuple):
        options = {"choices": options}
    wanted = _CHOICES if kind == "categorical" else ("low", "high", "log", "step")
    if not isinstance(options, Mapping) or not set(options) <= set(wanted):
        example = "choices=[…]" if kind == "categorical" else "low=…, high=…"
        raise DeclarationError(f"{where}: write ({kind!r}, dict({example})), not {declared!r}.")
    if kind == "categorical":
        return _choice(name, next(iter(options.values()), ()), where)
    if not {"low", "high"} <= set(options):
        raise DeclarationError(f"{where}: {declared!r} needs both low and high.")
    flags = {"log": bool(options.get("log")), **_KINDS[kind]}
    given: Mapping[str, Any] = {end: options.get(end) for end in ("low", "high", "step")}
    return _number(Number(name, **given, **flags), where)


def _choice(name: str, values: Any, where: str) -> Choice:
    if not isinstance(values, list | tuple) or not values:
        raise DeclarationError(f"{where}: there is no value to choose; name at least one.")
    return Choice(name, tuple(plain_scalar(value) for value in values))


def plain_scalar(value: Any) -> Any:
    """Return a number or text of numpy as one of Python; anything else as it is."""
    return value.item() if hasattr(value, "item") and hasattr(value, "dtype") else value


def _number(read: Number, where: str) -> Number:
    low, high = plain_scalar(read.low), plain_scalar(read.high)
    convert: Callable[[Any], int | float] = int if read.integer else float
    for end in (low, high):
        if isinstance(end, bool) or not isinstance(end, Real) or not math.isfinite(float(end)):
            raise DeclarationError(f"{where}: {end!r} is not a number; write low and high as such.")
        if read.integer and not (isinstance(end, Integral) or float(end).is_integer()):
            raise DeclarationError(f"{where}: {end!r} is not a whole number; use 'float' or Real.")
    if not low < high:
        raise DeclarationError(
            f"{where}: the range {low:g} to {high:g} is empty; low must be below high (a value "
            "that is not searched belongs into estimator_params).",
            hyperparameter=read.name,
        )
    if read.log and low <= 0:
        raise DeclarationError(f"{where}: a logarithmic range must begin above 0, not at {low:g}.")
    if read.step is not None and not read.step > 0:
        raise DeclarationError(f"{where}: step must be above 0, not {read.step!r}.")
    return Number(read.name, convert(low), convert(high), read.integer, read.log, read.step)
