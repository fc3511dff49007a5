"""Hyperparameters of a train: declared, taken from an earlier train, or searched."""
