"""Grouping of repeated alerts: the first is sent, then one summary for each interval.

The state is a dict of JSON values, which the caller keeps: `xingu_dagster.alerts` in the cursor of
its sensor, so it survives a restart.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from xingu.alerts.alert import Alert

MOST_GROUPS = 500
"""Groups that are remembered; the oldest are dropped."""

Document = dict[str, Any]


class Groups:
    """Alerts that were sent in the current interval, and how many were held back.

    Args:
        state: What `state` returned before.
        seconds: The interval; 0: every alert is sent.
    """

    def __init__(self, state: Mapping[str, Any] | None = None, seconds: float = 3600) -> None:
        self._groups: dict[str, Any] = dict(state or {})
        self._seconds = seconds

    def take(self, alerts: Iterable[Alert], now: float | None = None) -> Iterator[Document]:
        """Yield the documents that have to be sent now, summaries of earlier intervals first.

        Args:
            alerts: New alerts.
            now: Seconds since the epoch; None: the time of the clock.
        """
        now = time.time() if now is None else now
        yield from self._summaries(now)
        for alert in alerts:
            held = self._groups.get(alert.group)
            if held is None or not self._seconds:
                self._groups[alert.group] = {"since": now, "count": 0, "last": None}
                yield alert.document()
            else:
                held["count"] += 1
                held["last"] = alert.document()

    def state(self) -> dict[str, Any]:
        """Return the state, as values of JSON."""
        return dict(list(self._groups.items())[-MOST_GROUPS:])

    def _summaries(self, now: float) -> Iterator[Document]:
        """Yield a document for each group whose interval has ended and that held alerts back."""
        for name, held in [*self._groups.items()]:
            # A clock that was set back must not silence a group for longer than the interval.
            if 0 <= now - held["since"] < self._seconds:
                continue
            del self._groups[name]
            if held["count"]:
                yield _summary(held["last"], held["count"])
                self._groups[name] = {"since": now, "count": 0, "last": None}


def _summary(last: Document, count: int) -> Document:
    """Return the last document of a group, as the summary of `count` that were held back."""
    title = last["title"]
    text = str(last["text"]).replace(title, f"{title} ({count} more since the last message)", 1)
    return {**last, "count": count, "text": text}
