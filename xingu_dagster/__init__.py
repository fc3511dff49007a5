"""Xingu for Dagster: DataProviders as assets of a project.

What is imported from here is stable. Names are imported on first use, and an import changes nothing
else in the process: no environment variable, no collector, no threads. Other modules of this
package may change.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster import ExecutorDefinition

    from xingu_dagster.component import XinguProjectComponent
    from xingu_dagster.io_managers import XinguIOManager
    from xingu_dagster.model_component import XinguModel
    from xingu_dagster.project import XinguProject, build_xingu_assets
    from xingu_dagster.resources import XinguResource
    from xingu_dagster.translator import AssetProps, XinguTranslator

    xingu_executor: ExecutorDefinition

__all__ = [
    "AssetProps",
    "XinguIOManager",
    "XinguModel",
    "XinguProject",
    "XinguProjectComponent",
    "XinguResource",
    "XinguTranslator",
    "build_xingu_assets",
    "xingu_executor",
]

_MODULES = {
    "AssetProps": "xingu_dagster.translator",
    "XinguIOManager": "xingu_dagster.io_managers",
    "XinguModel": "xingu_dagster.model_component",
    "XinguProject": "xingu_dagster.project",
    "XinguProjectComponent": "xingu_dagster.component",
    "XinguResource": "xingu_dagster.resources",
    "XinguTranslator": "xingu_dagster.translator",
    "build_xingu_assets": "xingu_dagster.project",
    "xingu_executor": "xingu_dagster.engine.executor",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
