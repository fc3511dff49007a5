"""Trials of searches in the control DB, and hyperparameters of earlier trains.

Its one idea: a trial is a row as soon as it has ended, and a search is open until its end was
recorded; the next search for the same thing takes up an open one.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row, and_, delete, insert, select

from xingu.records import TrainRun, Trial
from xingu.tracking.database import ControlDB
from xingu.tracking.query import TrainFilter, attributes_of, find_trains
from xingu.tracking.record import record_step
from xingu.tuning.resolve import DECLARED, Earlier
from xingu.tuning.trials import TrialLog, plain

BEGUN, ENDED = "train_hyperopt_start", "train_hyperopt_end"
COLUMNS = ("number", "params", "state", "value", "reason", "started", "ended")


@dataclass
class RecordedTrials(TrialLog):
    """The trials of one search, each of them a row.

    Attributes:
        db: The control DB.
        run: The train that searches.
        owner: The train that began it.
        search_id: What the search is called: what it is about, and its owner.
    """

    db: ControlDB = field(kw_only=True)
    run: TrainRun = field(kw_only=True)
    owner: TrainRun = field(kw_only=True)
    search_id: str = field(kw_only=True)

    def record(self, trial: Trial) -> None:
        """Take a trial that has ended, and write it down; NaN makes it a failed one."""
        table, trial = self.db.tables.trials, _storable(trial)
        same = and_(table.c.search_id == self.search_id, table.c.number == trial.number)
        row = {name: getattr(trial, name) for name in COLUMNS}
        row["params"] = json.dumps(plain(trial.params))
        with self.db.write(self.search_id) as connection:
            connection.execute(delete(table).where(same))
            connection.execute(insert(table).values(**row, **self._ids))
            super().record(trial)  # in here, because threads take turns

    def clear(self) -> None:
        """Forget all trials, also those in the control DB."""
        table = self.db.tables.trials
        with self.db.write(self.search_id) as connection:
            connection.execute(delete(table).where(table.c.search_id == self.search_id))
        super().clear()

    def close(self) -> None:
        """Record that the search has ended, also for its owner."""
        for run in dict.fromkeys((self.owner, self.run)):  # the owner's is what counts: first
            record_step(self.db, run, ENDED)

    @property
    def _ids(self) -> dict[str, str]:
        run = self.run
        return {
            "search_id": self.search_id,
            "dataprovider_id": run.dataprovider_id,
            "train_session_id": run.train_session_id,
            "train_id": run.train_id,
        }


def open_trials(db: ControlDB, run: TrainRun, subject: Sequence[str]) -> RecordedTrials:
    """Return the trials of a search: of one that was killed, else of a new one.

    Args:
        db: The control DB.
        run: The train that searches.
        subject: What the search is about: data, search space, judge.
    """
    text = "\0".join((run.dataprovider_id, *subject))
    about = blake2b(text.encode(), digest_size=12).hexdigest()
    record_step(db, run, BEGUN)
    rows, sessions = _trial_rows(db, about), _sessions(db, run.dataprovider_id)
    # A retry of a run that has searched, and failed later, shall not search again.
    own = [row.search_id for row in rows if run.train_id in (row.train_id, _owner(row.search_id))]
    if (run.train_id, ENDED) in sessions:
        own += [row.search_id for row in rows]  # another train may have replaced all its trials
    still_open = [row.search_id for row in rows if (_owner(row.search_id), ENDED) not in sessions]
    search_id = next(iter([*own, *still_open]), f"{about}:{run.train_id}")
    first = _owner(search_id)
    session = sessions.get((first, BEGUN), run.train_session_id)
    owner = replace(run, train_id=first, train_session_id=session)
    trials = [_trial(row) for row in rows if row.search_id == search_id]
    trials.sort(key=lambda trial: trial.number)
    return RecordedTrials(trials, db=db, run=run, owner=owner, search_id=search_id)


def earlier_hyperparameters(
    db: ControlDB, dataprovider_id: str, train_or_session_id: str | None = None
) -> Iterator[Earlier]:
    """Give the hyperparameters of trains, newest first.

    Args:
        db: The control DB.
        dataprovider_id: The DataProvider.
        train_or_session_id: Only of this train or session.
    """
    named = [train_or_session_id] if train_or_session_id else []
    wanted = TrainFilter(dataprovider_ids=[dataprovider_id])
    attributes = attributes_of(db, wanted)[["train_id", "attribute", "value"]]
    known: dict[str, dict[str, Any]] = {}
    for train_id, attribute, value in attributes.itertuples(index=False, name=None):
        if isinstance(value, str):
            known.setdefault(train_id, {})[attribute] = value
    trains = find_trains(db, TrainFilter(named, [dataprovider_id]))
    # Two of the same second are told apart by the time that they have recorded themselves.
    trains["trained"] = [known.get(one, {}).get("trained") or "" for one in trains["train_id"]]
    trains = trains.sort_values(["time", "trained"], ascending=False, kind="stable")
    for train_id in trains["train_id"]:
        if isinstance(text := known.get(train_id, {}).get("hyperparam"), str):
            hyperparams = (json.loads(text) or {}).get("hyperparams") or {}
            yield Earlier(train_id, hyperparams, _found(known, train_id))


def _found(known: dict[str, dict[str, Any]], train_id: str) -> bool | None:
    """Whether a search has found the hyperparameters of a train; None: nobody knows."""
    seen: set[str] = set()
    while train_id in known and train_id not in seen:
        seen.add(train_id)
        origin = known[train_id].get("hyperparam_origin")
        if not isinstance(origin, str):
            return None
        if origin in DECLARED or origin == "self":
            return origin == "self"
        train_id = origin
    return None


def _trial_rows(db: ControlDB, about: str) -> Sequence[Row]:
    """The trials of all searches about the same, newest first."""
    table = db.tables.trials
    statement = select(*(table.c[name] for name in ("search_id", "train_id", *COLUMNS)))
    statement = statement.where(table.c.search_id.startswith(f"{about}:"))
    newest = (table.c.started.desc(), table.c.search_id, table.c.number.desc())
    with db.read() as connection:
        return connection.execute(statement.order_by(*newest)).all()


def _sessions(db: ControlDB, dataprovider_id: str) -> dict[tuple[str, str], str]:
    """The session of each train, by train and whether it has begun or ended a search."""
    table = db.tables.training_steps
    statement = select(table.c.train_id, table.c.status, table.c.train_session_id).where(
        table.c.dataprovider_id == dataprovider_id, table.c.status.in_([BEGUN, ENDED])
    )
    with db.read() as connection:
        return {(row[0], row[1]): row[2] for row in connection.execute(statement)}


def _owner(search_id: str) -> str:
    return search_id.partition(":")[2]


def _storable(trial: Trial) -> Trial:
    """A trial as every database takes it: plain numbers, and no text that cannot be stored."""
    value = None if trial.value is None else float(trial.value)
    if value is not None and math.isnan(value):
        trial, value = replace(trial, state="failed", reason=trial.reason or "it is NaN"), None
    reason = trial.reason
    if reason is not None:
        reason = reason.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    times = {"started": float(trial.started), "ended": float(trial.ended)}
    return replace(trial, number=int(trial.number), value=value, reason=reason, **times)


def _trial(row: Row) -> Trial:
    return Trial(
        row.number,
        json.loads(row.params),
        row.state,
        row.value,
        row.reason,
        row.started,
        row.ended or row.started,
    )
