"""Compare trains: their attributes, parameters and metrics by set, as frames.

`view` selects the part of a Comparison that is shown; `terminal`, `page`, `excel` and
`json_document` render it; `report` has the class that users get.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from xingu.directions import (
    AVERAGED,
    DeclaredDirection,
    Direction,
    direction_of,
    without_synonyms,
)
from xingu.errors import DataError, UntrainedModelError, did_you_mean
from xingu.records import POSITIVE_CLASS
from xingu.tracking.database import ControlDB
from xingu.tracking.query import TrainFilter, attributes_of, find_trains, model_metrics
from xingu.tracking.schema import BRANCH, DIRECTIONS, HYPERPARAM, IDS, NOISE, TOLERANCES

METRIC = ["dataprovider_id", "set", "name"]
ONE_CLASS = (*AVERAGED, "Brier", "KS")
"""Metrics of the class that the attribute `POSITIVE_CLASS` names."""
Z_95 = 1.96
"""Half of the 95 % interval of a metric, in standard errors."""
DEFAULT_TOLERANCE = 1e-3
"""Share of the reference's value, for metrics without a known noise or a declared tolerance."""


@dataclass(frozen=True)
class Comparison:
    """Metrics, parameters and attributes of trains; columns of frames by train are train ids.

    Attributes:
        trains: Ids, time (UTC) and git branch of each train, newest first.
        attributes: Recorded attributes by DataProvider and name, without parameters.
        hyperparameters: Parameters and hyperparameters by DataProvider and name.
        metrics: Values by DataProvider, set and name: numbers or strings (NaN is ``NaN``).
        differences: Numbers of `metrics` minus those of the DataProvider's reference train.
        evolution: Numbers of `metrics` in long format, with ids, time and branch; oldest first.
        references: Train id of the reference by DataProvider.
        directions: Directions by DataProvider and metric, as recorded by its newest train.
        noise: Standard errors of numbers of `metrics`, where known.
        tolerances: Declared tolerances by DataProvider and metric, as recorded by its newest train.
    """

    trains: pd.DataFrame
    attributes: pd.DataFrame
    hyperparameters: pd.DataFrame
    metrics: pd.DataFrame
    differences: pd.DataFrame
    evolution: pd.DataFrame
    references: Mapping[str, str]
    directions: Mapping[str, Mapping[str, Direction]]
    noise: pd.DataFrame
    tolerances: Mapping[str, Mapping[str, float]]

    @property
    def verdicts(self) -> pd.DataFrame:
        """1 where a train is better than the reference, -1 where it is worse, else 0.

        A difference counts if it is larger than the declared tolerance of the metric; without one,
        if it leaves the 95 % interval of the metric on its set; if that is not known, if it is
        larger than `DEFAULT_TOLERANCE`.
        """
        return self.verdicts_of(self.differences.columns)

    def verdicts_of(self, train_ids: Sequence[str] | pd.Index) -> pd.DataFrame:
        """Return the columns of `verdicts` for `train_ids`."""
        return _verdicts(self, train_ids)

    def with_directions(self, directions: Mapping[str, DeclaredDirection]) -> Self:
        """Return a copy with directions of metrics, which override the recorded ones."""
        given = without_synonyms(directions)
        known = {dp_id: {**own, **given} for dp_id, own in self.directions.items()}
        return replace(self, directions=known)

    def select(self, names: Sequence[str] = (), sets: Sequence[str] = ()) -> Self:
        """Return a copy with the given metrics and sets only.

        Args:
            names: Names of metrics; empty: all.
            sets: Names of sets; empty: all.

        Raises:
            DataError: If a metric or a set does not exist.
        """
        selected = self
        for level, kind, wanted in (("name", "metric", names), ("set", "set", sets)):
            known = list(dict.fromkeys(selected.metrics.index.get_level_values(level)))
            for one in wanted:
                if one not in known:
                    hint = did_you_mean(one, known) or f" Known: {', '.join(known) or 'none'}."
                    raise DataError(f"No {kind} of these trains is called {one!r}.{hint}")
            if wanted:
                selected = selected._where(level, wanted)
        return selected

    def _where(self, level: str, wanted: Sequence[str]) -> Self:
        def rows(frame: pd.DataFrame) -> pd.DataFrame:
            return frame[frame.index.get_level_values(level).isin(wanted)]

        evolution = self.evolution[self.evolution[level].isin(wanted)]
        return replace(
            self,
            metrics=rows(self.metrics),
            differences=rows(self.differences),
            evolution=evolution,
        )


