"""Describe the training data of a Model, so that later batches can be compared with it."""

import logging
from dataclasses import dataclass

import pandas as pd

from xingu.errors import XinguError
from xingu.model import Model
from xingu.model.reference import (
    EVALUATION_SETS,
    FeatureReference,
    Reference,
    column_reference,
    feature_reference,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """The evaluation set of a Model, and its estimations.

    Attributes:
        set: Name of the set.
        estimations: Its estimations; None if they could not be computed.
        reason: The error, if so.
    """

    set: str
    estimations: pd.DataFrame | None
    reason: str = ""


def evaluation_set_of(model: Model) -> str:
    """Return the name of the set that judges a Model: ``test``, ``val`` or ``train``."""
    return next(name for name in EVALUATION_SETS if name in model.sets)


def estimate_evaluation_set(model: Model) -> EvaluationSet:
    """Estimate the evaluation set of a fitted Model."""
    name = evaluation_set_of(model)
    try:
        return EvaluationSet(name, model.estimate(model.sets[name]))
    except (XinguError, KeyError) as error:  # the phase `evaluate` reports it in full
        return EvaluationSet(name, None, str(error))


def training_reference(model: Model, evaluated: EvaluationSet) -> Reference:
    """Describe the set `train` of a fitted Model, and its estimations for unseen rows."""
    signature, dp = model.signature(), model.dp
    names = [*signature.estimator_features, *dp.get_features_list()]
    features = feature_reference(model.sets["train"], names)
    return Reference(features, _estimations(model, evaluated))


def _estimations(model: Model, evaluated: EvaluationSet) -> FeatureReference | None:
    reason = evaluated.reason
    if evaluated.estimations is not None:
        try:
            return column_reference(model.estimation_of(evaluated.estimations))
        except (XinguError, KeyError) as error:
            reason = str(error)
    logger.warning("%s: the drift of estimations cannot be checked: %s", model.id, reason)
    return None
