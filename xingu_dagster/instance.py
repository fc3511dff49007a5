"""The folder of the Dagster instance of a project. This module does not import Dagster."""

import os
from pathlib import Path

LOCAL_HOME = ".dagster"
"""Folder of the instance of a project without `dagster.yaml`."""


def instance_folder(home: Path) -> Path:
    """Return the folder of the instance: DAGSTER_HOME, else that of the project.

    Args:
        home: Folder of the project.
    """
    if configured := os.environ.get("DAGSTER_HOME"):
        return Path(configured).expanduser()
    return home if (home / "dagster.yaml").exists() else home / LOCAL_HOME
