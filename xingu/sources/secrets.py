"""Remove passwords, tokens and signatures from cache keys, logs and errors.

`masked` formats a URL for people; `without_secrets` identifies its location, so that a renewed
password does not change a cache key; `scrub` cleans messages of other libraries.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

HIDDEN = "***"

_SECRET = re.compile(
    r"(?:^|[-_])(?:token|pwd|signature|sig|credentials?|auth|api[-_]?key)$"
    r"|passw|secret|access[-_]?key|^x-amz-",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"//[^/?#\s]*@")
_PARAMETER = re.compile(r"([?&])([^=&#\s]+)=([^&#\s]*)")


def is_secret(name: str) -> bool:
    """Return whether the name of a parameter means that its value is a secret."""
    return bool(_SECRET.search(name))


def masked(text: str) -> str:
    """Return `text` with the secrets of every URL in it replaced by ``***``."""

    def hide(match: re.Match[str]) -> str:
        mark, name, value = match.groups()
        # "key" may be a secret or select data: it is hidden here, but part of cache keys.
        shown = HIDDEN if is_secret(name) or name.lower() in ("key", "code") else value
        return f"{mark}{name}={shown}"

    return _PARAMETER.sub(hide, _USER_INFO.sub(f"//{HIDDEN}@", text))


def without_secrets(url: str) -> str:
    """Return `url` without user, password and secret parameters."""
    address, mark, query = _USER_INFO.sub("//", url).partition("?")
    kept = [one for one in query.split("&") if not is_secret(one.partition("=")[0])]
    return address + mark + "&".join(kept)


def secrets_of(url: str) -> set[str]:
    """Return the secrets in `url`: as written, decoded, and as drivers may encode them."""
    written = {value for _, name, value in _PARAMETER.findall(url) if is_secret(name)}
    for user_info in _USER_INFO.findall(url):
        written.add(user_info[2:-1].partition(":")[2])
    decoded = {decode(text) for text in written for decode in (unquote, unquote_plus)}
    quoted = {quote(text, safe=safe) for text in decoded for safe in ("", "/", " +")}
    return {secret for secret in written | decoded | quoted if secret}


def secret_values(options: Mapping[str, Any]) -> set[str]:
    """Return the strings in `options`, at any depth, whose names mean that they are secrets."""
    found: set[str] = set()
    for name, value in options.items():
        if isinstance(value, Mapping):
            found |= secret_values(value)
        elif isinstance(value, str) and value and (is_secret(str(name)) or name == "key"):
            found.add(value)
    return found


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with `secrets` and the secrets of URLs replaced by ``***``."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return masked(text)
