"""Read which sources a DataProvider declares, without a model."""

from collections.abc import Mapping
from typing import Any

from xingu.errors import DeclarationError, HookError
from xingu.provider.base import DataProvider
from xingu.provider.hooks import call_hook

TRAIN_SOURCES = ("get_dataset_sources_for_train", "train_dataset_sources")
BATCH_SOURCES = ("get_dataset_sources_for_batch_predict", "batch_predict_dataset_sources")
"""Hook and attribute that declare the sources of a train, and of a batch."""


def declared_sources(cls: type[DataProvider], hook: str, attribute: str) -> Mapping[str, Any]:
    """Return what `hook` returns without a Model, else `attribute` if the hook needs one.

    Raises:
        DeclarationError: If the hook raises, and `attribute` names no sources.
    """
    try:
        return call_hook(cls(), hook, None)
    except HookError as error:
        declared = getattr(cls, attribute)
        if not declared:
            raise DeclarationError(
                f"{error}. The graph is built without a model: return the sources for "
                f"model=None too, or name them in {attribute}.",
                dataprovider_id=str(cls.id),
            ) from error
        return declared
