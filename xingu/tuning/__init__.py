"""Hyperparameters of a train: declared, taken from an earlier train, or searched."""

from xingu.extras import needs

needs("tuning", "skopt", "sklearn", "threadpoolctl")
