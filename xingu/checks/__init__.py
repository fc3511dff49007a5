"""Checks of data and of trains: one record and one pure function each; no Dagster, no paths."""