def compare_trains(
    db: ControlDB, wanted: TrainFilter, reference_train_id: str | None = None
) -> Comparison:
    """Read trains from the control DB and compare them.

    Args:
        db: The control DB.
        wanted: Filter of trains.
        reference_train_id: Id or full id of the train that differences refer to; None: for each
            DataProvider the second newest train.

    Raises:
        UntrainedModelError: If no train matches, or the reference is not among them.
    """
    trains = find_trains(db, wanted)
    _check_found(db, wanted, trains)
    references = _references(trains, reference_train_id)
    order = list(dict.fromkeys(trains["train_id"]))
    parts = TrainFilter(wanted.train_ids, wanted.dataprovider_ids, branches=wanted.branches)
    known = _of_trains(attributes_of(db, parts), trains)
    branches = known[known["attribute"] == BRANCH].drop_duplicates([*IDS])
    trains = trains.merge(branches[[*IDS, "value"]], "left", [*IDS])
    trains = trains.rename(columns={"value": "branch"})
    rows = _of_trains(model_metrics(db, parts).drop(columns="time"), trains)
    numbers = _wide(rows, METRIC, rows["value_number"], order)
    texts = rows["value_number"].isna() & rows["value_text"].notna()
    values = rows["value_number"].astype(object).where(~texts, rows["value_text"])
    is_hyperparam, is_noise = (
        known["attribute"] == HYPERPARAM,
        known["attribute"].str.startswith(NOISE),
    )
    own = known[~is_hyperparam & ~is_noise]
    attributes = _wide(own, ["dataprovider_id", "attribute"], own["value"], order)
    return Comparison(
        trains=trains,
        attributes=attributes,
        hyperparameters=_parameters_of(known[is_hyperparam], order),
        metrics=_wide(rows, METRIC, values, order),
        differences=_differences(numbers, references, attributes).dropna(how="all"),
        evolution=_evolution(rows, trains),
        references=references,
        directions={
            dp_id: without_synonyms(one) for dp_id, one in _declared(known, trains, DIRECTIONS)
        },
        noise=_noise_of(known[is_noise], order),
        tolerances=dict(_declared(known, trains, TOLERANCES)),
    )


def _check_found(db: ControlDB, wanted: TrainFilter, trains: pd.DataFrame) -> None:
    """Raise UntrainedModelError if no train, or no train of a requested id, was found."""
    names = trains["train_session_id"] + ":" + trains["train_id"]
    found = {*names, *trains["train_session_id"], *trains["train_id"]}
    missing = [one for one in wanted.train_ids if one not in found]
    if len(trains) and not missing:
        return
    known = find_trains(db)
    if known.empty:
        raise UntrainedModelError(
            f"The control DB ({db.address}) has no saved train; train a model first."
        )
    ids = [*known["train_id"], *known["train_session_id"]]
    for kind, requested, known_names in (
        ("train or session", missing, ids),
        ("DataProvider", wanted.dataprovider_ids, [*known["dataprovider_id"].unique()]),
        ("branch", wanted.branches, _branches_of(db) if wanted.branches else []),
    ):
        for one in requested:
            if one not in known_names and one.rpartition(":")[2] not in known_names:
                raise UntrainedModelError(
                    f"The control DB ({db.address}) has no matching train: no {kind} is called "
                    f"{one!r}.{did_you_mean(one, known_names)}"
                )
    rest = f", but not {', '.join(map(repr, missing))}" if len(trains) else ""
    raise UntrainedModelError(
        f"{len(trains) or 'None'} of the {len(known)} trains of the control DB ({db.address}) "
        f"match {_describe(wanted)}{rest}; use fewer filters."
    )


