"""`inventory.yaml`: the current train of each DataProvider as a file that a repository can hold.

Its one idea: what is marked ``pinned: true`` in the file decides which train is loaded, so a
reviewed commit moves a model, and reverting it moves it back. Everything else in it is for people.
"""

from pathlib import Path
from typing import Any

import yaml

from xingu.errors import SettingsError

FILE = "inventory.yaml"


def read_inventory(path: Path) -> dict[str, Any]:
    """Return the models of an inventory file by id of the DataProvider; none without a file.

    Raises:
        SettingsError: If it cannot be understood.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is no YAML ({error}); correct it or remove it.") from None
    models = content.get("models") if isinstance(content, dict) else None
    if not isinstance(models, dict) or not all(isinstance(one, dict) for one in models.values()):
        raise SettingsError(
            f"{path} has no `models` by id of the DataProvider; write it with "
            "`xingu inventory export`, or remove it."
        )
    return models


def pinned_trains(home: Path) -> dict[str, str]:
    """Return the pinned `train_id` by id of the DataProvider, from the project's inventory file.

    Raises:
        SettingsError: If the file cannot be understood, or a pin names no train.
    """
    path = home / FILE
    pins = {}
    for dp_id, model in read_inventory(path).items():
        if model.get("pinned") is True:
            if not isinstance(model.get("train_id"), str):
                raise SettingsError(f"{path}: {dp_id} is pinned, but has no train_id; name one.")
            pins[dp_id] = model["train_id"]
    return pins


def write_inventory(path: Path, models: dict[str, Any]) -> None:
    """Write an inventory file; it is whole or as it was."""
    text = yaml.safe_dump({"models": models}, sort_keys=False, allow_unicode=True, width=100)
    head = (
        "# The current train of each DataProvider. Where `pinned` is true, this train is loaded,\n"
        "# whatever was trained later. Written by `xingu inventory export`.\n"
    )
    scratch = path.with_name(f".{path.name}.tmp")
    scratch.write_text(head + text)
    scratch.replace(path)
