"""Everything that is known about one train, from its package and from the control DB."""

import logging
from typing import Any

import pandas as pd

from xingu.errors import ControlDbError
from xingu.inventory.catalog import find_manifest
from xingu.inventory.database import ControlDB
from xingu.inventory.trains import TrainFilter, children_of, model_metrics, steps_of
from xingu.storage.manifest import Manifest
from xingu.storage.packages import ModelStore

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
    except ControlDbError as error:
        logger.warning("%s", error)
    return details


def _of_package(models: ModelStore, manifest: Manifest) -> dict[str, Any]:
    package = models.package(manifest.dataprovider_id, manifest.train_id)
    current = models.current(manifest.dataprovider_id) == manifest.train_id
    plain = manifest.model_dump(mode="json")
    names = ("dataprovider_id", "train_id", "train_session_id", "run_id", "trained", "target")
    return {
        "Train": {
            **{name: plain[name] or "" for name in names},
            "current": current,
            "package": str(package),
            "estimator": plain["estimator_class"] or "none (hollow)",
            "hyperparameters from": plain["hyperparams_origin"],
            "rows": plain["set_rows"],
            "features": plain["estimator_features"],
        },
        "Parameters": plain["algo_params"],
        "Provenance": {k: v for k, v in plain["provenance"].items() if v is not None},
        "Pre-reqs": plain["pre_reqs"],
        "Sources": plain["sources"],
        "Files": [{"file": name, **record} for name, record in plain["files"].items()],
    }


def _remembered(control: ControlDB, manifest: Manifest) -> dict[str, Any]:
    dp_id, train_id = manifest.dataprovider_id, manifest.train_id
    wanted = TrainFilter([train_id], [dp_id])
    steps = steps_of(control, wanted)
    metrics = model_metrics(control, wanted)
    used_by = [{"dataprovider_id": one, "train_id": of} for one, of in children_of(
        control, dp_id, train_id)]  # fmt: skip
    return {
        "Steps": steps[["time", "status"]].to_dict("records"),
        "Metrics": _by_set(metrics),
        "Pre-req of": used_by,
    }


def _by_set(metrics: pd.DataFrame) -> list[dict[str, Any]]:
    if metrics.empty:
        return []
    value = metrics["value_number"].astype(object)
    value = value.where(metrics["value_text"].isna(), metrics["value_text"])
    table = metrics.assign(value=value).pivot_table(
        index="name", columns="set", values="value", aggfunc="first", sort=False
    )
    return [
        {"metric": name, **{str(part): _short(cell) for part, cell in row.items()}}
        for name, row in table.iterrows()
    ]


def _short(cell: Any) -> Any:
    return f"{cell:.6g}" if isinstance(cell, float) and cell == cell else cell
