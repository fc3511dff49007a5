"""Read and write `inventory.yaml`, the list of current trains that a repository can hold.

An entry with ``pinned: true`` decides which train is loaded, so a reviewed commit changes a model
and reverting it restores the previous one. All other content is information for people.
"""

from pathlib import Path
from typing import Any

import yaml
from upath import UPath

from xingu.errors import SettingsError
from xingu.files.atomic import write_atomically

FILE = "inventory.yaml"


def read_inventory(path: Path) -> dict[str, Any]:
    """Return `models` of an inventory file by id of the DataProvider; empty if there is no file.

    Raises:
        SettingsError: If the file cannot be parsed, or a pin has no `train_id`.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, ValueError, OSError) as error:
        raise SettingsError(f"{path} cannot be read ({error}); correct or remove it.") from None
    models = content.get("models") if isinstance(content, dict) else None
    if not isinstance(models, dict) or not all(
        isinstance(dp_id, str) and isinstance(model, dict) for dp_id, model in models.items()
    ):
        raise SettingsError(
            f"{path} has no `models`, a mapping by id of the DataProvider; write the file with "
            "`xingu inventory export`, or remove it."
        )
    for dp_id, model in models.items():
        pinned = model.get("pinned", False)
        if not isinstance(pinned, bool):
            raise SettingsError(f"{path}: {dp_id}: pinned is {pinned!r}; write true or false.")
        if pinned and not (isinstance(model.get("train_id"), str) and model["train_id"]):
            raise SettingsError(f"{path}: {dp_id} is pinned, but has no train_id; add one.")
    return models


def pinned_trains(home: Path) -> dict[str, str]:
    """Return the pinned `train_id` by id of the DataProvider, from the project's inventory file.

    Raises:
        SettingsError: If the file cannot be parsed, or a pin has no `train_id`.
    """
    models = read_inventory(home / FILE)
    return {dp_id: model["train_id"] for dp_id, model in models.items() if model.get("pinned")}


def write_inventory(path: Path, models: dict[str, Any]) -> None:
    """Write an inventory file atomically."""
    content = yaml.safe_dump({"models": models}, sort_keys=False, allow_unicode=True, width=100)
    header = (
        "# The current train of each DataProvider. If `pinned` is true, this train is loaded,\n"
        "# even if a newer one exists. Written by `xingu inventory export`.\n"
    )
    write_atomically(UPath(path), (header + content).encode())
