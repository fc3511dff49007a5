"""Compare a train with the one before it on identical rows: the sets of the newer train.

The sets are read from the value store, and both Models are measured anew with the code in their
packages; the control DB is not needed.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from xingu.directions import direction_of
from xingu.errors import XinguError
from xingu.provider.base import DataProvider
from xingu.registry.lifecycle import accepted_before, status
from xingu.registry.manifest import Manifest
from xingu.registry.store import ModelStore
from xingu.reports.compare import DEFAULT_TOLERANCE, Z_95
from xingu.stages.evaluate import measure_sets
from xingu.values import ValueStore


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A metric of both trains on the same rows.

    Attributes:
        set: Name of the set.
        name: Name of the metric.
        before: Value of the train before; None: not measured.
        after: Value of the newer train.
        verdict: ``better``, ``worse``, or empty: no change that counts, or no known direction.
    """

    set: str
    name: str
    before: float | None
    after: float
    verdict: str


@dataclass(frozen=True, slots=True)
class SameRows:
    """A train, and the one before it.

    Attributes:
        train: Manifest of the newer train.
        status: Its status; see `xingu.registry.lifecycle.status`.
        before: The train before; None: there is none.
        changes: Metrics of both.
        note: Why metrics are missing; empty: none are.
    """

    train: Manifest
    status: str
    before: str | None
    changes: tuple[MetricChange, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Measured:
    """Numbers of a Model on given sets, by set and metric, and their standard errors by set."""

    dp: DataProvider
    values: Mapping[tuple[str, str], float]
    noise: Mapping[str, Mapping[str, float]]


def newest_trains(
    models: ModelStore, values: ValueStore, dp_ids: Collection[str] = ()
) -> Iterator[Manifest]:
    """Yield the manifest of the newest train of each DataProvider whose sets are still stored.

    Trains that were copied from another storage have none.

    Args:
        models: The model storage.
        values: The value store.
        dp_ids: Ids of DataProviders; empty: all.
    """
    for dp_id in models.dataproviders():
        if dp_ids and dp_id not in dp_ids:
            continue
        manifests = [models.manifest(dp_id, train_id) for train_id in models.trains(dp_id)]
        for newest in sorted((one for one in manifests if one.trained), key=_trained)[-1:]:
            key, value_id = _splits(newest)
            if value_id and (values.folder(key) / value_id).exists():
                yield newest


def compare_on_same_rows(models: ModelStore, values: ValueStore, train: Manifest) -> SameRows:
    """Measure a train and the one before it on the sets of the train."""
    told, before = status(models, train), accepted_before(models, train)
    try:
        new = _measured(models, values, train, train.train_id)
    except XinguError as error:
        return SameRows(train, told, before, (), f"it cannot be measured: {error}")
    old, note = None, ""
    if before is not None:
        try:
            old = _measured(models, values, train, before)
        except XinguError as error:
            note = f"{before} cannot be measured on these rows: {error}"
    return SameRows(train, told, before, tuple(_changes(old, new)), note)


def _trained(manifest: Manifest) -> str:
    return manifest.trained.isoformat() if manifest.trained else ""


def _splits(train: Manifest) -> tuple[tuple[str, ...], str | None]:
    """Return key and id of the value with the sets of a train."""
    key = next((name for name in train.values if name.endswith("/splits")), "")
    return tuple(key.split("/")), train.values.get(key)


def _measured(models: ModelStore, values: ValueStore, train: Manifest, train_id: str) -> _Measured:
    """Measure a train on the sets of `train`."""
    key, value_id = _splits(train)
    splits = values.read(key, value_id=value_id).value
    model = models.load(train.dataprovider_id, train_id)
    model.sets = dict(splits.frames)
    model.trainsets_predict()
    table = measure_sets(model)
    numbers = {
        (row.set, row.name): row.value_number
        for row in table.rows
        if row.value_number is not None and row.set
    }
    return _Measured(model.dp, numbers, table.noise)


def _changes(old: _Measured | None, new: _Measured) -> Iterator[MetricChange]:
    for (set_name, name), after in new.values.items():
        before = old.values.get((set_name, name)) if old else None
        verdict = _verdict(set_name, name, old, new) if old else ""
        yield MetricChange(set_name, name, before, after, verdict)


def _verdict(set_name: str, name: str, old: _Measured, new: _Measured) -> str:
    """Return the verdict, by the rules of `xingu.reports.compare`."""
    before, after = old.values.get((set_name, name)), new.values[set_name, name]
    direction = direction_of(name, new.dp.metric_directions)
    if before is None or direction is None:
        return ""
    errors = [one.noise.get(set_name, {}).get(name) for one in (old, new)]
    known = [error for error in errors if error is not None]
    default = Z_95 * max(known) if known else DEFAULT_TOLERANCE * abs(before)
    one, other = (abs(before), abs(after)) if direction == "zero" else (before, after)
    if not abs(other - one) > new.dp.metric_tolerances.get(name, default):
        return ""
    return "better" if (other > one) == (direction == "maximize") else "worse"
