"""Alerts: what happened, its first cause, and the channels that tell people.

A channel never fails what it reports about: `Alerts.send` returns what was not delivered. Texts
contain no secrets and no values of data; `xingu.alerts.cause` has the rule.
"""

from xingu.alerts.alert import KINDS, Alert
from xingu.alerts.sender import Alerts

__all__ = ["KINDS", "Alert", "Alerts"]
