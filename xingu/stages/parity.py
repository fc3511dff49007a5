"""Replay rows of the training data through the batch hooks of the fitted Model."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from xingu.checks.outcome import Outcome, not_applicable
from xingu.checks.parity import different, for_batch, parity, recognized, unknown_rows
from xingu.errors import DataError, XinguError
from xingu.model import Model
from xingu.provider.estimator import ESTIMATION
from xingu.provider.state import ProviderState
from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch
from xingu.stages.builder import ProviderBuilder
from xingu.stages.train import clean, engineer

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Replay:
    """The input of a replay.

    Attributes:
        frames: Few rows of the raw training data, by source.
        batch_sources: Names of the batch's sources.
        ignore: Columns that may differ.
        builder: Creates the DataProvider without the state of hooks.
    """

    frames: Frames
    batch_sources: Collection[str]
    ignore: Collection[str]
    builder: ProviderBuilder


def replay_batch(model: Model, replay: Replay, sets: Frames, estimations: Frames) -> Outcome:
    """Compare the results of train hooks and batch hooks for the same rows.

    Args:
        model: The Model; batch hooks may change its DataProvider, so pass one of its own.
        replay: The rows.
        sets: The sets of the train, by name.
        estimations: Their estimations, by set.
    """
    pre_reqs = model.pre_req_trains
    before = ProviderState.capture(model.dp, "post_process_after_train", pre_reqs)
    frames = for_batch(replay.frames, replay.batch_sources)
    if isinstance(frames, str):
        return not_applicable(frames)
    try:
        replayed = engineer_batch(model, clean_batch(model, frames))
    except XinguError as error:
        return not_applicable(f"the batch hooks do not take rows of the training data: {error}")
    try:
        replayed = replayed.assign(**{ESTIMATION: estimate_batch(model, replayed)[ESTIMATION]})
    except DataError as error:
        return Outcome(False, f"The result of the batch hooks cannot be estimated: {error}")
    original = _made_in_training(model, sets, estimations, replayed.index)
    if original.empty:
        return unknown_rows()
    replayed = replayed.loc[original.index]
    columns = _compared(model, original, replayed, replay.ignore)
    if not different(original[columns], replayed[columns]):
        return parity(original[columns], replayed[columns])
    control = _control(model, replay, pre_reqs)
    if not any(
        recognized(original, one.reindex(original.index))
        for one in (replayed, control)
        if one is not None
    ):
        return unknown_rows()
    changed = before.gain_of(model.dp, "batch hooks").attributes()
    relearned = set(changed) & set(before.attributes())
    return parity(original[columns], replayed[columns], control, relearned)


def _compared(
    model: Model, original: pd.DataFrame, replayed: pd.DataFrame, ignore: Collection[str]
) -> list[str]:
    wanted = [*model.signature().estimator_features, *model.dp.get_features_list(), ESTIMATION]
    return [
        name
        for name in dict.fromkeys(wanted)
        if name in original and name in replayed and name not in ignore
    ]


def _control(model: Model, replay: Replay, pre_reqs: Mapping[str, str]) -> pd.DataFrame | None:
    """Return the result of the train hooks for only these rows; None: they raise."""
    try:
        cleaned = clean(replay.builder, replay.frames, pre_reqs)
        made = engineer(replay.builder, cleaned).frame
        return made.assign(**{ESTIMATION: model.estimation_of(model.estimate(made))})
    except XinguError:
        return None


def _made_in_training(
    model: Model, sets: Frames, estimations: Frames, rows: pd.Index
) -> pd.DataFrame:
    parts = []
    for name, frame in sets.items():
        shared = frame.index.intersection(rows)
        column = model.estimation_of(estimations[name].loc[shared])
        parts.append(frame.loc[shared].assign(**{ESTIMATION: column}))
    return pd.concat(parts)
