"""Xingu: models declared as classes, trained and applied by a Dagster asset graph.

Works without Dagster installed. Names are imported on first use, so a process that only predicts
does not import the libraries of training.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from xingu.errors import MissingExtraError
from xingu.version import __version__

if TYPE_CHECKING:
    from xingu.api import Model
    from xingu.config.manager import ConfigManager
    from xingu.errors import XinguError
    from xingu.provider.base import DataProvider
    from xingu.provider.discovery import DataProviderFactory
    from xingu.provider.estimator import Estimator
    from xingu.provider.protocols import ModelView

__all__ = [
    "Coach",
    "ConfigManager",
    "DataProvider",
    "DataProviderFactory",
    "Estimator",
    "Model",
    "ModelView",
    "XinguError",
    "__version__",
]

Coach: Any
"""`xingu_dagster.coach.Coach`: the only name here that needs Dagster."""

_MODULES = {
    "Coach": "xingu_dagster.coach",
    "ConfigManager": "xingu.config.manager",
    "DataProvider": "xingu.provider.base",
    "DataProviderFactory": "xingu.provider.discovery",
    "Estimator": "xingu.provider.estimator",
    "Model": "xingu.api",
    "ModelView": "xingu.provider.protocols",
    "XinguError": "xingu.errors",
}


def __getattr__(name: str) -> Any:
    if name == "Coach" and find_spec("xingu_dagster") is None:
        raise MissingExtraError("xingu.Coach needs Dagster, not installed here; pip install xingu.")
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'xingu' has no attribute {name!r}")
