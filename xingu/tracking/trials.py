"""Store trials of searches in the control DB, and read the hyperparameters of earlier trains.

A trial is inserted as soon as it has ended. A search is open until its end is recorded; the next
search with the same key resumes an open one. The owner of a search is the train that began it, and
its id is part of the `search_id`.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from hashlib import blake2b

import pandas as pd
from sqlalchemy import Row, and_, delete, insert, select

from xingu.records import TrainRun, Trial
from xingu.tracking.database import ControlDB
from xingu.tracking.query import TrainFilter, attributes_of, find_trains
from xingu.tracking.record import ids_of, record_step
from xingu.tracking.schema import (
    HYPERPARAM,
    HYPERPARAM_DECLARED,
    HYPERPARAM_ORIGIN,
    HYPERPARAM_SEARCHED,
    TRAINED,
)
from xingu.tuning.resolve import DECLARED, SEARCHED, EarlierTrain
from xingu.tuning.trials import TrialLog, plain

BEGUN, ENDED = "train_hyperopt_start", "train_hyperopt_end"
COLUMNS = tuple(field.name for field in fields(Trial))


@dataclass
class RecordedTrials(TrialLog):
    """Trials of one search, which are rows of the control DB too.

    Attributes:
        db: The control DB.
        run: The train that searches.
        owner: The train that began the search; another one than `run` if that was killed.
        search_id: Hash of the search's key, and `train_id` of the owner.
    """

    db: ControlDB = field(kw_only=True)
    run: TrainRun = field(kw_only=True)
    owner: TrainRun = field(kw_only=True)
    search_id: str = field(kw_only=True)

    def record(self, trial: Trial) -> None:
        """Add a trial that has ended; a value that is NaN makes it a failed one."""
        table, trial = self.db.tables.trials, _storable(trial)
        same = and_(table.c.search_id == self.search_id, table.c.number == trial.number)
        row = {name: getattr(trial, name) for name in COLUMNS}
        row |= {"params": json.dumps(plain(trial.params)), "search_id": self.search_id}
        with self.db.write(self.search_id) as connection:
            connection.execute(delete(table).where(same))
            connection.execute(insert(table).values(**row, **ids_of(self.run)))
            super().record(trial)  # inside the transaction, which serializes threads

    def clear(self) -> None:
        """Remove all trials, also those in the control DB."""
        table = self.db.tables.trials
        with self.db.write(self.search_id) as connection:
            connection.execute(delete(table).where(table.c.search_id == self.search_id))
        super().clear()

    def close(self) -> None:
        """Record that the search has ended, for its owner and for the train that searched."""
        for run in dict.fromkeys((self.owner, self.run)):  # owner first: it decides about resuming
            record_step(self.db, run, ENDED)


def open_trials(db: ControlDB, run: TrainRun, key: Sequence[str]) -> RecordedTrials:
    """Begin a search or resume one that was killed, and return its trials.

    Args:
        db: The control DB.
        run: The train that searches.
        key: Texts that identify the search: version of the data, search space, metric, and so on.
    """
    key_hash = blake2b("\0".join((run.dataprovider_id, *key)).encode(), digest_size=12).hexdigest()
    record_step(db, run, BEGUN)
    rows, sessions = _trial_rows(db, key_hash), _sessions(db, run.dataprovider_id)
    # A retry of a run that searched and failed in a later step must not search again.
    own = [row.search_id for row in rows if run.train_id in (row.train_id, _owner(row.search_id))]
    if (run.train_id, ENDED) in sessions:
        own += [row.search_id for row in rows]  # another train may have replaced all its trials
    still_open = [row.search_id for row in rows if (_owner(row.search_id), ENDED) not in sessions]
    search_id = next(iter([*own, *still_open]), f"{key_hash}:{run.train_id}")
    owner_id = _owner(search_id)
    session = sessions.get((owner_id, BEGUN), run.train_session_id)
    owner = replace(run, train_id=owner_id, train_session_id=session)
    trials = [_trial(row) for row in rows if row.search_id == search_id]
    trials.sort(key=lambda trial: trial.number)
    return RecordedTrials(trials, db=db, run=run, owner=owner, search_id=search_id)


def earlier_hyperparameters(
    db: ControlDB, dataprovider_id: str, train_or_session_id: str | None = None
) -> Iterator[EarlierTrain]:
    """Yield the hyperparameters of earlier trains and of searches without a train, newest first.

    Args:
        db: The control DB.
        dataprovider_id: Id of the DataProvider.
        train_or_session_id: Only this train, or only trains of this session.
    """
    attributes = defaultdict[str, dict[str, str]](dict)
    recorded = attributes_of(db, TrainFilter(dataprovider_ids=[dataprovider_id]))
    for row in recorded.itertuples(index=False):
        if isinstance(row.value, str):
            attributes[str(row.train_id)][str(row.attribute)] = row.value
    selected = [train_or_session_id] if train_or_session_id else []
    trains = find_trains(db, TrainFilter(selected, [dataprovider_id]))
    fitted = set(trains["train_id"])
    searches = {
        row.train_id: row.value
        for row in attributes_of(db, TrainFilter(selected, [dataprovider_id])).itertuples()
        if row.attribute == HYPERPARAM_SEARCHED and row.train_id not in fitted
    }
    if searches:
        times = pd.to_datetime(pd.Series([*searches.values()]), utc=True)
        found = pd.DataFrame({"train_id": [*searches], "time": times.astype(trains["time"].dtype)})
        trains = pd.concat([trains, found], ignore_index=True)
    # `time` is whole seconds; trains of the same second are ordered by their own record.
    trains[TRAINED] = [attributes[train_id].get(TRAINED, "") for train_id in trains["train_id"]]
    trains = trains.sort_values(["time", TRAINED], ascending=False, kind="stable")
    for train_id in trains["train_id"]:
        if HYPERPARAM in attributes[train_id]:
            saved = json.loads(attributes[train_id][HYPERPARAM]) or {}
            hyperparams = saved.get("hyperparams") or {}
            declared, trained = (
                attributes[train_id].get(name) for name in (HYPERPARAM_DECLARED, TRAINED)
            )
            yield EarlierTrain(
                train_id,
                hyperparams,
                _were_searched(attributes, train_id),
                declared=json.loads(declared) if declared else None,
                trained=datetime.fromisoformat(trained) if trained else None,
            )


def _were_searched(attributes: Mapping[str, Mapping[str, str]], train_id: str) -> bool | None:
    """Return whether a search found the hyperparameters of a train; None if it is not known."""
    visited: set[str] = set()
    while train_id in attributes and train_id not in visited:
        visited.add(train_id)
        origin = attributes[train_id].get(HYPERPARAM_ORIGIN)
        if origin is None:
            return None
        if origin in (*DECLARED, SEARCHED):
            return origin == SEARCHED
        train_id = origin
    return None


def _trial_rows(db: ControlDB, key_hash: str) -> Sequence[Row]:
    """Return the trials of all searches with the same key, newest first."""
    table = db.tables.trials
    statement = select(*(table.c[name] for name in ("search_id", "train_id", *COLUMNS)))
    statement = statement.where(table.c.search_id.startswith(f"{key_hash}:"))
    newest = (table.c.started.desc(), table.c.search_id, table.c.number.desc())
    with db.read() as connection:
        return connection.execute(statement.order_by(*newest)).all()


def _sessions(db: ControlDB, dataprovider_id: str) -> dict[tuple[str, str], str]:
    """Return the session of each train that began or ended a search, by `train_id` and status."""
    table = db.tables.training_steps
    statement = select(table.c.train_id, table.c.status, table.c.train_session_id).where(
        table.c.dataprovider_id == dataprovider_id, table.c.status.in_([BEGUN, ENDED])
    )
    with db.read() as connection:
        return {(row[0], row[1]): row[2] for row in connection.execute(statement)}


def _owner(search_id: str) -> str:
    return search_id.partition(":")[2]


def _storable(trial: Trial) -> Trial:
    """Return a trial that all databases can store: Python numbers, and no NUL or half surrogate."""
    value = None if trial.value is None else float(trial.value)
    if value is not None and math.isnan(value):
        trial, value = replace(trial, state="failed", reason=trial.reason or "it is NaN"), None
    reason = trial.reason
    if reason is not None:
        reason = reason.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    times = {"started": float(trial.started), "ended": float(trial.ended)}
    return replace(trial, number=int(trial.number), value=value, reason=reason, **times)


def _trial(row: Row) -> Trial:
    saved = {name: getattr(row, name) for name in COLUMNS}
    return Trial(**saved | {"params": json.loads(row.params), "ended": row.ended or row.started})