def _branches_of(db: ControlDB) -> list[str]:
    known = attributes_of(db)
    return list(known.loc[known["attribute"] == BRANCH, "value"].unique())


def _describe(wanted: TrainFilter) -> str:
    filters = {
        "trains": ", ".join(wanted.train_ids),
        "DataProviders": ", ".join(wanted.dataprovider_ids),
        "branches": ", ".join(wanted.branches),
        "since": wanted.start,
        "until": wanted.end,
    }
    return "; ".join(f"{name} {value}" for name, value in filters.items() if value) or "all"


def _references(trains: pd.DataFrame, requested: str | None) -> dict[str, str]:
    by_dp = trains.groupby("dataprovider_id", sort=False)["train_id"]
    references = {str(dp_id): ids.iloc[1] for dp_id, ids in by_dp if len(ids) > 1}
    if requested is None:
        return references
    requested_id = requested.rpartition(":")[2]
    own = trains[trains["train_id"] == requested_id]
    if own.empty:
        ids = list(trains["train_id"])
        raise UntrainedModelError(
            f"The reference {requested!r} is not among the {len(ids)} compared trains; "
            f"correct it, or use fewer filters.{did_you_mean(requested_id, ids)}",
            train_id=requested,
        )
    return references | dict.fromkeys(own["dataprovider_id"], requested_id)


