"""Mask secrets in texts: what may be shown of an address, and the secrets that this process knows.

Of an address, people see scheme, host, port, path and the names of parameters. User, password,
fragment and values are hidden, unless the parameter is in `HARMLESS`; an address that cannot be
parsed without doubt shows its scheme alone. Texts of errors and log lines are masked as a whole:
addresses in them, values beside names such as `password`, and secrets that were given to
`remember_secrets`. Whoever takes a secret from settings or a declaration hands it to that function.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

HIDDEN = "***"

HARMLESS = frozenset(
    {
        *("application_name", "catalog", "charset", "connect_timeout", "dbname", "driver"),
        *("encoding", "format", "host", "http_path", "port", "read_only", "region", "region_name"),
        *("role", "s3_staging_dir", "schema", "sslmode", "timeout", "version", "warehouse"),
        "work_group",
    }
)
"""Parameters of addresses whose values are shown."""

_SECRET_NAME = re.compile(
    r"(?:^|[-_])(?:token|pwd|pw|pass|signature|sig|credentials?|auth|jwt|bearer|api[-_]?key"
    r"|subscription[-_]?key|session[-_]?id)$"
    r"|passw|secret|access[-_]?key|private[-_]?key|authorization|^x-amz-",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]*")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]*\]|[^\s:@\[\]]*)(?::\d*)?")
_CHAIN = re.compile(r"::(?=[A-Za-z][A-Za-z0-9+.-]*(?:://|::))")
_PLAIN_VALUE = re.compile(r"[\w.,/:-]*")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://\S+")
_CLOSING = "()[]{}<>'\"`.,;:!"
_NAMED = re.compile(
    r"""(?<![\w-])(?P<name>[\w-]{1,80})(?P<mark>['"]?\s*[=:]\s*)(?P<value>'[^']*'|"[^"]*"|(?<==)[^\s'"&;,)]+)"""
)
_HEADER = re.compile(r"(?i)\b(authorization\s*:\s*\w+\s+|bearer\s+)[\w.~+/=-]{8,}")
_AWS_KEY = re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")
_LONG = 8
"""Length from which a secret is found inside words too, and an unnamed value counts as secret."""
_TOKEN = 20
"""Length from which a user without a password counts as a secret."""

_TEXTS = ("errno", "strerror", "filename", "filename2", "msg", "text", "name", "path", "reason")
"""Attributes of built-in exceptions that are parts of their texts, besides `args`."""

_secrets: set[str] = set()
_pattern: re.Pattern[str] | None = None


def is_secret(name: str) -> bool:
    """Return whether the name of a parameter means that its value is a secret."""
    return bool(_SECRET_NAME.search(name))


def shown_address(url: str) -> str:
    """Return what may be shown of an address; a text without ``://`` is returned unchanged.

    Parts of a chained address (``zip://a.csv::https://…``) are treated one by one.
    """
    return "::".join(map(_shown_part, _CHAIN.split(url)))


def without_secrets(url: str) -> str:
    """Return `url` without user, password and secret parameters, to tell data apart; not to show.

    A renewed password or signature does not change it.
    """
    address, mark, query = re.sub(r"//[^/?#\s]*@", "//", url).partition("?")
    kept = [one for one in query.split("&") if not is_secret(one.partition("=")[0])]
    return address + mark + "&".join(kept)


def masked(text: str) -> str:
    """Return `text` with known secrets, and whatever addresses in it must not show, replaced."""
    if _pattern is not None:
        text = _pattern.sub(HIDDEN, text)
    text = _ADDRESS.sub(_mask_address, text)
    text = _NAMED.sub(_mask_named, text)
    return _AWS_KEY.sub(HIDDEN, _HEADER.sub(rf"\1{HIDDEN}", text))


def remember_secrets(secrets: Iterable[str]) -> None:
    """Hide `secrets` in every masked text of this process, and mask log lines of Xingu.

    A secret of fewer than eight characters, or of letters alone, is hidden where it is a whole
    word.
    """
    global _pattern
    new = {secret for secret in secrets if secret.strip() and secret != HIDDEN} - _secrets
    if new:
        _secrets.update(new)
        longest_first = sorted(_secrets, key=len, reverse=True)
        _pattern = re.compile("|".join(map(_secret_pattern, longest_first)))
    _mask_log_records()


def secrets_of(url: str) -> set[str]:
    """Return the secrets in an address: as written, decoded, and as drivers may encode them."""
    found: set[str] = set()
    for part in _CHAIN.split(url):
        _, mark, rest = part.partition("://")
        if mark:
            found |= _written_secrets(rest)
    decoded = {decode(text) for text in found for decode in (unquote, unquote_plus)}
    quoted = {quote(text, safe=safe) for text in decoded for safe in ("", "/", " +")}
    return {secret for secret in found | decoded | quoted if secret}


def secret_values(options: Mapping[str, Any], *, all_long: bool = False) -> set[str]:
    """Return the secret strings in `options`, at any depth.

    Args:
        options: Values by name.
        all_long: Count every long string as a secret, whatever its name.
    """
    found: set[str] = set()
    for name, value in options.items():
        if isinstance(value, Mapping):
            found |= secret_values(value, all_long=all_long)
        elif not isinstance(value, str) or name in HARMLESS:
            continue
        elif "://" in value:
            found |= secrets_of(value)
        elif is_secret(str(name)) or name == "key" or (all_long and len(value) >= _LONG):
            found |= {value, re.sub(r"(?i)^(?:basic|bearer|token)\s+", "", value)}
    return found


def mask_error(error: BaseException) -> None:
    """Mask the texts of an exception, and of all exceptions that led to it, in place."""
    known: set[int] = set()
    more: list[BaseException | None] = [error]
    while more:
        one = more.pop()
        if one is None or id(one) in known:
            continue
        known.add(id(one))
        more += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
        for name in ("args", *vars(one), *_TEXTS):
            with suppress(Exception):  # a class of others may refuse
                value = getattr(one, name)
                if (hidden := _masked_value(value)) is not value:
                    setattr(one, name, hidden)


@contextmanager
def masked_errors() -> Iterator[None]:
    """Mask the texts of an exception that the block raises."""
    try:
        yield
    except Exception as error:
        mask_error(error)
        raise


def _shown_part(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    authority, tail = _split_authority(rest)
    _, at, host = authority.rpartition("@")
    # A password may hold a slash: in u:a/b@host, nobody can say where the path begins.
    doubtful = "@" in tail and ":" in authority
    if not _SCHEME.fullmatch(scheme):
        return f"{HIDDEN}://{HIDDEN}"
    if doubtful or not all(map(_HOST.fullmatch, host.split(","))):
        return f"{scheme}://{HIDDEN}"
    path = re.split(r"[?#;]", tail)[0]
    query = re.split(r"[?;]", tail.partition("#")[0], maxsplit=1)[1:]
    shown = "?" + "&".join(map(_shown_parameter, re.split("[&;?]", query[0]))) if query else ""
    fragment = f"#{HIDDEN}" if "#" in tail else ""
    return f"{scheme}://{HIDDEN + at if at else ''}{host}{path}{shown}{fragment}"


def _split_authority(rest: str) -> tuple[str, str]:
    end = re.search("[/?#;]|$", rest).start()  # type: ignore[union-attr]
    return rest[:end], rest[end:]


def _shown_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:
        return HIDDEN if parameter else ""
    harmless = name.lower() in HARMLESS and _PLAIN_VALUE.fullmatch(value)
    return f"{name}={value if harmless else HIDDEN}"


def _written_secrets(rest: str) -> set[str]:
    """Return the secrets of what follows ``://``, as written."""
    found: set[str] = set()
    authority, tail = _split_authority(rest)
    user_infos = {part.rpartition("@")[0] for part in (authority, rest) if "@" in part}
    for user_info in user_infos:
        user, colon, password = user_info.partition(":")
        if not colon and len(user) >= _TOKEN:
            password = user
        found.add(password)
        # Parsers that cut the password elsewhere report a piece of it.
        found |= {piece for piece in re.split("[@/:?#]", password) if len(piece) >= _LONG}
    for parameter in re.split("[?&;#]", tail)[1:]:
        name, equals, value = parameter.partition("=")
        if is_secret(name) or (name.lower() not in HARMLESS and len(value) >= _LONG):
            found.add(value if equals else "")
    return found


def _secret_pattern(secret: str) -> str:
    exact = re.escape(secret)
    is_word = len(secret) < _LONG or secret.isalpha()  # such as "postgres", in "postgresql" too
    return rf"(?<!\w){exact}(?!\w)" if is_word else exact


def _mask_address(match: re.Match[str]) -> str:
    text = match.group()
    url = text.rstrip(_CLOSING)
    return shown_address(url) + text[len(url) :]


def _mask_named(match: re.Match[str]) -> str:
    name, mark, value = match.group("name", "mark", "value")
    quote_mark = value[0] if value[0] in "'\"" else ""
    if not is_secret(name) or value == f"{quote_mark}{quote_mark}":
        return match.group()
    return f"{name}{mark}{quote_mark}{HIDDEN}{quote_mark}"


def _masked_value(value: Any) -> Any:
    """Return `value` itself, or a masked copy or text if its text holds a secret."""
    if isinstance(value, BaseException):
        return value
    text = value if isinstance(value, str) else repr(value)
    hidden = masked(text)
    if hidden == text:
        return value
    if type(value) in (list, tuple):
        return type(value)(map(_masked_value, value))
    if isinstance(value, dict):
        return {
            name: HIDDEN if is_secret(str(name)) else _masked_value(one)
            for name, one in value.items()
        }
    return hidden


def _mask_log_records() -> None:
    """Let log records of Xingu be made with masked texts."""
    make = logging.getLogRecordFactory()
    if getattr(make, "masks", False):
        return

    def make_masked(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        # `logging.makeLogRecord` copies a record, which has no name until then.
        if (record.name or "").partition(".")[0] in ("xingu", "xingu_dagster"):
            record.msg, record.args = masked(record.getMessage()), None
            if record.exc_info and record.exc_info[1]:
                mask_error(record.exc_info[1])
        return record

    make_masked.masks = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make_masked)
