"""Earlier trains and batches, read from storage as facts of a decision.

Only the model storage and the value store are read: few small files of each DataProvider. Manifests
never change, so a process reads each of them once.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from xingu.automation.facts import Trained
from xingu.errors import CorruptPackageError, UntrainedModelError
from xingu.records import Observed
from xingu.registry.ledger import Entry
from xingu.registry.manifest import Manifest, read_manifest
from xingu.registry.store import ModelStore
from xingu.tuning.resolve import SEARCHED
from xingu.values import Key, Record, ValueStore

LOOK_BACK = 50
"""Number of entries of a ledger that are read at most."""


def current_and_newest(models: ModelStore, dp_id: str) -> tuple[Trained | None, Trained | None]:
    """Return the current train, and the newest one that was accepted or refused.

    Either is None if there is none, or its package is gone or damaged.
    """
    current = models.current(dp_id)
    newest = next(_judged(models, dp_id), None)
    return (
        _trained(models, dp_id, current) if current else None,
        _trained(models, dp_id, newest.train_id, refused=newest.action == "refuse")
        if newest
        else None,
    )


def trains_since_search(models: ModelStore, dp_id: str) -> int | None:
    """Return the number of trains since the last that searched; None: none of the last has."""
    accepted = (one.train_id for one in _judged(models, dp_id) if one.action == "train")
    for number, train_id in enumerate(dict.fromkeys(accepted)):
        manifest = _manifest(models, dp_id, train_id)
        if manifest is not None and manifest.hyperparams_origin == SEARCHED:
            return number
    return None


def last_batch(
    values: ValueStore, dp_id: str, estimations: Key, sources: Sequence[Key]
) -> Trained | None:
    """Return what the last batch was estimated from; None: there is none.

    Args:
        values: The value store.
        dp_id: Id of the DataProvider, whose Model is what the batch needs.
        estimations: Key of the estimations.
        sources: Keys of the raw assets of the batch.
    """
    record = values.record(estimations)
    if record is None:
        return None
    raw = [one for one in (values.record(key) for key in sources) if one is not None]
    return Trained(
        train_id=record.value_id,
        time=record.written,
        sources=dict(_recorded_sources(raw)),
        uses={dp_id: record.facts.train_id or ""},
        run_id=record.run_id,
    )


def _recorded_sources(records: Sequence[Record]) -> Iterator[tuple[str, Observed]]:
    for record in records:
        for source in record.facts.sources:
            yield source.source, source.observation


def _judged(models: ModelStore, dp_id: str) -> Iterator[Entry]:
    """Yield entries of trains that were accepted as the newest one, or refused, newest first."""
    for entry in models.ledger(dp_id).entries(LOOK_BACK):
        if entry.action in ("train", "refuse"):
            yield entry


def _trained(
    models: ModelStore, dp_id: str, train_id: str, *, refused: bool = False
) -> Trained | None:
    manifest = _manifest(models, dp_id, train_id)
    if manifest is None:
        return None
    return Trained(
        train_id=train_id,
        time=manifest.trained or datetime.min.replace(tzinfo=UTC),
        sources={one["source"]: _observed(one) for one in manifest.sources},
        uses=manifest.pre_reqs,
        run_id=manifest.run_id,
        refused=refused,
    )


def _manifest(models: ModelStore, dp_id: str, train_id: str) -> Manifest | None:
    try:
        return _read(models.package(dp_id, train_id))
    except (CorruptPackageError, UntrainedModelError):
        return None


@lru_cache(maxsize=4096)
def _read(package: Any) -> Manifest:
    return read_manifest(package)


def _observed(source: Mapping[str, Any]) -> Observed:
    return Observed(
        source.get("observed") or "", source.get("observed_rows"), source.get("watermark")
    )
