"""List current trains and their history, find a train by name, pin a train, export the inventory.

Only the model storage is read; `xingu.tracking.details` adds data of the control DB.
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
    """Return a record of the current train of each DataProvider, sorted by id.

    Returns:
        Records as of `train_record`, with `pinned`: whether the inventory file pins the train.
    """
    return [
        {**train_record(models, dp_id, train_id), "pinned": dp_id in models.pins}
        for dp_id in sorted({*models.dataproviders(), *models.pins})
        if (train_id := models.current(dp_id)) is not None
    ]


def train_record(models: ModelStore, dp_id: str, train_id: str) -> dict[str, Any]:
    """Return the ids, time, commit, prerequisites and main score of a train, as plain values.

    Of a train whose package was removed, only the ids and ``removed: True`` are returned.
    """
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
        "score": _main_score(manifest),
    }


def _main_score(manifest: Manifest) -> dict[str, Any] | None:
    """Return set, metric and value of the main score; None for packages that lack it."""
    for set_name, values in manifest.scores.items():
        for metric, value in values.items():
            return {"set": set_name, "metric": metric, "value": value}
    return None


def history(models: ModelStore, dp_id: str, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the changes of the current train, newest first.

    Args:
        models: The model storage.
        dp_id: Id of the DataProvider.
        limit: Largest number of records; None yields all.

    Yields:
        Records as of `train_record`, with `since` (UTC) and `action`.
    """
    for entry in models.ledger(dp_id).entries(limit):
        yield {
            "since": entry.time.astimezone(UTC).isoformat(timespec="seconds"),
            "action": entry.action,
            **train_record(models, dp_id, entry.train_id),
        }


def find_manifest(models: ModelStore, train: str) -> Manifest:
    """Return the manifest of a train.

    Args:
        models: The model storage.
        train: ``train``, ``session:train``, ``dp/train`` or ``dp/session:train``.

    Raises:
        UntrainedModelError: If there is none, or several DataProviders have a train of that name.
    """
    dp_id, _, rest = train.rpartition("/")
    session, _, train_id = rest.rpartition(":")
    found = [
        manifest
        for one in ([dp_id] if dp_id else models.dataproviders())
        if models.has(one, train_id)
        if session in ("", (manifest := models.manifest(one, train_id)).train_session_id)
    ]
    if not found:
        raise _unknown_train(models, train)
    if len(found) > 1:
        names = " or ".join(f"{one.dataprovider_id}/{train_id}" for one in found)
        raise UntrainedModelError(f"{train!r} is a train of several DataProviders; write {names}.")
    return found[0]


def _unknown_train(models: ModelStore, train: str) -> UntrainedModelError:
    dp_id, _, rest = train.rpartition("/")
    train_id = rest.rpartition(":")[2]
    dp_ids = models.dataproviders()
    if not dp_ids:
        return UntrainedModelError(f"No model was trained yet in {models.root}; materialize one.")
    if dp_id and key_part(dp_id) not in dp_ids:
        return UntrainedModelError(
            f"No model of {dp_id!r} in {models.root}; known DataProviders: {', '.join(dp_ids)}."
            f"{did_you_mean(dp_id, dp_ids)}",
            dataprovider_id=dp_id,
        )
    folders = [models.folder(one) / TRAINS for one in ([dp_id] if dp_id else dp_ids)]
    known = [package.name for folder in folders for package in children(folder)]
    return UntrainedModelError(
        f"No train{f' of {dp_id!r}' if dp_id else ''} is called {rest!r} in {models.root}; "
        f"`xingu inventory` lists recent ones.{did_you_mean(train_id, known)}",
        train_id=train_id,
    )


def pin(models: ModelStore, dp_id: str, train: str) -> Manifest:
    """Make a saved train the current one and return its manifest.

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


def export(models: ModelStore, path: Path, limit: int = 20) -> dict[str, Any]:
    """Write the inventory file and return its `models`; pins of an existing file are kept.

    Args:
        models: The model storage.
        path: The file.
        limit: Largest number of history entries of each DataProvider.

    Raises:
        SettingsError: If the existing file cannot be parsed.
    """
    before = read_inventory(path)
    pinned = {key_part(dp_id): dp_id for dp_id, model in before.items() if model.get("pinned")}
    pins = {**models.pins, **{key: before[dp_id]["train_id"] for key, dp_id in pinned.items()}}
    models = ModelStore(models.root, pins)
    exported = {}
    for record in current_trains(models):
        dp_id = record.pop("dataprovider_id")
        key = key_part(dp_id)
        if key in pinned and record.get("removed"):  # the package is in another storage
            exported[pinned[key]] = before[pinned[key]]
            continue
        entries = [
            {name: one.get(name) for name in ("since", "action", "train_id", "git_commit")}
            for one in history(models, dp_id, limit)
        ]
        exported[dp_id] = {**record, "history": entries}
    write_inventory(path, exported)
    return exported


def manifests_by_age(models: ModelStore, dp_id: str) -> list[Manifest]:
    """Return the manifests of all complete packages of a DataProvider, oldest first."""
    unknown = datetime.min.replace(tzinfo=UTC)
    manifests = [models.manifest(dp_id, train_id) for train_id in models.trains(dp_id)]
    return sorted(manifests, key=lambda one: (one.trained or unknown, one.train_id))
