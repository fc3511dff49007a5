"""List current trains and their history, find a train by name, pin a train, export the inventory.

Only the model storage is read; `xingu.tracking.details` adds data of the control DB.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xingu.errors import CorruptPackageError, UntrainedModelError, did_you_mean
from xingu.files.atomic import children
from xingu.names import is_file_name, key_part
from xingu.registry import lifecycle
from xingu.registry.ledger import Entry
from xingu.registry.manifest import MANIFEST, Manifest
from xingu.registry.pins import FILE, read_inventory, write_inventory
from xingu.registry.store import TRAINS, ModelStore

logger = logging.getLogger(__name__)


def current_trains(models: ModelStore) -> list[dict[str, Any]]:
    """Return a record of the current train of each DataProvider, sorted by id.

    Returns:
        Records as of `train_record`, with `pinned`, and `pinned_by`: ``inventory.yaml``,
        ``xingu inventory pin`` or None. Of a DataProvider whose trains were all refused or wait for
        their checks, `train_id` is None, and only the ids and the pin are there.
    """
    records = []
    for dp_id in sorted({*models.dataproviders(), *models.pins}):
        train_id, pin = models.current(dp_id), models.pin_of(dp_id)
        record = (
            train_record(models, dp_id, train_id)
            if train_id is not None
            else {"dataprovider_id": dp_id, "train_id": None}
        )
        by = pin.by if pin else None
        records.append({**record, "pinned": by is not None, "pinned_by": by})
    return records


def train_record(models: ModelStore, dp_id: str, train_id: str) -> dict[str, Any]:
    """Return the ids, time, commit, prerequisites and main score of a train, as plain values.

    Of a train whose package was removed, only the ids and ``removed: True`` are returned; of one
    whose package is damaged, the ids and ``damaged``: what is missing.
    """
    ids = {"dataprovider_id": dp_id, "train_id": train_id}
    try:
        manifest = models.manifest(dp_id, train_id)
    except UntrainedModelError:
        if missing := damage_of(models, dp_id, train_id):
            return {**ids, "damaged": missing}
        return {**ids, "removed": True}
    except CorruptPackageError as error:
        return {**ids, "damaged": str(error)}
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


def damage_of(models: ModelStore, dp_id: str, train_id: str) -> str | None:
    """Return what is missing of a train that is there without a manifest; None if it was removed.

    The current train of the ledger is damaged even if its whole package is missing, because pruning
    never removes it.
    """
    package = models.package(dp_id, train_id)
    if models.has(dp_id, train_id):
        return None
    if package.exists():
        return f"{package} has no {MANIFEST}"
    newest = models.ledger(dp_id).newest()
    if newest is not None and newest.current == train_id:
        return f"{package} does not exist"
    return None


def _main_score(manifest: Manifest) -> dict[str, Any] | None:
    """Return set, metric and value of the main score; None for packages that lack it."""
    for set_name, values in manifest.scores.items():
        for metric, value in values.items():
            return {"set": set_name, "metric": metric, "value": value}
    return None


def history(models: ModelStore, dp_id: str, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield what happened to the trains, newest first.

    Args:
        models: The model storage.
        dp_id: Id of the DataProvider.
        limit: Largest number of records; None yields all.

    Yields:
        Records as of `train_record`, with `since` (UTC), `action` and, if there are any, the
        `reason` and `deployment`; see `xingu.registry.ledger.Entry`. Of an approved train that is
        not deployed yet, only the ids are there.
    """
    for entry in models.ledger(dp_id).entries(limit):
        record: dict[str, Any] = {"dataprovider_id": dp_id, "train_id": entry.train_id}
        if entry.action != "approve" or models.has(dp_id, entry.train_id):
            record = train_record(models, dp_id, entry.train_id)
        if entry.deployment:
            record["deployment"] = entry.deployment.model_dump(mode="json")
        yield {
            "since": entry.time.astimezone(UTC).isoformat(timespec="seconds"),
            "action": entry.action,
            **({"reason": entry.reason} if entry.reason else {}),
            **record,
        }


def find_manifest(models: ModelStore, train: str) -> Manifest:
    """Return the manifest of a train.

    Args:
        models: The model storage.
        train: ``train``, ``session:train``, ``dp/train`` or ``dp/session:train``.

    Raises:
        UntrainedModelError: If there is none, or several DataProviders have a train of that name.
        CorruptPackageError: If its manifest is missing or damaged.
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
        _refuse_damaged(models, dp_id, train_id)
        raise _unknown_train(models, train)
    if len(found) > 1:
        names = " or ".join(f"{one.dataprovider_id}/{train_id}" for one in found)
        raise UntrainedModelError(f"{train!r} is a train of several DataProviders; write {names}.")
    return found[0]


def _refuse_damaged(models: ModelStore, dp_id: str, train_id: str) -> None:
    for one in [dp_id] if dp_id else models.dataproviders():
        if train_id and is_file_name(train_id) and (missing := damage_of(models, one, train_id)):
            raise CorruptPackageError(
                f"The train {train_id} of {one} is damaged: {missing}. Restore it, train again, or "
                f"make another train current with `xingu inventory pin`.",
                package=str(models.package(one, train_id)),
            )


def _unknown_train(models: ModelStore, train: str) -> UntrainedModelError:
    dp_id, _, rest = train.rpartition("/")
    train_id = rest.rpartition(":")[2]
    dp_ids = models.dataproviders()
    if not dp_ids:
        return UntrainedModelError(f"No model was trained yet in {models.root}; train one.")
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
    """Make a saved train the current one until it is unpinned, and return its manifest.

    Args:
        models: The model storage.
        dp_id: Id of the DataProvider.
        train: ``train`` or ``session:train``.

    Raises:
        UntrainedModelError: If there is no such train.
    """
    manifest = find_manifest(models, f"{dp_id}/{train}")
    lifecycle.pin(models, manifest)
    return manifest


def unpin(models: ModelStore, dp_id: str) -> Entry:
    """Take away a pin; see `xingu.registry.lifecycle.unpin`.

    Raises:
        UntrainedModelError: If there is no such DataProvider, or no train of it is pinned.
    """
    if key_part(dp_id) not in models.dataproviders():
        raise _unknown_train(models, f"{dp_id}/")
    return lifecycle.unpin(models, dp_id)


def export(models: ModelStore, path: Path, limit: int = 20) -> dict[str, Any]:
    """Write the inventory file and return its `models`; pins of an existing file are kept.

    Pins of the ledger do not become pins of the file.

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
        if record["train_id"] is None:
            continue
        record["pinned"] = record.pop("pinned_by") == FILE
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
    """Return the manifests of all complete packages of a DataProvider, oldest first.

    One that is damaged is left out, with a warning.
    """
    unknown = datetime.min.replace(tzinfo=UTC)
    manifests = []
    for train_id in models.trains(dp_id):
        try:
            manifests.append(models.manifest(dp_id, train_id))
        except CorruptPackageError as error:
            logger.warning("%s", error)
    return sorted(manifests, key=lambda one: (one.trained or unknown, one.train_id))
