"""Types of the values of settings: how a text becomes a list, pairs or an object.

No value is in a text of an error, because a URL may hold a password.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import NoDecode

ExecutorName = Literal["pool", "in_process", "celery", "dask", "k8s"]


def _split(mark: str) -> Any:
    def split(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(mark) if part.strip())

    return BeforeValidator(split)


def _pair(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split("|")] if value.strip() else []
    if len(parts) % 2:
        raise ValueError(
            f"it has {len(parts)} parts; write pairs, as in nick|url|nick|url (no part is "
            "shown here, because a URL may hold a password)"
        )
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _parse_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "{}")
    except ValueError:
        raise ValueError('it is not JSON; write an object, as in {"name": 1}') from None


Names = Annotated[tuple[str, ...], NoDecode, _split(",")]
Addresses = Annotated[tuple[str, ...], NoDecode, _split("|")]
DatabaseUrls = Annotated[Mapping[str, SecretStr], NoDecode, BeforeValidator(_pair)]
JsonObject = Annotated[Mapping[str, Any], NoDecode, BeforeValidator(_parse_json)]
PlotFormats = Annotated[tuple[Literal["html", "png", "svg"], ...], NoDecode, _split(",")]
