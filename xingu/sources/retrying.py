"""Repeat input and output that failed for a reason that passes, such as a dropped connection.

Object storage is not repeated here: botocore does it (`xingu.files.remote`).
"""

import logging
import re
from collections.abc import Callable
from threading import Event
from typing import Any, TypeVar

from xingu.errors import XinguError, text_of
from xingu.masking import masked

logger = logging.getLogger(__name__)

ATTEMPTS = 5
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Longest wait before the second attempt and before any, in seconds; it doubles, at random."""

_STATES = re.compile(r"08...|57P0[123]|53300|40001|40P01")
"""SQLSTATE of dropped connections, servers that stop or start, too many connections, deadlocks."""
_TEXTS = re.compile(
    r"server closed the connection|connection (was )?(reset|refused|timed out)|broken pipe"
    r"|terminating connection|the database system is (starting up|shutting down)"
    r"|(lost|closed) connection|connection (has been |was )?(lost|closed)|gone away"
    r"|could not receive data|timeout expired|too many (connections|clients)"
    r"|socket .* failed: no such file|database (table )?is locked|throttl|rate exceeded",
    re.IGNORECASE,
)
_STATUSES = frozenset({429, 500, 502, 503, 504})
_DROPPED = frozenset(
    {"ServerDisconnectedError", "ClientPayloadError", "ClientOSError", "ClientConnectorError"}
)
"""Errors of aiohttp, by name, so that it is not imported."""

Result = TypeVar("Result")


def is_transient(error: BaseException) -> bool:
    """Return whether an error of a driver or of HTTP may be gone in the next attempt."""
    original: Any = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    if state:
        return _STATES.fullmatch(str(state)) is not None
    status = getattr(original, "status", None)
    if isinstance(status, int):
        return status in _STATUSES
    if isinstance(original, ConnectionError | TimeoutError):
        return True
    return type(original).__name__ in _DROPPED or bool(_TEXTS.search(str(original)))


def transient_facts(error: BaseException) -> dict[str, Any]:
    """Return the facts with which `retried` repeats an error; none for any other error."""
    if not is_transient(error):
        return {}
    headers = getattr(error, "headers", None) or {}
    wait = str(headers.get("Retry-After", ""))
    return {"transient": True, **({"retry_after": int(wait)} if wait.isdecimal() else {})}


def retried(
    call: Callable[[], Result],
    what: str,
    *,
    stopped: Event | None = None,
    transient: Callable[[BaseException], bool] | None = None,
) -> Result:
    """Return what `call` returns, and repeat it while it fails for a transient reason.

    Args:
        call: Must be safe to repeat.
        what: Description of it, for the log.
        stopped: Ends the attempts when it is set.
        transient: Decides what is repeated; default: errors that have `transient_facts`.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_when_event_set
    from tenacity.nap import sleep_using_event

    stop = stopped or Event()
    retrying = Retrying(
        retry=retry_if_exception(transient or _has_facts),
        wait=_wait,
        stop=stop_after_attempt(ATTEMPTS) | stop_when_event_set(stop),
        before_sleep=lambda state: _log(what, state),
        sleep=sleep_using_event(stop),
        reraise=True,
    )
    return retrying(call)


def _has_facts(error: BaseException) -> bool:
    return isinstance(error, XinguError) and bool(error.facts.get("transient"))


def _wait(state: Any) -> float:
    from tenacity import wait_random_exponential

    error = state.outcome.exception()
    asked: Any = error.facts.get("retry_after") if isinstance(error, XinguError) else None
    if asked is not None:
        return min(float(asked), LONGEST_WAIT)
    return wait_random_exponential(FIRST_WAIT, LONGEST_WAIT)(state)


def _log(what: str, state: Any) -> None:
    reason = masked(text_of(state.outcome.exception())).partition("\n")[0]
    logger.warning(
        "%s: attempt %d of %d failed, the next one begins in %.1f s: %s",
        *(what, state.attempt_number, ATTEMPTS, state.next_action.sleep, reason),
    )
