"""Alerts: the channels of a project, and what is sent to them."""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from xingu.alerts.alert import KINDS, Alert, Kind
from xingu.alerts.channels import Channel
from xingu.alerts.grouping import Document
from xingu.errors import AlertError

logger = logging.getLogger(__name__)

PAUSES = (0.5, 2.0)
"""Seconds before a second and a third attempt."""


@dataclass(frozen=True)
class Alerts:
    """The channels of a project.

    Attributes:
        channels: The channels; empty: nothing is sent.
        kinds: Kinds of alerts that are sent.
        link_base: Address of the Dagster UI; empty: alerts have no link.
        seconds: Interval in which equal alerts are grouped; 0: they are not.
        on_command: Whether `xingu train` and `Coach` send alerts, too.
        pauses: Seconds before each further attempt of `send`.
    """

    channels: Sequence[Channel] = ()
    kinds: tuple[Kind, ...] = KINDS
    link_base: str = ""
    seconds: float = 3600
    on_command: bool = False
    pauses: tuple[float, ...] = field(default=PAUSES, repr=False)

    def run_link(self, run_id: str) -> str:
        """Return the address of a run in the UI; empty if the UI's address is not known."""
        return f"{self.link_base.rstrip('/')}/runs/{run_id}" if self.link_base and run_id else ""

    def wanted(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Return the alerts whose kinds are sent."""
        return [one for one in alerts if one.kind in self.kinds]

    def send(self, *alerts: Alert) -> None:
        """Send alerts at once, ungrouped; what is not delivered is logged, and nothing is raised.

        An attempt that may succeed later is repeated twice.
        """
        for alert in self.wanted(alerts):
            for channel in self.channels:
                self._send(channel, alert.document())

    def _send(self, channel: Channel, document: Document) -> None:
        for pause in (*self.pauses, None):
            try:
                channel.deliver(document)
                return
            except AlertError as error:
                if pause is None or not error.facts.get("retry"):
                    logger.warning("%s", error)
                    return
                time.sleep(pause)
            except Exception as error:  # noqa: BLE001 - a service's library may raise anything
                logger.warning("%s: an alert was not sent: %s", channel.name, type(error).__name__)
                return

    def post(self, queue: Iterable[tuple[str, Document]]) -> list[tuple[str, Document]]:
        """Send documents once, and return those that have to be sent again.

        A channel that fails is not tried again in this call, so that one which hangs costs the
        caller its time limit once.

        Args:
            queue: Names of channels, each with a document.
        """
        left: list[tuple[str, Document]] = []
        failing: set[str] = set()
        by_name = {channel.name: channel for channel in self.channels}
        for name, document in queue:
            if name in failing:
                left.append((name, document))
            elif channel := by_name.get(name):
                try:
                    channel.deliver(document)
                except Exception as error:  # noqa: BLE001 - a library of a service
                    known = isinstance(error, AlertError)
                    logger.warning("%s", error if known else f"{name}: {type(error).__name__}")
                    if not known or error.facts.get("retry"):
                        failing.add(name)
                        left.append((name, document))
        return left
