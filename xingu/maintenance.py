"""Remove old packages, with their plots and the stored values that only they used.

A train is kept if it is among the newest ones, current or pinned, or was current before the last
deploy or rollback; and if it is a prerequisite, direct or indirect, of a train that is kept.
"""

import logging
from collections import defaultdict
from collections.abc import Collection

from upath import UPath

from xingu.files.atomic import leftovers, remove_folder, remove_leftover
from xingu.names import key_part
from xingu.registry.listing import manifests_by_age
from xingu.registry.manifest import Manifest
from xingu.registry.store import ModelStore
from xingu.values import ValueStore

logger = logging.getLogger(__name__)


def prunable_trains(models: ModelStore, keep: int) -> list[Manifest]:
    """Return the trains that can be removed, oldest first within a DataProvider.

    Args:
        models: The model storage.
        keep: How many of the newest trains of each DataProvider are kept, at least 1.
    """
    manifests: dict[tuple[str, str], Manifest] = {}
    kept = set(models.pins.items())
    for dp_id in models.dataproviders():
        trains = manifests_by_age(models, dp_id)
        manifests |= {(dp_id, train.train_id): train for train in trains}
        kept |= {(dp_id, train.train_id) for train in trains[-max(1, keep) :]}
        newest = models.ledger(dp_id).newest()
        if newest is not None:
            named = filter(None, (newest.current, newest.replaced))
            kept |= {(dp_id, train_id) for train_id in named}
    pending = list(kept)
    while pending:
        manifest = manifests.get(pending.pop())
        for pre_req, train_id in (manifest.pre_reqs if manifest else {}).items():
            key = (key_part(pre_req), train_id)
            if key not in kept:
                kept.add(key)
                pending.append(key)
    return [manifest for key, manifest in manifests.items() if key not in kept]


def package_size(train: Manifest) -> int:
    """Return the size of a package in bytes."""
    return sum(file.bytes for file in train.files.values())


def prune(
    models: ModelStore, plots: Collection[UPath], values: ValueStore, trains: Collection[Manifest]
) -> None:
    """Remove trains, their plots, and the stored values that no other train pins.

    Args:
        models: The model storage.
        plots: Folders or URLs of plots and of their notebooks.
        values: The value store.
        trains: The trains to remove, as of `prunable_trains`.
    """
    value_ids: dict[str, set[str]] = defaultdict(set)
    for train in trains:
        models.remove(train.dataprovider_id, train.train_id)
        for folder in plots:
            remove_folder(folder / key_part(train.dataprovider_id) / train.train_id)
        logger.info("%s: removed train %s", train.dataprovider_id, train.train_id)
        for key, value_id in train.values.items():
            value_ids[key].add(value_id)
    for key, ids in value_ids.items():
        values.prune(tuple(key.split("/")), among=ids)


def sweep(
    models: ModelStore, plots: Collection[UPath], values: ValueStore, *, dry_run: bool = False
) -> set[UPath]:
    """Remove what killed processes left.

    Args:
        models: The model storage.
        plots: Folders or URLs of plots and of their notebooks.
        values: The value store.
        dry_run: Whether nothing is removed.

    Returns:
        The paths that were removed, or would be.
    """
    found = {*models.leftovers(), *values.leftovers()}
    for folder in plots:
        found |= {*leftovers(folder)}
    for path in () if dry_run else found:
        remove_leftover(path)
        logger.info("removed %s, left by a killed process", path)
    return found
