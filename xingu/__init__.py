"""Xingu: one class declares a model, a Dagster asset graph does the rest.

Works without Dagster installed. Names are imported when they are first used, so a process that only
predicts does not load what training needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xingu.api import Model
    from xingu.errors import XinguError
    from xingu.provider.base import DataProvider
    from xingu.provider.discovery import DataProviderFactory
    from xingu.provider.estimator import Estimator
    from xingu.provider.protocols import ModelView

__all__ = [
    "Coach",
    "DataProvider",
    "DataProviderFactory",
    "Estimator",
    "Model",
    "ModelView",
    "XinguError",
]

Coach: Any
"""`xingu_dagster.coach.Coach`: the only name here that needs Dagster."""

_HOMES = {
    "Coach": "xingu_dagster.coach",
    "DataProvider": "xingu.provider.base",
    "DataProviderFactory": "xingu.provider.discovery",
    "Estimator": "xingu.provider.estimator",
    "Model": "xingu.api",
    "ModelView": "xingu.provider.protocols",
    "XinguError": "xingu.errors",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'xingu' has no attribute {name!r}")
