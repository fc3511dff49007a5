"""Keep passwords, tokens and signatures out of names, logs and errors.

A URL has two harmless forms: `masked` for people, and `without_secrets` to tell one place from
another (renewing a password must not renew a cache). `scrub` cleans foreign messages.
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
    """Return whether a parameter of this name holds a secret."""
    return bool(_SECRET.search(name))


def masked(text: str) -> str:
    """Return `text` with the secrets of every URL in it replaced, for people to read."""

    def hide(match: re.Match[str]) -> str:
        mark, name, value = match.groups()
        # A plain "key" may be a secret or a selection: hidden here, but it tells places apart.
        shown = HIDDEN if is_secret(name) or name.lower() in ("key", "code") else value
        return f"{mark}{name}={shown}"

    return _PARAMETER.sub(hide, _USER_INFO.sub(f"//{HIDDEN}@", text))


def without_secrets(url: str) -> str:
    """Return `url` without user, password and secret parameters: the name of a place."""
    address, mark, query = _USER_INFO.sub("//", url).partition("?")
    kept = [one for one in query.split("&") if not is_secret(one.partition("=")[0])]
    return address + mark + "&".join(kept)


def secrets_of(url: str) -> set[str]:
    """Return the secrets in `url`: as written, as meant, and as drivers may write them."""
    written = {value for _, name, value in _PARAMETER.findall(url) if is_secret(name)}
    for user_info in _USER_INFO.findall(url):
        written.add(user_info[2:-1].partition(":")[2])
    meant = {decode(text) for text in written for decode in (unquote, unquote_plus)}
    quoted = {quote(text, safe=safe) for text in meant for safe in ("", "/", " +")}
    return {secret for secret in written | meant | quoted if secret}


def secret_values(options: Mapping[str, Any]) -> set[str]:
    """Return the texts in `options`, at any depth, whose names say that they are secret."""
    found: set[str] = set()
    for name, value in options.items():
        if isinstance(value, Mapping):
            found |= secret_values(value)
        elif isinstance(value, str) and value and (is_secret(str(name)) or name == "key"):
            found.add(value)
    return found


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without any of `secrets`, and with the URLs in it masked."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return masked(text)
