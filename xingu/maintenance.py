"""Remove old packages, with their plots and the values that only they kept.

Its one idea: what anybody could still ask for stays: the newest ones, the current one, what is
pinned or deployed, and every train that is a prerequisite of one that stays.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable

from upath import UPath

from xingu.files.atomic import leftovers, remove_folder, remove_leftover
from xingu.names import key_part
from xingu.registry.listing import age_order
from xingu.registry.manifest import Manifest
from xingu.registry.store import ModelStore
from xingu.values import ValueStore

logger = logging.getLogger(__name__)


def spare_trains(
    models: ModelStore, keep: int, protected: Collection[tuple[str, str]] = ()
) -> list[Manifest]:
    """Return the trains that nobody needs, oldest first within a DataProvider.

    Args:
        models: The model storage.
        keep: How many of the newest trains of each DataProvider stay, at least 1.
        protected: Further trains that stay, as DataProvider and `train_id`: deployed ones.
    """
    everything: dict[tuple[str, str], Manifest] = {}
    stay = {(key_part(dp_id), train_id) for dp_id, train_id in protected}
    stay |= {(key_part(dp_id), train_id) for dp_id, train_id in models.pins.items()}
    for dp_id in models.dataproviders():
        trains = age_order(models, dp_id)
        everything |= {(dp_id, one.train_id): one for one in trains}
        stay |= {(dp_id, one.train_id) for one in trains[-max(1, keep) :]}
        newest = models.ledger(dp_id).newest()
        stay |= {(dp_id, newest.train_id)} if newest else set()
    needed = list(stay)
    while needed:  # prerequisites of what stays, and theirs
        manifest = everything.get(needed.pop())
        for pre_req, train_id in (manifest.pre_reqs if manifest else {}).items():
            key = (key_part(pre_req), train_id)
            if key not in stay:
                stay.add(key)
                needed.append(key)
    return [manifest for key, manifest in everything.items() if key not in stay]


def size_of(train: Manifest) -> int:
    """Return the bytes of a package."""
    return sum(file.bytes for file in train.files.values())


def prune(
    models: ModelStore, plots: UPath, values: ValueStore, spare: Collection[Manifest]
) -> None:
    """Remove trains, their plots, and the values that were kept for them alone."""
    of_spare: dict[str, set[str]] = defaultdict(set)
    for train in spare:
        models.remove(train.dataprovider_id, train.train_id)
        remove_folder(plots / key_part(train.dataprovider_id) / train.train_id)
        logger.info("%s: removed the train %s", train.dataprovider_id, train.train_id)
        for key, value_id in train.values.items():
            of_spare[key].add(value_id)
    for key, value_ids in of_spare.items():
        values.prune(tuple(key.split("/")), among=value_ids)


def sweep(places: Iterable[UPath], *, only_look: bool = False) -> set[UPath]:
    """Remove what killed processes left half written a day ago, and return it."""
    found = {path for place in places for path in leftovers(place)}
    for path in () if only_look else found:
        remove_leftover(path)
        logger.info("removed %s, left half written", path)
    return found
