"""Types of the values of settings: how a text becomes a list, pairs or an object, and the reverse.

No value is in a text of an error, because a URL may hold a password.
"""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, SecretStr

from xingu.options import split_names

ExecutorName = Literal["pool", "in_process", "celery", "dask", "k8s"]

BOOLEANS = {
    **dict.fromkeys(("true", "yes", "1", "on"), True),
    **dict.fromkeys(("false", "no", "0", "off"), False),
}


def parse_bool(value: Any) -> bool:
    """Return the truth value that a text stands for; upper and lower case are the same.

    Raises:
        ValueError: If it stands for none.
    """
    found = BOOLEANS.get(str(value).strip().lower())
    if found is None:
        raise ValueError("it must be true, false, yes, no, 1, 0, on or off")
    return found


def text_of(value: Any) -> str:
    """Return a value as an environment variable would have it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "|".join(text_of(part) for pair in value.items() for part in pair)
    if isinstance(value, tuple | list):
        nested = any(isinstance(one, tuple | list) for one in value)
        return (";" if nested else ",").join(map(text_of, value))
    return "" if value is None else str(value)


def _split_addresses(value: Any) -> Any:
    """Return the addresses in a text: separated by ``|``, or by commas if each has a suffix."""
    if not isinstance(value, str):
        return value
    found: list[str] = []
    for text in value.split("|"):
        parts = [part.strip() for part in text.split(",")]
        separate = all(PurePosixPath(part).suffix for part in parts)
        found += parts if separate else [text.strip()]
    return tuple(filter(None, found))


_HIDDEN = "no part is shown here, because it may hold a password"


def _pairs(second: str, mark: str = "") -> Any:
    """Return a validator of pairs ``nick|…|nick|…``.

    Args:
        second: Name of the second part of a pair, as in errors.
        mark: A text that the second part contains, and the nickname does not; empty: none.
    """
    form = f"write pairs, as in nick|{second}|nick|{second} ({_HIDDEN})"

    def pair(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split("|")] if value.strip() else []
        if len(parts) % 2:
            raise ValueError(f"it has {len(parts)} parts; {form}")
        nicknames, others = parts[::2], parts[1::2]
        for number, (nickname, other) in enumerate(zip(nicknames, others, strict=True), 1):
            if mark and (mark in nickname or mark not in other):
                raise ValueError(f"pair {number} is not a nickname and a {second}; {form}")
        if doubled := {one for one in nicknames if nicknames.count(one) > 1}:
            raise ValueError(f"nicknames that occur twice: {', '.join(sorted(doubled))}")
        return dict(zip(nicknames, others, strict=True))

    return BeforeValidator(pair)


def _parse_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "{}")
    except ValueError:
        raise ValueError('it is not JSON; write an object, as in {"name": 1}') from None


Flag = Annotated[bool, BeforeValidator(parse_bool)]
Addresses = Annotated[tuple[str, ...], BeforeValidator(_split_addresses)]
DatabaseUrls = Annotated[Mapping[str, SecretStr], _pairs("url", "://")]
Pairs = Annotated[Mapping[str, str], _pairs("pool")]
JsonObject = Annotated[Mapping[str, Any], BeforeValidator(_parse_json)]
PlotFormats = Annotated[tuple[Literal["html", "png", "svg"], ...], BeforeValidator(split_names)]
