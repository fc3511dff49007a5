"""Compare two trains: code, data, parameters, sets, metrics, checks and libraries.

The model storage has packages with code, sources and parameters; the control DB has metrics and
checks. If one of them lacks a train, what the other one has is compared, and a note says so.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xingu.errors import ControlDbError, UntrainedModelError, XinguError, did_you_mean
from xingu.model.provenance import Provenance
from xingu.registry.code_changes import code_changes
from xingu.registry.listing import find_manifest
from xingu.registry.manifest import Manifest
from xingu.registry.store import ModelStore
from xingu.reports.compare import compare_trains
from xingu.reports.json_document import VERDICTS
from xingu.tracking.attributes import provenance_attributes
from xingu.tracking.database import ControlDB
from xingu.tracking.query import TrainFilter, attributes_of, check_results, find_trains
from xingu.tracking.schema import HYPERPARAM, HYPERPARAM_CHOICE, HYPERPARAM_ORIGIN, IDS

Record = dict[str, Any]
CURRENT, PREVIOUS = "current", "previous"
"""Words for a train: the current one, and the one that was current before."""
LIBRARY, ROWS = "library_", "rows_"
"""Beginnings of names of attributes."""


@dataclass(frozen=True)
class TrainSide:
    """One of the two trains.

    Attributes:
        dataprovider_id: Id of its DataProvider.
        train_id: Its id.
        train_session_id: Id of its session.
        attributes: Its attributes, as the control DB records them.
        manifest: The manifest of its package; None: there is no package.
        recorded: Whether the control DB has it.
    """

    dataprovider_id: str
    train_id: str
    train_session_id: str
    attributes: Mapping[str, str]
    manifest: Manifest | None
    recorded: bool

    def parameters(self) -> Record:
        """Return parameters and hyperparameters, then where they come from."""
        if self.manifest:
            used: Mapping[str, Any] = self.manifest.algo_params
        else:
            used = json.loads(self.attributes.get(HYPERPARAM, "{}"))
        origin = {"origin of hyperparameters": self.attributes.get(HYPERPARAM_ORIGIN)}
        choice = {"reason": self.attributes.get(HYPERPARAM_CHOICE)}
        return {**(used.get("params") or {}), **(used.get("hyperparams") or {}), **origin, **choice}

    def part(self, begin: str) -> Record:
        """Return the attributes whose names begin with `begin`, without it."""
        found = self.attributes.items()
        return {name.removeprefix(begin): value for name, value in found if name.startswith(begin)}


def diff_trains(models: ModelStore, control: ControlDB, before: str, after: str) -> Record:
    """Return the differences between two trains, by section.

    Args:
        models: The model storage.
        control: The control DB.
        before: A train id, ``session:train``, a session, or one of these after ``dp/``;
            ``dp/current`` and ``dp/previous`` are the current train and the one before it.
        after: The other train, in the same forms.

    Raises:
        UntrainedModelError: If one of them does not exist; the nearest name is suggested.
    """
    notes: list[str] = []
    sides = [_find(models, control, name, notes) for name in (before, after)]
    old, new = sides
    if (old.dataprovider_id, old.train_id) == (new.dataprovider_id, new.train_id):
        raise UntrainedModelError(f"{before!r} and {after!r} are the same train; name another one.")
    if old.dataprovider_id != new.dataprovider_id:
        notes.append("the trains are of different DataProviders; metrics have no verdict.")
    notes += [
        f"{one.train_id}: there were uncommitted changes when it was trained."
        for one in sides
        if one.attributes.get("git_dirty") == "True"
    ]
    return {
        "trains": [_described(one) for one in sides],
        "code": _code(models, old, new, notes),
        "sources": list(_sources(old, new)),
        "parameters": _changed(old.parameters(), new.parameters(), "parameter"),
        "sets": _changed(old.part(ROWS), new.part(ROWS), "set", keep_same=True),
        "metrics": list(_metrics(control, old, new)),
        "checks": list(_checks(control, old, new)),
        "libraries": _changed(
            {**old.part(LIBRARY), "python": old.attributes.get("python")},
            {**new.part(LIBRARY), "python": new.attributes.get("python")},
            "library",
        ),
        "notes": list(dict.fromkeys(notes)),
    }


# -- find ------------------------------------------------------------------------------------------


def _find(models: ModelStore, control: ControlDB, name: str, notes: list[str]) -> TrainSide:
    manifest, problem = None, None
    try:
        manifest = find_manifest(models, _resolved(models, name))
    except XinguError as error:
        problem = error
    dp_id, _, asked = name.rpartition("/")
    if manifest:
        dp_id, asked = manifest.dataprovider_id, manifest.train_id
    try:
        rows = _recorded(control, TrainFilter([asked], [dp_id] if dp_id else []))
    except ControlDbError as error:
        notes.append(f"the control DB cannot be read, so metrics and checks are missing: {error}")
        rows = pd.DataFrame(columns=[*IDS])
    if manifest is None and len(rows) != 1:
        raise problem or UntrainedModelError(f"There is no train {name!r}.")
    found = manifest or rows.iloc[0]
    ids = (found.dataprovider_id, found.train_id, found.train_session_id)
    if manifest is None:
        notes.append(f"{ids[1]}: there is no package of it, so its code and data are not compared.")
    elif rows.empty:
        notes.append(f"{ids[1]}: the control DB does not have it.")
    attributes = _of_manifest(manifest) if manifest else {}
    if len(rows):
        known = attributes_of(control, TrainFilter([ids[1]], [ids[0]]))
        attributes |= dict(zip(known["attribute"], known["value"], strict=True))
    return TrainSide(*ids, attributes=attributes, manifest=manifest, recorded=bool(len(rows)))


def _recorded(control: ControlDB, wanted: TrainFilter) -> pd.DataFrame:
    found = find_trains(control, wanted)
    session = wanted.train_ids[0].rpartition(":")[0]
    return found[found["train_session_id"] == session] if session else found


def _resolved(models: ModelStore, name: str) -> str:
    """Return a name that `find_manifest` knows."""
    dp_id, _, asked = name.rpartition("/")
    if dp_id and asked in (CURRENT, PREVIOUS):
        trains = [models.current(dp_id)] if asked == CURRENT else _before_current(models, dp_id)
        found = next(filter(None, trains), None)
        if found is None:
            known = models.dataproviders()
            raise UntrainedModelError(
                f"{dp_id} has no {asked} train.{did_you_mean(dp_id, set(known) - {dp_id})}"
            )
        return f"{dp_id}/{found}"
    if ":" in asked:
        return name
    of_session = [
        f"{one}/{train_id}"
        for one in ([dp_id] if dp_id else models.dataproviders())
        if (train_id := models.sessions(one).train_of(asked))
    ]
    if len(of_session) > 1:
        raise UntrainedModelError(
            f"{asked!r} is a session of several trains; name one: {', '.join(of_session)}."
        )
    return of_session[0] if of_session else name


def _before_current(models: ModelStore, dp_id: str) -> Iterable[str]:
    current = models.current(dp_id)
    return (one for one in models.ledger(dp_id).standing() if one != current)


def _of_manifest(manifest: Manifest) -> dict[str, str]:
    return {
        **provenance_attributes(Provenance(**manifest.provenance)),
        HYPERPARAM_ORIGIN: manifest.hyperparams_origin,
        **{f"{ROWS}{name}": str(rows) for name, rows in manifest.set_rows.items()},
    }


# -- compare ---------------------------------------------------------------------------------------


def _described(one: TrainSide) -> Record:
    trained = one.manifest.trained.isoformat() if one.manifest and one.manifest.trained else None
    return {
        "dataprovider": one.dataprovider_id,
        "train": one.train_id,
        "session": one.train_session_id,
        "trained": trained or one.attributes.get("trained"),
        "branch": one.attributes.get("git_branch"),
        "commit": one.attributes.get("git_commit"),
        "dirty": one.attributes.get("git_dirty") == "True",
        "estimator": one.manifest.algorithm if one.manifest else one.attributes.get("estimator"),
    }


def _code(models: ModelStore, old: TrainSide, new: TrainSide, notes: list[str]) -> list[Record]:
    if old.manifest is None or new.manifest is None:
        return []
    packages = [models.package(one.dataprovider_id, one.train_id) for one in (old, new)]
    changes = code_changes(packages[0], packages[1])
    if not changes:
        notes.append("the packages hold the same code.")
    return [{"file": one.file, "change": one.kind, "members": one.members} for one in changes]


def _sources(old: TrainSide, new: TrainSide) -> Iterator[Record]:
    before, after = (
        {one["source"]: one for one in (side.manifest.sources if side.manifest else [])}
        for side in (old, new)
    )
    for name in dict.fromkeys([*before, *after]) if before and after else ():
        one, other = before.get(name), after.get(name)
        changes = ["added"] if one is None else ["removed"] if other is None else []
        if one and other:
            parts = {"declared": "query or address", "data_version": "data"}
            changes = [text for part, text in parts.items() if one[part] != other[part]]
        yield {
            "source": name,
            "changed": changes,
            "rows_before": one and one["rows"],
            "rows_after": other and other["rows"],
            "version_before": one and one["data_version"],
            "version_after": other and other["data_version"],
        }


def _changed(old: Record, new: Record, kind: str, *, keep_same: bool = False) -> list[Record]:
    return [
        {kind: name, "before": old.get(name), "after": new.get(name)}
        for name in dict.fromkeys([*old, *new])
        if keep_same or str(old.get(name)) != str(new.get(name))
    ]


def _metrics(control: ControlDB, old: TrainSide, new: TrainSide) -> Iterator[Record]:
    if not (old.recorded and new.recorded):
        yield from _scores(old, new)
        return
    names = [f"{one.train_session_id}:{one.train_id}" for one in (old, new)]
    dps = sorted({old.dataprovider_id, new.dataprovider_id})
    found = compare_trains(control, TrainFilter(names, dps), names[0])
    values = found.metrics
    if len(dps) > 1:
        values = values.groupby(["set", "name"], sort=False).first()
        for set_name, name in values.index:
            one, other = (values.loc[(set_name, name), side.train_id] for side in (old, new))
            yield _metric(set_name, name, one, other)
        return
    verdicts = found.verdicts_of([new.train_id])[new.train_id]
    for dp_id, set_name, name in values.index:
        key = (dp_id, set_name, name)
        one, other = (values.loc[key, side.train_id] for side in (old, new))
        yield _metric(set_name, name, one, other, VERDICTS[int(verdicts.get(key, 0))])


def _metric(set_name: str, name: str, one: Any, other: Any, verdict: str | None = None) -> Record:
    one, other = (None if pd.isna(value) else value for value in (one, other))
    numbers = isinstance(one, float) and isinstance(other, float)
    return {
        "set": set_name,
        "metric": name,
        "before": one,
        "after": other,
        "difference": other - one if numbers else None,
        "verdict": verdict,
    }


def _scores(old: TrainSide, new: TrainSide) -> Iterator[Record]:
    """Yield the built-in metrics that packages hold."""
    before, after = (
        {
            (set_name, metric): value
            for set_name, values in (side.manifest.scores if side.manifest else {}).items()
            for metric, value in values.items()
        }
        for side in (old, new)
    )
    for set_name, name in dict.fromkeys([*before, *after]):
        key = (set_name, name)
        yield _metric(set_name, name, before.get(key), after.get(key))


def _checks(control: ControlDB, old: TrainSide, new: TrainSide) -> Iterator[Record]:
    if not (old.recorded and new.recorded):
        return
    before, after = (
        check_results(control, one.dataprovider_id, one.train_id) for one in (old, new)
    )
    for asset, name in dict.fromkeys([*before, *after]):
        texts = [_outcome(results.get((asset, name))) for results in (before, after)]
        if texts[0] != texts[1]:
            yield {"check": name, "on": asset, "before": texts[0], "after": texts[1]}


def _outcome(result: tuple[bool, str] | None) -> str:
    if result is None:
        return "not run"
    return "passed" if result[0] else f"failed ({result[1]})"
