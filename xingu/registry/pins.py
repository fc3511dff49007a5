"""`inventory.yaml`: the current train of each DataProvider as a file that a repository can hold.

Its one idea: what is marked ``pinned: true`` in the file decides which train is loaded, so a
reviewed commit moves a model, and reverting it moves it back. Everything else in it is for people.
"""

from pathlib import Path
from typing import Any

import yaml
from upath import UPath

from xingu.errors import SettingsError
from xingu.files.atomic import write_atomically

FILE = "inventory.yaml"


def read_inventory(path: Path) -> dict[str, Any]:
    """Return the models of an inventory file by id of the DataProvider; none without a file.

    Raises:
        SettingsError: If it cannot be understood, or a pin names no train.
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
            f"{path} has no `models` by id of the DataProvider; write it with "
            "`xingu inventory export`, or remove it."
        )
    for dp_id, model in models.items():
        pinned = model.get("pinned", False)
        if not isinstance(pinned, bool):
            raise SettingsError(f"{path}: {dp_id}: pinned is {pinned!r}; write true or false.")
        if pinned and not (isinstance(model.get("train_id"), str) and model["train_id"]):
            raise SettingsError(f"{path}: {dp_id} is pinned, but has no train_id; name one.")
    return models


def pinned_trains(home: Path) -> dict[str, str]:
    """Return the pinned `train_id` by id of the DataProvider, from the project's inventory file.

    Raises:
        SettingsError: If the file cannot be understood, or a pin names no train.
    """
    models = read_inventory(home / FILE)
    return {dp_id: model["train_id"] for dp_id, model in models.items() if model.get("pinned")}


def write_inventory(path: Path, models: dict[str, Any]) -> None:
    """Write an inventory file; it is whole or as it was."""
    text = yaml.safe_dump({"models": models}, sort_keys=False, allow_unicode=True, width=100)
    head = (
        "# The current train of each DataProvider. Where `pinned` is true, this train is loaded,\n"
        "# whatever was trained later. Written by `xingu inventory export`.\n"
    )
    write_atomically(UPath(path), (head + text).encode())
