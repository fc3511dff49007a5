"""Stages of a train, from source frames to a fitted Model: clean, engineer, split, tune, fit."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from xingu.checks.subjects import TrainFrames
from xingu.model import Model
from xingu.model.provenance import Provenance
from xingu.provider.base import DataProvider
from xingu.provider.classes import class_text
from xingu.provider.hooks import call_hook, is_overridden
from xingu.provider.state import PreparedFrame, PreparedSplits, ProviderState
from xingu.records import TrainRun
from xingu.stages.builder import ProviderBuilder
from xingu.stages.evaluate import scores_of
from xingu.stages.frames import declared_columns, require_usable
from xingu.stages.reference import EvaluationSet, estimate_evaluation_set, training_reference
from xingu.stages.validate import (
    refuse_failed,
    require_learnable,
    require_rows,
    require_sets,
)
from xingu.tuning.resolve import Hyperparameters, Tuning, resolve

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trained:
    """A fitted Model, and its estimations of its evaluation set."""

    model: Model
    evaluated: EvaluationSet


def clean(
    builder: ProviderBuilder,
    datasets: Mapping[str, pd.DataFrame],
    pre_reqs: Mapping[str, str],
    state: ProviderState | None = None,
) -> PreparedFrame:
    """Return one frame of the source frames.

    Args:
        builder: Creates the DataProvider.
        datasets: Frames by source name.
        pre_reqs: The `train_id` of each prerequisite, pinned for everything that follows.
        state: State after the hook that declared the sources; None: it has set nothing.

    Raises:
        HookError: If the hook raises or returns no frame.
        EmptySourceError: If no row is left.
    """
    provider = builder.build(state or ProviderState(pre_reqs=pre_reqs))
    hook = "clean_data_for_train"
    frame = call_hook(provider, hook, datasets)
    require_rows(frame, f"{provider.id}.{hook}: what it returned")
    return PreparedFrame(frame, ProviderState.capture(provider, hook, pre_reqs))


def engineer(builder: ProviderBuilder, cleaned: PreparedFrame) -> PreparedFrame:
    """Add features, then do the last pre-processing.

    Raises:
        HookError: If a hook raises or returns no frame.
        EmptySourceError: If no row is left.
        DeclarationError: If the name of a declared column is not a text.
        DataError: If a declared column is there twice, or an index value is missing.
        CheckFailedError: If the frame fails a check that refuses it.
    """
    hooks = ("feature_engineering_for_train", "last_pre_process_for_train")
    provider = builder.build(cleaned.state)
    frame = cleaned.frame
    for hook in hooks:
        frame = call_hook(provider, hook, frame)
        require_rows(frame, f"{provider.id}.{hook}: what it returned")
    require_usable(provider, {"features": frame}, declared_columns(provider, split=False))
    subject = TrainFrames(provider, {"features": frame})
    refuse_failed(provider, ("features",), subject, builder.checks)
    return PreparedFrame(frame, _state_after(provider, cleaned.state, hooks))


def split(builder: ProviderBuilder, features: PreparedFrame) -> PreparedSplits:
    """Split rows into sets.

    Raises:
        HookError: If the hook raises or returns no sets.
        DataError: If the sets cannot be trained on; see `xingu.stages.validate` and
            `xingu.stages.frames`.
        CheckFailedError: If they fail a check that refuses them.
    """
    hook = "data_split_for_train"
    provider = builder.build(features.state)
    sets = call_hook(provider, hook, features.frame)
    require_sets(provider, sets)
    require_usable(provider, sets, declared_columns(provider, split=True))
    if not provider.hollow:
        require_learnable(provider, sets["train"])
    refuse_failed(provider, ("splits",), TrainFrames(provider, sets), builder.checks)
    return PreparedSplits(sets, _state_after(provider, features.state, (hook,)))


def tune(
    builder: ProviderBuilder, splits: PreparedSplits, run: TrainRun, tuning: Tuning
) -> Hyperparameters:
    """Decide the hyperparameters; see `xingu.tuning.resolve.resolve`."""
    provider = builder.build(splits.state)
    model = builder.model(provider, provider.make_estimator(), run)
    model.sets = splits.frames
    chosen = resolve(model, tuning)
    gain = splits.state.gain_of(provider, "get_estimator_hyperparameters")
    return replace(chosen, gain=gain)


def fit(
    builder: ProviderBuilder,
    splits: PreparedSplits,
    hyperparameters: Hyperparameters,
    run: TrainRun,
    provenance: Provenance,
) -> Trained:
    """Fit the estimator on `splits`.

    Raises:
        HookError: If a hook raises.
        DataError: If the estimator cannot use a feature.
    """
    provider = builder.build(splits.state.with_gain(hyperparameters.gain))
    estimator = provider.make_estimator(hyperparameters.hyperparams)
    if estimator is not None:
        estimator.params = dict(hyperparameters.params)
        estimator.hyperparams = dict(hyperparameters.hyperparams)
    model = builder.model(provider, estimator, run, provenance)
    model.hyperparams_origin = hyperparameters.origin
    model.sets = splits.frames
    call_hook(provider, "post_process_after_hyperparam_optimize", model)
    model.fit(splits.frames)
    _log_class(model)
    call_hook(provider, "post_process_after_train", model)
    evaluated = estimate_evaluation_set(model)
    model.scores = scores_of(model, evaluated)
    model.reference = training_reference(model, evaluated)
    return Trained(model, evaluated)


def _log_class(model: Model) -> None:
    """Log which class is estimated and measured, where the DataProvider leaves that to us."""
    if not model.is_classifier() or model.dp.proba_class_index is not None:
        return
    classes, one = model.signature().classes, model.estimated_class()
    if one is None:
        logger.info(
            "%s: of %d classes none is the positive one: the estimation is the most probable "
            "label, and every class is measured (Xingu 2.0: %s alone); proba_class_index "
            "selects one.",
            model.id,
            len(classes),
            class_text(classes[0]),
        )
        return
    logger.info(
        "%s: estimations, metrics and plots are of the positive %s, the larger label (Xingu 2.0: "
        "%s, the first); proba_class_index selects another one.",
        model.id,
        one,
        class_text(classes[0]),
    )


def _state_after(
    provider: DataProvider, before: ProviderState, hooks: tuple[str, ...]
) -> ProviderState:
    """Return the state of `provider`; `before` if it overrides none of `hooks`."""
    if not any(is_overridden(provider, hook) for hook in hooks):
        return before
    return ProviderState.capture(provider, hooks[-1], before.pre_reqs)