def _declared(
    known: pd.DataFrame, trains: pd.DataFrame, attribute: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the value of a JSON attribute of the newest train of each DataProvider."""
    newest = trains.drop_duplicates("dataprovider_id")
    rows = _of_trains(known[known["attribute"] == attribute], newest)
    texts = dict(zip(rows["dataprovider_id"], rows["value"], strict=True))
    for dp_id in newest["dataprovider_id"]:
        yield dp_id, json.loads(texts.get(dp_id, "{}"))


def _noise_of(rows: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    cells = [
        (dp_id, attribute.removeprefix(NOISE), name, train_id, error)
        for dp_id, attribute, train_id, text in rows[
            ["dataprovider_id", "attribute", "train_id", "value"]
        ].itertuples(index=False)
        for name, error in json.loads(text).items()
    ]
    found = pd.DataFrame(cells, columns=[*METRIC, "train_id", "error"])
    return _wide(found, METRIC, found["error"].astype(float), order)


def _of_trains(rows: pd.DataFrame, trains: pd.DataFrame) -> pd.DataFrame:
    return rows.merge(trains[[*IDS]], on=[*IDS])


def _wide(rows: pd.DataFrame, index: list[str], values: pd.Series, order: list[str]):
    """Pivot `values` to one row per `index`, in order of appearance, and one column per train."""
    places = pd.DataFrame({name: pd.factorize(rows[name])[0] for name in index})
    names = rows[index].set_axis(pd.MultiIndex.from_frame(places)).sort_index().drop_duplicates()
    row = pd.MultiIndex.from_frame(names.reset_index(drop=True))
    dtype = float if values.dtype == float else object
    table = np.full((len(row), len(order)), np.nan, dtype=dtype)
    at = row.get_indexer(pd.MultiIndex.from_frame(rows[index]))
    # The last of several values of one name wins.
    table[at, pd.Index(order).get_indexer(pd.Index(rows["train_id"]))] = values.to_numpy()
    return pd.DataFrame(table, row, pd.Index(order, name="train_id"))


def _parameters_of(rows: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    cells: list[tuple[str, str, str, Any]] = []
    for dp_id, train_id, text in rows[["dataprovider_id", "train_id", "value"]].itertuples(
        index=False
    ):
        saved = json.loads(text)
        parameters = {**(saved.get("params") or {}), **(saved.get("hyperparams") or {})}
        cells += [(dp_id, train_id, name, value) for name, value in parameters.items()]
    names = ["dataprovider_id", "train_id", "name", "value"]
    found = pd.DataFrame(cells, columns=names, dtype=object)
    return _wide(found, ["dataprovider_id", "name"], found["value"], order)


def _differences(
    numbers: pd.DataFrame, references: Mapping[str, str], attributes: pd.DataFrame
) -> pd.DataFrame:
    with np.errstate(invalid="ignore"):  # infinite minus infinite
        differences = numbers.sub(_of_references(numbers, references), axis=0)
    # Metrics of one class are not compared with those of another.
    of_one_class = differences.index.get_level_values("name").isin(ONE_CLASS)
    for dp_id, reference in references.items():
        if (dp_id, POSITIVE_CLASS) in attributes.index:
            classes = attributes.loc[[(dp_id, POSITIVE_CLASS)]].iloc[0].astype(str)
            own = differences.index.get_level_values("dataprovider_id") == dp_id
            differences.loc[own & of_one_class, classes != classes[reference]] = np.nan
    return differences


def _of_references(metrics: pd.DataFrame, references: Mapping[str, str]) -> pd.Series:
    base = pd.Series(np.nan, metrics.index)
    for dp_id, train_id in references.items():
        own = metrics.index.get_level_values("dataprovider_id") == dp_id
        base[own] = pd.to_numeric(metrics.loc[own, train_id], errors="coerce")
    return base


def _verdicts(compared: Comparison, train_ids: Sequence[str] | pd.Index) -> pd.DataFrame:
    change = compared.differences[list(train_ids)]
    base = _of_references(compared.metrics.loc[change.index], compared.references)
    directions = [direction_of(name, compared.directions[dp_id]) for dp_id, _, name in change.index]
    factors = {"maximize": 1.0, "minimize": -1.0}
    signs = [factors.get(way or "", 0.0) for way in directions]
    gain = change.mul(pd.Series(signs, base.index), axis=0)
    zero = np.array([way == "zero" for way in directions], dtype=bool)
    gain[zero] = (-change[zero].add(base[zero], axis=0).abs()).add(base[zero].abs(), axis=0)
    same = gain.abs().le(_tolerances(compared, base, gain)) | gain.isna()
    return gain.gt(0).astype(int).sub(gain.lt(0).astype(int)).mask(same, 0)


def _tolerances(compared: Comparison, base: pd.Series, shape: pd.DataFrame) -> pd.DataFrame:
    """Return the largest difference that does not count, for each number of `shape`."""
    noise = compared.noise.reindex(base.index)
    of_reference = _of_references(noise, compared.references).to_numpy()[:, np.newaxis]
    by_default = (base.abs() * DEFAULT_TOLERANCE).where(np.isfinite(base), 0).to_numpy()
    known = Z_95 * np.maximum(noise[shape.columns].to_numpy(dtype=float), of_reference)
    found = np.where(np.isnan(known), by_default[:, np.newaxis], known)
    tolerances = pd.DataFrame(found, shape.index, shape.columns)
    for at, (dp_id, _, name) in enumerate(base.index):
        declared = compared.tolerances.get(dp_id, {})
        if name in declared:
            tolerances.iloc[at] = declared[name]
    return tolerances


def _evolution(rows: pd.DataFrame, trains: pd.DataFrame) -> pd.DataFrame:
    numbers = rows.loc[rows["value_number"].notna() | (rows["value_text"] == "NaN")]
    numbers = numbers.drop(columns="value_text").rename(columns={"value_number": "value"})
    order = pd.RangeIndex(len(trains)).to_series(index=pd.MultiIndex.from_frame(trains[[*IDS]]))
    found = numbers.merge(trains[[*IDS, "time", "branch"]], on=[*IDS])
    at = order.reindex(pd.MultiIndex.from_frame(found[[*IDS]])).to_numpy()
    return found.iloc[np.argsort(-at, kind="stable")].reset_index(drop=True)
