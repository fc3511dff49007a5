"""Sinks: where the estimations of a batch are written beside the value store."""
