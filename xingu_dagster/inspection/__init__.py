"""Inspect DataProviders with their asset graph: errors, and descriptions."""
