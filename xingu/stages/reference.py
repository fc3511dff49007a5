"""The distributions of training data that a Model keeps, to compare later batches with."""

import logging
from dataclasses import dataclass

import pandas as pd

from xingu.errors import XinguError
from xingu.model import Model
from xingu.model.reference import (
    FeatureReference,
    Reference,
    column_reference,
    feature_reference,
)

logger = logging.getLogger(__name__)

JUDGES = ("test", "val", "train")
"""Sets to judge a Model by, the first that exists: estimations closest to those of unseen rows."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The set that a Model is judged by, and its estimations.

    Attributes:
        set: Name of the set.
        estimations: Its estimations; None if they could not be computed.
        reason: The error, if so.
    """

    set: str
    estimations: pd.DataFrame | None
    reason: str = ""


def judge(model: Model) -> Judged:
    """Estimate the set that a fitted Model is judged by."""
    name = next(name for name in JUDGES if name in model.sets)
    try:
        return Judged(name, model.estimate(model.sets[name]))
    except (XinguError, KeyError) as error:  # the phase `evaluate` reports it in full
        return Judged(name, None, str(error))


def training_reference(model: Model, judged: Judged) -> Reference:
    """Describe the set `train` of a fitted Model, and its estimations for unseen rows."""
    signature, dp = model.signature(), model.dp
    names = [*signature.estimator_features, *dp.get_features_list()]
    features = feature_reference(model.sets["train"], names)
    return Reference(features, _estimations(model, judged))


def _estimations(model: Model, judged: Judged) -> FeatureReference | None:
    reason = judged.reason
    if judged.estimations is not None:
        try:
            return column_reference(model.estimation_of(judged.estimations))
        except KeyError as error:
            reason = str(error)
    logger.warning("%s: drift of estimations will not be known: %s", model.id, reason)
    return None
