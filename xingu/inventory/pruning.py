"""Remove old packages, with their plots and the values that only they kept.

Its one idea: what anybody could still ask for stays: the newest ones, the current one, what is
pinned or deployed, and every train that is a prerequisite of one that stays.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass

from upath import UPath

from xingu.identity import key_part
from xingu.inventory.catalog import age_order
from xingu.storage.files import remove_folder
from xingu.storage.manifest import Manifest
from xingu.storage.packages import ModelStore
from xingu.storage.values import ValueStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spare:
    """A train that can go."""

    dataprovider_id: str
    train_id: str
    bytes: int


def spare_trains(
    models: ModelStore, keep: int, protected: Collection[tuple[str, str]] = ()
) -> list[Spare]:
    """Return the trains that nobody needs.

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
    return [
        Spare(dp_id, train_id, sum(file.bytes for file in manifest.files.values()))
        for (dp_id, train_id), manifest in everything.items()
        if (dp_id, train_id) not in stay
    ]


def prune(models: ModelStore, plots: UPath, values: ValueStore, spare: Collection[Spare]) -> None:
    """Remove trains, their plots, and the values that were kept for them alone."""
    for train in spare:
        models.remove(train.dataprovider_id, train.train_id)
        remove_folder(plots / train.dataprovider_id / train.train_id)
        logger.info("%s: removed the train %s", train.dataprovider_id, train.train_id)
    for dp_id in sorted({train.dataprovider_id for train in spare}):
        for key in values.keys(dp_id):
            values.prune(key)
