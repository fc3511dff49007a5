"""Decide when a DataProvider is trained again: its policy, and pure decisions about it."""

from xingu.extras import needs

needs("automation", "croniter")
