"""From batch source frames to estimations, with what a trained Model knows."""

from collections.abc import Mapping

import pandas as pd

from xingu.checks.subjects import BatchFeatures
from xingu.errors import DataError
from xingu.model import Model
from xingu.provider.estimator import ESTIMATION
from xingu.provider.hooks import call_hook
from xingu.records import BATCH_SET
from xingu.stages.validate import refuse_failed


def clean_batch(model: Model, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Make one frame of the batch source frames.

    Raises:
        HookError: If the hook raises or returns no frame.
    """
    return call_hook(model.dp, "clean_data_for_batch_predict", datasets)


def engineer_batch(model: Model, cleaned: pd.DataFrame) -> pd.DataFrame:
    """Add features as in training, then do the last pre-processing.

    Raises:
        HookError: If a hook raises or returns no frame.
        CheckFailedError: If the index does not identify rows.
    """
    frame = cleaned
    for hook in ("feature_engineering_for_batch_predict", "last_pre_process_for_batch_predict"):
        frame = call_hook(model.dp, hook, frame)
    subject = BatchFeatures({BATCH_SET: frame}, model.reference)
    refuse_failed(model.dp, ("batch", "features"), subject)
    return frame


def estimate_batch(model: Model, features: pd.DataFrame) -> pd.DataFrame:
    """Return the estimations of a batch, indexed as `features`.

    The column ``estimation`` is *the* estimation of each row: for a classifier the probability of
    `proba_class_index`, beside the columns ``estimation_class_0 …``.

    Raises:
        DataError: If an estimation is missing.
    """
    Y_pred = model.estimate(features)
    estimation = model.estimation_of(Y_pred)
    if estimation.isna().any():
        rows = estimation.index[estimation.isna()]
        raise DataError(
            f"{model.id}: {len(rows)} of {len(estimation)} estimations are missing, for example of "
            f"row {rows[0]!r}; look at post_process_after_predict.",
            dataprovider_id=model.id,
        )
    return Y_pred if ESTIMATION in Y_pred else Y_pred.assign(**{ESTIMATION: estimation})


def predicted(model: Model, estimations: pd.DataFrame) -> pd.DataFrame:
    """Return `Y_pred` as the metric methods see it: without the added column ``estimation``."""
    return estimations.drop(columns=ESTIMATION) if model.is_classifier() else estimations
