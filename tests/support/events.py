"""Instances of Dagster on either storage of events, and an asset for them."""

from pathlib import Path

import dagster as dg


@dg.asset
def number() -> int:
    return 7


def instance_of(folder: Path, storage: str) -> dg.DagsterInstance:
    """Open an instance in a folder; `storage` is `ours` or `stock`."""
    settings = {
        "ours": "{custom: {module: xingu_dagster.engine.storage, class: SqliteStorage, "
        f"config: {{base_dir: {folder}/.dagster}}}}}}",
        "stock": f"{{sqlite: {{base_dir: {folder}/.dagster}}}}",
    }
    (folder / "dagster.yaml").write_text(f"storage: {settings[storage]}\n")
    return dg.DagsterInstance.from_config(str(folder))
