"""Everything that is known about one train, from its package and from the control DB."""

import logging
from typing import Any

import pandas as pd

from xingu.errors import ControlDbError, SettingsError
from xingu.registry.listing import find_manifest
from xingu.registry.manifest import Manifest
from xingu.registry.store import ModelStore
from xingu.tracking.database import ControlDB
from xingu.tracking.query import TrainFilter, children_of, model_metrics, steps_of

logger = logging.getLogger(__name__)


def train_details(models: ModelStore, control: ControlDB, train: str) -> dict[str, Any]:
    """Return sections of a train, by title: records or lists of records.

    Without the control DB, what is in the package is returned, and the reason logged.

    Args:
        models: The model storage.
        control: The control DB.
        train: ``train``, ``session:train`` or ``dp/train``.

    Raises:
        UntrainedModelError: If there is no such train.
    """
    manifest = find_manifest(models, train)
    details = _of_package(models, manifest)
    try:
        details |= _remembered(control, manifest)
    except (ControlDbError, SettingsError) as error:
        logger.warning("Only what is in the package: %s", error)
    return details


def _of_package(models: ModelStore, manifest: Manifest) -> dict[str, Any]:
    package = models.package(manifest.dataprovider_id, manifest.train_id)
    current = models.current(manifest.dataprovider_id) == manifest.train_id
    plain = manifest.model_dump(mode="json")
    names = ("dataprovider_id", "train_id", "train_session_id", "run_id", "trained", "target")
    return {
        "train": {
            **{name: plain[name] for name in names},
            "current": current,
            "package": str(package),
            "estimator": plain["estimator_class"] or "none (hollow)",
            "hyperparameters_from": plain["hyperparams_origin"],
            "rows": plain["set_rows"],
            "features": plain["estimator_features"],
        },
        "parameters": plain["algo_params"],
        "provenance": plain["provenance"],
        "pre_reqs": plain["pre_reqs"],
        "sources": plain["sources"],
        "files": [{"file": name, **record} for name, record in plain["files"].items()],
    }


def _remembered(control: ControlDB, manifest: Manifest) -> dict[str, Any]:
    dp_id, train_id = manifest.dataprovider_id, manifest.train_id
    wanted = TrainFilter([train_id], [dp_id])
    children = children_of(control, dp_id, train_id)
    steps = steps_of(control, wanted)
    return {
        "steps": [
            {"time": time.isoformat(), "status": status}
            for time, status in zip(steps["time"], steps["status"], strict=True)
        ],
        "metrics": _by_set(model_metrics(control, wanted)),
        "pre_req_of": [{"dataprovider_id": one, "train_id": of} for one, of in children],
    }


def _by_set(metrics: pd.DataFrame) -> list[dict[str, Any]]:
    """One record of each metric, with its value in each set; None where it was not measured."""
    sets = dict.fromkeys(metrics["set"])
    table: dict[str, dict[str, Any]] = {}
    columns = (metrics[name] for name in ("name", "set", "value_number", "value_text"))
    for name, part, number, text in zip(*columns, strict=True):
        known = table.setdefault(name, {"metric": name, **dict.fromkeys(sets)})
        value = number if pd.isna(text) else text
        known[part] = None if pd.isna(value) else value
    return list(table.values())
