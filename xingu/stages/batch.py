"""Stages of a batch: clean, engineer and estimate rows with a trained Model."""

from collections.abc import Mapping

import pandas as pd

from xingu.checks.check import Checks
from xingu.checks.subjects import BatchEstimations, BatchFeatures
from xingu.model import Model
from xingu.provider.estimator import ESTIMATION
from xingu.provider.hooks import call_hook
from xingu.records import BATCH_SET
from xingu.stages.frames import require_usable
from xingu.stages.validate import refuse_failed


def clean_batch(model: Model, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one frame of the batch source frames.

    Raises:
        HookError: If the hook raises or returns no frame.
    """
    return call_hook(model.dp, "clean_data_for_batch_predict", datasets)


def engineer_batch(
    model: Model, cleaned: pd.DataFrame, checks: Checks | None = None
) -> pd.DataFrame:
    """Add features as in training, then do the last pre-processing.

    Args:
        model: The Model.
        cleaned: The frame of `clean_batch`.
        checks: Checks that may refuse the frame; None: as the DataProvider configures them.

    Raises:
        HookError: If a hook raises or returns no frame.
        DataError: If a feature is there twice, or an index value is missing.
        CheckFailedError: If the frame fails a check that refuses it.
    """
    frame = cleaned
    for hook in ("feature_engineering_for_batch_predict", "last_pre_process_for_batch_predict"):
        frame = call_hook(model.dp, hook, frame)
    signature = model.signature()
    used = (*signature.features, *signature.estimator_features)
    require_usable(model.dp, {"batch/features": frame}, used)
    subject = BatchFeatures({BATCH_SET: frame}, model.reference)
    refuse_failed(model.dp, ("batch", "features"), subject, checks)
    return frame


def estimate_batch(
    model: Model, features: pd.DataFrame, checks: Checks | None = None
) -> pd.DataFrame:
    """Return the estimations of a batch, indexed as `features`.

    The column ``estimation`` is *the* estimation of each row: for a classifier the probability of
    `proba_class_index`, beside the columns ``estimation_class_0 …``.

    Args:
        model: The Model.
        features: The frame of `engineer_batch`.
        checks: Checks that may refuse estimations; None: as the DataProvider configures them.

    Raises:
        CheckFailedError: If the estimations fail a check that refuses them.
    """
    estimations = estimate_rows(model, features)
    refuse_estimations(model, estimations, len(features), checks)
    return estimations


def estimate_rows(model: Model, features: pd.DataFrame) -> pd.DataFrame:
    """Return the estimations of rows as `estimate_batch` does, without any check."""
    Y_pred = model.estimate(features)
    if ESTIMATION in Y_pred:
        return Y_pred
    return Y_pred.assign(**{ESTIMATION: model.estimation_of(Y_pred)})


def refuse_estimations(
    model: Model, estimations: pd.DataFrame, rows: int, checks: Checks | None = None
) -> None:
    """Raise a CheckFailedError if estimations of `rows` rows fail a check that refuses them."""
    column = {BATCH_SET: estimations[ESTIMATION]}
    subject = BatchEstimations(column, {BATCH_SET: rows}, model.reference)
    refuse_failed(model.dp, ("batch", "estimations"), subject, checks)


def predicted(model: Model, estimations: pd.DataFrame) -> pd.DataFrame:
    """Return `Y_pred` as the metric methods see it: without the added column ``estimation``."""
    return estimations.drop(columns=ESTIMATION) if model.is_classifier() else estimations
