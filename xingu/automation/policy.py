"""Parse `DataProvider.retrain` and `batch_predict_when`: when to act, how, and what follows.

A policy is plain data. What it decides is in `xingu.automation.decide`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from xingu.automation.cron import valid_cron, valid_zone
from xingu.errors import DeclarationError, did_you_mean

Then = Literal["register", "replace", "deploy"]

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SHORTCUTS: Mapping[str, Mapping[str, Any]] = {
    "on_new_data": {"new_data": {}},
    "with_pre_reqs": {"pre_reqs": True},
    "on_drift": {"drift": True},
}
BATCH = "batch_predict_dataset_sources"
EXAMPLE = '{"when": {"new_data": {"min_new_rows": 500, "min_interval": "6h"}}, "then": "replace"}'


def seconds_of(value: Any) -> Any:
    """Return seconds, of a number or a text like ``10m``.

    Raises:
        ValueError: If a text is no duration.
    """
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", value)
    if found is None:
        raise ValueError(f"{value!r} is no duration: write seconds, or a text as '90s', '10m', "
                         "'6h', '1d' or '1w'")  # fmt: skip
    return float(found[1]) * UNITS[found[2]]


Seconds = Annotated[float, BeforeValidator(seconds_of), Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewData(_Part):
    """New data of a source.

    Attributes:
        min_interval: Smallest number of seconds between two trains.
        min_new_rows: Smallest number of rows that must be new.
        min_share: The same as a share of the rows that the current train was trained on.
        debounce: Seconds without a further change to wait for, while data still arrives; the wait
            ends after ten times as long.
    """

    min_interval: Seconds = 0
    min_new_rows: Annotated[int, Field(ge=0)] = 0
    min_share: Annotated[float, Field(ge=0)] = 0
    debounce: Seconds = 0


class When(_Part):
    """Reasons to act; any of them suffices.

    Attributes:
        new_data: The sources have other data than the current train was trained on.
        cron: A time of this schedule has passed since the last train.
        timezone: Of `cron`.
        pre_reqs: A prerequisite has another current train than the one that was used.
        drift: A check of the batch has found that features or estimations have drifted.
    """

    new_data: Annotated[NewData | None, BeforeValidator(lambda one: _switch(one))] = None
    cron: Annotated[str, AfterValidator(valid_cron)] | None = None
    timezone: Annotated[str, AfterValidator(valid_zone)] = "UTC"
    pre_reqs: bool = False
    drift: bool = False


class How(_Part):
    """How a train gets its hyperparameters.

    Attributes:
        search_every: Search in each n-th train; 0: never, the last ones are used.
    """

    search_every: Annotated[int, Field(ge=0)] = 0


class Limits(_Part):
    """The limits that stop the policy.

    Attributes:
        per_day: Largest number of runs in 24 hours.
        failures: Number of failed runs in a row after which it stops.
        retry_after: Seconds before a failed run is tried again; doubled with each further one.
    """

    per_day: Annotated[int, Field(ge=1)] = 10
    failures: Annotated[int, Field(ge=1)] = 3
    retry_after: Seconds = 600


class Policy(_Part):
    """When a DataProvider is trained again, how, and what follows.

    Attributes:
        when: Reasons.
        how: Origin of the hyperparameters.
        then: ``replace``: the train becomes current if it passes its checks and gates;
            ``register``: it is accepted, and the train before it stays current; ``deploy``: as
            ``replace``, and it is deployed to the first target.
        limits: What stops it.
    """

    when: When
    how: How = How()
    then: Then = "replace"
    limits: Limits = Limits()

    def __str__(self) -> str:
        return "; ".join(f"{name}: {text}" for name, text in self.described().items())

    def described(self) -> dict[str, str]:
        """Return the policy in words, by part."""
        searched = self.how.search_every
        limits = self.limits
        return {
            "when": ", or ".join(_reasons(self.when)),
            "how": (
                f"search for hyperparameters in each {_nth(searched)}train, else the last ones"
                if searched
                else "with the last hyperparameters"
            ),
            "then": {
                "replace": "it becomes current if it passes its checks and gates",
                "register": "it is kept beside the current train",
                "deploy": "it becomes current if it passes its checks and gates, and is deployed "
                "to the first target",
            }[self.then],
            "limits": f"at most {limits.per_day} runs in 24 hours; it stops after "
            f"{limits.failures} failed runs in a row, which are {duration(limits.retry_after)} "
            "apart at least",
        }


def parse_policy(
    dp_id: str,
    declared: Any,
    attribute: str = "retrain",
    *,
    pre_reqs: bool = True,
    batch: bool = True,
) -> Policy | None:
    """Parse a policy.

    Args:
        dp_id: Id of the DataProvider, for errors.
        declared: ``{"when": …, "how": …, "then": …, "limits": …}``, or a shortcut for ``when``:
            ``"on_new_data"``, ``"with_pre_reqs"``, ``"on_drift"``, a cron string, or a list of
            these; None: no policy.
        attribute: Name of the declaration, for errors.
        pre_reqs: Whether the DataProvider has prerequisites.
        batch: Whether it has a batch.

    Raises:
        DeclarationError: If anything of it cannot be used; the text has all problems.
    """
    if declared is None:
        return None
    where = f"{dp_id}.{attribute}"
    policy, problems = None, []
    try:
        policy = Policy.model_validate(_expanded(declared, problems, where))
    except ValidationError as error:
        problems += [_problem(where, one) for one in error.errors(include_url=False)]
    if policy is not None:
        problems += _contradictions(where, policy.when, pre_reqs=pre_reqs, batch=batch)
    if problems:
        raise DeclarationError("\n".join(problems), dataprovider_id=dp_id)
    return policy


def parse_batch_policy(dp_id: str, declared: Any, batch: bool) -> Policy | None:
    """Parse `DataProvider.batch_predict_when`, whose `pre_reqs` is the Model of the batch.

    Args:
        dp_id: Id of the DataProvider, for errors.
        declared: As of `parse_policy`, without ``how`` and ``then``.
        batch: Whether the DataProvider has a batch.

    Raises:
        DeclarationError: If anything of it cannot be used; the text has all problems.
    """
    where = f"{dp_id}.batch_predict_when"
    if declared is None:
        return None
    problems = [] if batch else [f"{where}: there is no batch; declare {BATCH}, or remove it."]
    if isinstance(declared, Mapping):
        problems += [
            f"{where}[{name!r}] is for retrain; remove it." for name in ("how", "then")
            if name in declared
        ]  # fmt: skip
    if problems:
        raise DeclarationError("\n".join(problems), dataprovider_id=dp_id)
    policy = parse_policy(dp_id, declared, "batch_predict_when", batch=False)
    when = policy.when.model_copy(update={"pre_reqs": True}) if policy else When()
    return policy.model_copy(update={"when": when}) if policy else None


def _expanded(declared: Any, problems: list[str], where: str) -> dict[str, Any]:
    """Return the declaration with its shortcuts replaced."""
    given = dict(declared) if isinstance(declared, Mapping) else {"when": declared}
    if "when" not in given:
        problems.append(f"{where} has no 'when'; for example {EXAMPLE}.")
        given["when"] = "on_new_data"
    when = given["when"]
    if not isinstance(when, Mapping):
        merged: dict[str, Any] = {}
        for one in when if isinstance(when, list | tuple | set) else [when]:
            merged |= _of_shortcut(one, problems, where)
        given["when"] = when = merged
    if not any(when.get(name) not in (None, False) for name in REASONS):
        known = ", ".join(REASONS)
        problems.append(f"{where}['when'] has no reason to train; known: {known}.")
    how = given.get("how")
    if how == "last":
        del given["how"]
    elif "how" in given and not isinstance(how, Mapping):
        problems.append(f"{where}['how'] is {how!r}; write 'last', or {{'search_every': 10}}.")
        del given["how"]
    return given


REASONS = ("new_data", "cron", "pre_reqs", "drift")


def _of_shortcut(one: Any, problems: list[str], where: str) -> Mapping[str, Any]:
    if isinstance(one, str) and one in SHORTCUTS:
        return SHORTCUTS[one]
    if isinstance(one, str) and (" " in one.strip() or one.startswith("@")):
        return {"cron": one}
    known = [*SHORTCUTS, "a cron string as '0 3 * * *'"]
    problems.append(
        f"{where} is {one!r}; write {', '.join(known)}, or a dict, for example {EXAMPLE}."
        f"{did_you_mean(str(one), SHORTCUTS)}"
    )
    return SHORTCUTS["on_new_data"]


def _contradictions(where: str, when: When, *, pre_reqs: bool, batch: bool) -> Iterator[str]:
    if when.pre_reqs and not pre_reqs:
        yield f"{where} waits for prerequisites, and there are none; declare pre_req, or remove it."
    if when.drift and not batch:
        yield (
            f"{where} waits for drift in the batch, and there is none; declare {BATCH}, or remove "
            "it."
        )


def _problem(where: str, error: Any) -> str:
    loc = list(error["loc"])
    place = where + "".join(f"[{one!r}]" for one in loc)
    if error["type"] == "extra_forbidden":
        parts = {(): Policy, ("when",): When, ("how",): How, ("limits",): Limits}
        known = list(parts.get(tuple(loc[:-1]), NewData).model_fields)
        hint = did_you_mean(str(loc[-1]), known)
        return f"{place} is not known; known: {', '.join(known)}.{hint}"
    text = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{place} is {error['input']!r}: {text}."


def _switch(value: Any) -> Any:
    return {} if value is True else None if value is False else value


def _reasons(when: When) -> Iterator[str]:
    if when.new_data is not None:
        yield "its sources have new data" + _conditions(when.new_data)
    if when.cron is not None:
        zone = "" if when.timezone == "UTC" else f" {when.timezone}"
        yield f"at the times of {when.cron}{zone or ' UTC'}"
    if when.pre_reqs:
        yield "a prerequisite was trained"
    if when.drift:
        yield "its batch has drifted"


def _conditions(data: NewData) -> str:
    told = [
        (data.min_new_rows, f"at least {data.min_new_rows:,} new rows"),
        (data.min_share, f"at least {data.min_share:.3g} of the rows of the current train"),
        (data.min_interval, f"{duration(data.min_interval)} after the last train"),
        (data.debounce, f"unchanged for {duration(data.debounce)}"),
    ]
    texts = [text for given, text in told if given]
    return f" ({', '.join(texts)})" if texts else ""


def _nth(number: int) -> str:
    return "" if number == 1 else f"{number}th "


def duration(seconds: float) -> str:
    """Return a duration in its largest unit, for people: ``90 s``, ``10 min``, ``6 h``, ``2 d``."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds / 86400:.3g} d"
