"""StepSettings: pool, retries, timeout and tags of the steps of a DataProvider.

A DataProvider declares them by phase in `DataProvider.dagster`; ``*`` stands for all phases. A
phase adds its tags to those of ``*``; its other settings replace them.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

import dagster as dg
from pydantic import Field, ValidationError

from xingu.errors import DeclarationError, did_you_mean
from xingu_dagster.options import USED_BY

PHASES = tuple(USED_BY)
ALL = "*"
"""Stands for all phases."""


class StepRetry(dg.Resolvable, dg.Model):
    """When a step that failed runs again."""

    max_retries: int = Field(1, ge=1, description="Largest number of retries.")
    delay: float | None = Field(None, ge=0, description="Seconds before a retry.")
    backoff: Literal["linear", "exponential"] | None = Field(
        None, description="How the delay grows; by default it does not."
    )
    jitter: Literal["full", "plus_minus"] | None = Field(
        None, description="Random part of the delay; none by default."
    )

    @property
    def policy(self) -> dg.RetryPolicy:
        """The policy as Dagster takes it."""
        return dg.RetryPolicy(
            max_retries=self.max_retries,
            delay=self.delay,
            backoff=dg.Backoff[self.backoff.upper()] if self.backoff else None,
            jitter=dg.Jitter[self.jitter.upper()] if self.jitter else None,
        )


class StepSettings(dg.Resolvable, dg.Model):
    """Settings of the step of a phase."""

    pool: str | None = Field(
        None, pattern=r"^\S+$", description="Concurrency pool that the step holds while it runs."
    )
    retry: StepRetry | None = Field(None, description="Retries; none by default.")
    timeout: float | None = Field(
        None, gt=0, description="Seconds after which the step fails; no limit by default."
    )
    op_tags: Mapping[str, Any] = Field(
        {}, description="Tags of the step, as dagster-k8s/config: texts, or JSON."
    )

    def holding(self, dp_id: str, phase: str, pools: Mapping[str, str]) -> Self:
        """Return these settings with the pool of the databases that the phase uses.

        Args:
            dp_id: Id of the DataProvider, for errors.
            phase: The phase, for errors.
            pools: Pools by nickname of the database.

        Raises:
            DeclarationError: If they have several pools.
        """
        if len({*pools.values()}) > 1:
            raise DeclarationError(
                f"{dp_id}.dagster: the phase {phase} uses the databases "
                f"{' and '.join(f'{name} (pool {pool})' for name, pool in pools.items())}, and a "
                f"step can hold one pool; name it, as in {{{phase!r}: {{'pool': …}}}}.",
                dataprovider_id=dp_id,
            )
        return self.model_copy(update={"pool": next(iter(pools.values()), None)})


def parse_step_settings(dp_id: str, declared: Any) -> Mapping[str, StepSettings]:
    """Parse `DataProvider.dagster`.

    Args:
        dp_id: Id of the DataProvider, for errors.
        declared: ``{phase: {pool, retry, timeout, op_tags}}``.

    Returns:
        The settings of every phase.

    Raises:
        DeclarationError: If a phase or a key is not known, or a value cannot be used.
    """
    where = f"{dp_id}.dagster"
    if not isinstance(declared, Mapping):
        raise DeclarationError(
            f"{where} is a {type(declared).__name__}; give a dict by phase, as "
            "{'fit': {'pool': 'gpu'}}."
        )
    errors = [
        f"{where}: there is no phase {name!r}; known: {', '.join(PHASES)}, and * for all."
        f"{did_you_mean(str(name), PHASES)}"
        for name in declared
        if name not in (*PHASES, ALL)
    ]
    for name, entry in declared.items():
        errors += _errors_of(f"{where}[{name!r}]", entry)
    if errors:
        raise DeclarationError("\n".join(errors), dataprovider_id=dp_id)
    common = declared.get(ALL, {})
    return {name: _merged(common, declared.get(name, {})) for name in PHASES}


def _merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> StepSettings:
    tags = {**common.get("op_tags", {}), **own.get("op_tags", {})}
    return StepSettings.model_validate({**common, **own, "op_tags": tags})


def _errors_of(where: str, entry: Any) -> list[str]:
    """Return what is wrong with the settings of one phase."""
    try:
        settings = StepSettings.model_validate(entry)
    except ValidationError as error:
        return [_text_of(where, one) for one in error.errors()]
    try:
        json.dumps(dict(settings.op_tags))
        if settings.retry:
            settings.retry.policy  # noqa: B018
    except TypeError as error:
        return [f"{where}['op_tags'] can hold texts and JSON only: {error}."]
    except dg.DagsterInvalidDefinitionError as error:
        return [f"{where}['retry']: {error}"]
    return []


def _text_of(where: str, error: Any) -> str:
    *parents, name = error["loc"] or ("",)
    place = where + "".join(f"[{one!r}]" for one in error["loc"])
    if error["type"] == "extra_forbidden":
        known = list((StepRetry if parents == ["retry"] else StepSettings).model_fields)
        return f"{place} is not known; known: {', '.join(known)}.{did_you_mean(str(name), known)}"
    if error["type"] == "model_type":
        return f"{place} is {error['input']!r}; give a dict."
    return f"{place} is {error['input']!r}: {error['msg']}."
