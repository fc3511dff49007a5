"""Xingu: one class declares a model, a Dagster asset graph does the rest.

Works without Dagster installed. Names are imported when they are first used, so a process that only
predicts does not load what training needs.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from xingu.errors import MissingExtraError
from xingu.version import __version__

if TYPE_CHECKING:
    from xingu.dataprovider import DataProvider
    from xingu.discovery import DataProviderFactory
    from xingu.errors import XinguError
    from xingu.estimator import Estimator
    from xingu.model import Model
    from xingu_dagster.coach import Coach

__all__ = [
    "Coach",
    "DataProvider",
    "DataProviderFactory",
    "Estimator",
    "Model",
    "XinguError",
    "__version__",
]

_HOMES = {
    # Of the Dagster layer, for notebooks: the one thing here that needs Dagster.
    "Coach": "xingu_dagster.coach",
    "DataProvider": "xingu.dataprovider",
    "DataProviderFactory": "xingu.discovery",
    "Estimator": "xingu.estimator",
    "Model": "xingu.model",
    "XinguError": "xingu.errors",
}


def __getattr__(name: str) -> Any:
    if name == "Coach" and find_spec("xingu_dagster") is None:
        raise MissingExtraError("xingu.Coach needs Dagster, not installed here; pip install xingu.")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'xingu' has no attribute {name!r}")
