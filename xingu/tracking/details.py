"""Collect everything recorded about one train, from its package and from the control DB."""

import json
import logging
from typing import Any

import pandas as pd

from xingu.errors import ControlDbError, SettingsError
from xingu.registry.lifecycle import status
from xingu.registry.listing import find_manifest
from xingu.registry.manifest import Manifest, faults
from xingu.registry.store import ModelStore
from xingu.tracking.database import ControlDB
from xingu.tracking.query import (
    TrainFilter,
    attributes_of,
    children_of,
    model_metrics,
    steps_of,
)
from xingu.tracking.schema import SETTINGS

logger = logging.getLogger(__name__)


def train_details(models: ModelStore, control: ControlDB, train: str) -> dict[str, Any]:
    """Return the records of a train by section; each section is a dict or a list of dicts.

    If the control DB cannot be read, only the sections of the package are returned, with a warning.

    Args:
        models: The model storage.
        control: The control DB.
        train: ``train``, ``session:train`` or ``dp/train``.

    Raises:
        UntrainedModelError: If there is no such train.
        CorruptPackageError: If its manifest is missing or damaged.
    """
    manifest = find_manifest(models, train)
    details = _package_sections(models, manifest)
    try:
        details |= _control_db_sections(control, manifest)
    except (ControlDbError, SettingsError) as error:
        logger.warning("Showing only what is in the package: %s", error)
    return details


def _package_sections(models: ModelStore, manifest: Manifest) -> dict[str, Any]:
    plain = manifest.model_dump(mode="json")
    package = models.package(manifest.dataprovider_id, manifest.train_id)
    names = ("dataprovider_id", "train_id", "train_session_id", "run_id", "trained", "target")
    pin = models.pin_of(manifest.dataprovider_id)
    return {
        "train": {
            **{name: plain[name] for name in names},
            "current": models.current(manifest.dataprovider_id) == manifest.train_id,
            "status": status(models, manifest),
            "pinned": str(pin) if pin else None,
            "package": str(package),
            "estimator": plain["estimator_class"] or "none (hollow)",
            "hyperparameters_from": plain["hyperparams_origin"],
            "rows": plain["set_rows"],
            "features": plain["estimator_features"],
        },
        "damage": [{"file": one.file, "problem": one.problem} for one in faults(package, manifest)],
        "parameters": plain["algo_params"],
        "provenance": plain["provenance"],
        "pre_reqs": plain["pre_reqs"],
        "sources": plain["sources"],
        "files": [{"file": name, **record} for name, record in plain["files"].items()],
    }


def _control_db_sections(control: ControlDB, manifest: Manifest) -> dict[str, Any]:
    dp_id, train_id = manifest.dataprovider_id, manifest.train_id
    this_train = TrainFilter([train_id], [dp_id])
    steps = steps_of(control, this_train)
    return {
        "settings": _settings(attributes_of(control, this_train)),
        "steps": [
            {"time": time.isoformat(), "status": status}
            for time, status in zip(steps["time"], steps["status"], strict=True)
        ],
        "metrics": _by_metric(model_metrics(control, this_train)),
        "pre_req_of": [
            {"dataprovider_id": child_dp_id, "train_id": child_train_id}
            for child_dp_id, child_train_id in children_of(control, dp_id, train_id)
        ],
    }


def _settings(attributes: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the settings of a train, the given ones first; none if they were not recorded."""
    found = attributes.loc[attributes["attribute"] == SETTINGS, "value"]
    settings = json.loads(found.iloc[0]) if len(found) else {}
    records = [{"setting": name, **one} for name, one in settings.items()]
    return sorted(records, key=lambda one: one["from"] == "default")


def _by_metric(metrics: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one record per metric, with its value in each set; None if it was not measured."""
    sets = dict.fromkeys(metrics["set"])
    records: dict[str, dict[str, Any]] = {}
    columns = (metrics[name] for name in ("name", "set", "value_number", "value_text"))
    for name, set_name, number, text in zip(*columns, strict=True):
        record = records.setdefault(name, {"metric": name, **dict.fromkeys(sets)})
        value = number if pd.isna(text) else text
        record[set_name] = None if pd.isna(value) else value
    return list(records.values())
