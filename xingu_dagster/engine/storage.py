"""The classes that `dagster.yaml` names: ours where this Dagster has what they need, else stock.

They are chosen when Dagster asks for them, so that importing this module touches no internals. Each
process that opens the instance asks, which is when its environment is restored. A relative
`base_dir` lies below DAGSTER_HOME, whatever folder a command is started in; without DAGSTER_HOME it
lies below the current folder.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from xingu.errors import SettingsError
from xingu_dagster.engine import compat
from xingu_dagster.engine.environment import restore_environment

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
    "ArtifactStorage": ("dagster._core.storage.root", "LocalArtifactStorage"),
}


def __getattr__(name: str) -> Any:
    if name not in STOCK:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    restore_environment()
    module, chosen = STOCK[name]
    if name in OURS and compat.usable(OURS[name][0]):
        module, chosen = OURS[name][1], name
    return _below_dagster_home(getattr(import_module(module), chosen))


def _below_dagster_home(cls: Any) -> type:
    """Return a subclass of a storage class, for use in `dagster.yaml`."""

    class BelowDagsterHome(cls):
        @classmethod
        def from_config_value(cls, inst_data: Any, config_value: Any) -> Any:
            """Return the storage that `dagster.yaml` describes."""
            folder = Path(os.environ.get("DAGSTER_HOME", ""), config_value["base_dir"]).absolute()
            try:
                folder.mkdir(parents=True, exist_ok=True)
                return super().from_config_value(
                    inst_data, {**config_value, "base_dir": str(folder)}
                )
            except OSError as error:
                raise SettingsError(
                    f"Dagster's history cannot be written to {folder} ({error.strerror or error}); "
                    "make the folder writable, or change base_dir in the dagster.yaml of "
                    "DAGSTER_HOME."
                ) from error

    return BelowDagsterHome
