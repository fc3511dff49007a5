"""What a Model remembers of its training data, to compare later batches with."""

import logging

import pandas as pd

from xingu.checks.reference import (
    FeatureReference,
    Reference,
    column_reference,
    feature_reference,
)
from xingu.errors import XinguError
from xingu.model import Model

logger = logging.getLogger(__name__)

JUDGES = ("test", "val", "train")
"""Sets whose estimations are like those of unseen rows; the first that there is."""


def training_reference(model: Model) -> Reference:
    """Describe the set `train` of a fitted Model, and what it estimates for unseen rows."""
    signature, dp = model.signature(), model.dp
    names = [*signature.estimator_features, *dp.get_features_list()]
    return Reference(feature_reference(model.sets["train"], names), _estimations(model))


def judged(model: Model) -> tuple[str, pd.DataFrame]:
    """Return the set that judges best, and its estimations, which are computed once."""
    if model.judged is None:
        name = next(name for name in JUDGES if name in model.sets)
        model.judged = name, model.estimate(model.sets[name])
    return model.judged


def _estimations(model: Model) -> FeatureReference | None:
    try:
        return column_reference(model.estimation_of(judged(model)[1]))
    except (XinguError, KeyError) as error:  # its evaluation will say this in full
        logger.warning("%s: drift of estimations will not be known: %s", model.id, error)
        return None
