"""Where hyperparameters come from: declared, found before, or searched now."""

from xingu.extras import needs

needs("tuning", "skopt", "sklearn", "threadpoolctl")
