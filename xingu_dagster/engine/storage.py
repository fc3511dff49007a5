"""The classes that `dagster.yaml` names: ours where this Dagster has what they need, else stock.

They are chosen when Dagster asks for them, so that importing this module touches no internals.
"""

from importlib import import_module
from typing import Any

from xingu_dagster.engine import compat

OURS: dict[str, tuple[compat.Part, str]] = {
    "SqliteStorage": ("storage", "xingu_dagster.engine.sqlite"),
    "ComputeLogManager": ("compute_logs", "xingu_dagster.engine.compute_logs"),
}
STOCK = {
    "SqliteStorage": ("dagster._core.storage.sqlite_storage", "DagsterSqliteStorage"),
    "ComputeLogManager": (
        "dagster._core.storage.local_compute_log_manager",
        "LocalComputeLogManager",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in OURS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    part, module = OURS[name]
    if compat.usable(part):
        return getattr(import_module(module), name)
    module, stock = STOCK[name]
    return getattr(import_module(module), stock)
