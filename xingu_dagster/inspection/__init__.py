"""Inspect DataProviders with their asset graph: what is wrong with them, and what they are."""
