"""Read which sources a DataProvider declares, without a fitted model."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from xingu.errors import DeclarationError, HookError
from xingu.model.model import Model
from xingu.provider.base import DataProvider
from xingu.provider.hooks import call_hook
from xingu.records import TrainRun

TRAIN_SOURCES = ("get_dataset_sources_for_train", "train_dataset_sources")
BATCH_SOURCES = ("get_dataset_sources_for_batch_predict", "batch_predict_dataset_sources")
"""Hook and attribute that declare the sources of a train, and of a batch."""


def declared_sources(cls: type[DataProvider], hook: str, attribute: str) -> Mapping[str, Any]:
    """Return what `hook` returns without a Model, else with an untrained one, else `attribute`.

    Raises:
        DeclarationError: If the hook raises, and `attribute` names no sources.
    """
    dp_id = str(cls.id)
    try:
        return call_hook(cls(), hook, None)
    except HookError as error:
        untrained = Model.of(cls(), None, TrainRun(dp_id, "untrained", "untrained", ""))
        with suppress(HookError):
            return call_hook(untrained.dp, hook, untrained)
        declared = getattr(cls, attribute)
        if not declared:
            raise DeclarationError(
                f"{error}. The graph is built without a model: return the sources for "
                f"model=None too, or name them in {attribute}.",
                dataprovider_id=dp_id,
            ) from error
        return declared
