"""Where hyperparameters come from."""
