"""Which train of each DataProvider is the current one, its history, and everything about a train.

Its one idea: the model storage alone answers; the control DB adds what only it knows.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xingu.errors import UntrainedModelError, did_you_mean
from xingu.files.atomic import children
from xingu.names import key_part
from xingu.records import TrainRun
from xingu.registry.manifest import Manifest
from xingu.registry.pins import read_inventory, write_inventory
from xingu.registry.store import TRAINS, ModelStore


def current_trains(models: ModelStore) -> list[dict[str, Any]]:
    """Return a record of the current train of each DataProvider, by id."""
    return [
        {**train_record(models, dp_id, train_id), "pinned": dp_id in models.pins}
        for dp_id in sorted({*models.dataproviders(), *models.pins})
        if (train_id := models.current(dp_id)) is not None
    ]


def train_record(models: ModelStore, dp_id: str, train_id: str) -> dict[str, Any]:
    """Return what a list of trains shows of one; without its package only the ids are known."""
    if not models.has(dp_id, train_id):
        return {"dataprovider_id": dp_id, "train_id": train_id, "removed": True}
    manifest = models.manifest(dp_id, train_id)
    return {
        "dataprovider_id": manifest.dataprovider_id,
        "train_id": train_id,
        "train_session_id": manifest.train_session_id,
        "trained": manifest.trained.isoformat() if manifest.trained else None,
        "git_commit": manifest.provenance.get("git_commit"),
        "git_branch": manifest.provenance.get("git_branch"),
        "git_dirty": manifest.provenance.get("git_dirty"),
        "hyperparameters_from": manifest.hyperparams_origin,
        "pre_reqs": manifest.pre_reqs,
    }


def history(models: ModelStore, dp_id: str, most: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield what was current when, newest first."""
    for entry in models.ledger(dp_id).entries(most):
        yield {
            "since": entry.time.astimezone(UTC).isoformat(timespec="seconds"),
            "action": entry.action,
            **train_record(models, dp_id, entry.train_id),
        }


def find_manifest(models: ModelStore, text: str) -> Manifest:
    """Return the manifest of a train named by ``train``, ``session:train`` or ``dp/train``.

    Raises:
        UntrainedModelError: If there is none, or several DataProviders have a train of that name.
    """
    dp_id, _, rest = text.rpartition("/")
    session, _, train_id = rest.rpartition(":")
    found = [
        manifest
        for one in ([dp_id] if dp_id else models.dataproviders())
        if models.has(one, train_id)
        if session in ("", (manifest := models.manifest(one, train_id)).train_session_id)
    ]
    if not found:
        raise _unknown(models, text)
    if len(found) > 1:
        names = " or ".join(f"{one.dataprovider_id}/{train_id}" for one in found)
        raise UntrainedModelError(f"{text!r} is a train of several DataProviders; write {names}.")
    return found[0]


def _unknown(models: ModelStore, text: str) -> UntrainedModelError:
    dp_id, _, rest = text.rpartition("/")
    train_id = rest.rpartition(":")[2]
    dp_ids = models.dataproviders()
    if not dp_ids:
        return UntrainedModelError(f"No model was trained yet in {models.root}; materialize one.")
    if dp_id and key_part(dp_id) not in dp_ids:
        return UntrainedModelError(
            f"No model of {dp_id!r} in {models.root}; there are some of {', '.join(dp_ids)}."
            f"{did_you_mean(dp_id, dp_ids)}",
            dataprovider_id=dp_id,
        )
    folders = [models.folder(one) / TRAINS for one in ([dp_id] if dp_id else dp_ids)]
    known = [train.name for folder in folders for train in children(folder)]
    return UntrainedModelError(
        f"No train{f' of {dp_id!r}' if dp_id else ''} is called {rest!r} in {models.root}; "
        f"`xingu inventory` lists some.{did_you_mean(train_id, known)}",
        train_id=train_id,
    )


def pin(models: ModelStore, dp_id: str, train: str) -> Manifest:
    """Make a saved train the current one, and return its manifest.

    Args:
        models: The model storage.
        dp_id: Id of the DataProvider.
        train: ``train`` or ``session:train``.

    Raises:
        UntrainedModelError: If there is no such train.
    """
    manifest = find_manifest(models, f"{dp_id}/{train}")
    ids = (manifest.dataprovider_id, manifest.train_id, manifest.train_session_id)
    models.make_current(TrainRun(*ids, manifest.run_id), "pin")
    return manifest


def export(models: ModelStore, path: Path, most: int = 20) -> dict[str, Any]:
    """Write the inventory file, and return its models; what is pinned in it stays pinned.

    Args:
        models: The model storage.
        path: The file.
        most: Entries of the history of each DataProvider.
    """
    before = read_inventory(path)
    kept = {key_part(dp_id): dp_id for dp_id, model in before.items() if model.get("pinned")}
    pins = {**models.pins, **{key: before[dp_id]["train_id"] for key, dp_id in kept.items()}}
    models = ModelStore(models.root, pins)
    exported = {}
    for record in current_trains(models):
        dp_id = record.pop("dataprovider_id")
        key = key_part(dp_id)
        if key in kept and record.get("removed"):  # its package is elsewhere, or not there yet
            exported[kept[key]] = before[kept[key]]
            continue
        past = [
            {name: one.get(name) for name in ("since", "action", "train_id", "git_commit")}
            for one in history(models, dp_id, most)
        ]
        exported[dp_id] = {**record, "history": past}
    write_inventory(path, exported)
    return exported


def age_order(models: ModelStore, dp_id: str) -> list[Manifest]:
    """Return the manifests of all whole packages of a DataProvider, oldest first."""
    first = datetime.min.replace(tzinfo=UTC)
    manifests = [models.manifest(dp_id, train_id) for train_id in models.trains(dp_id)]
    return sorted(manifests, key=lambda one: (one.trained or first, one.train_id))
