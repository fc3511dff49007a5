"""One Dagster step per phase: prepare, tune, fit, evaluate; batch."""
