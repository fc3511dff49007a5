"""What must be true of data and of a train: pure functions, one per check; no Dagster, no paths."""
