"""Alerts: what happened, its first cause, and the channels that tell people.

A channel never fails what it reports about: `Alerts.send` logs what was not delivered, and
`Alerts.post` returns what has to be sent again. Texts contain no secrets and no values of data;
`xingu.alerts.cause` has the rule.
"""

from xingu.alerts.alert import KINDS, Alert
from xingu.alerts.sender import Alerts

__all__ = ["KINDS", "Alert", "Alerts"]
