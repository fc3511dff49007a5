"""Where hyperparameters come from: declared, found before, or searched now."""
