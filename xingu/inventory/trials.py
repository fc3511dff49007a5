"""Trials of searches in the control DB, and hyperparameters of earlier trains.

Its one idea: a trial is a row as soon as it has ended, and a search is open until its end was
recorded; the next search for the same thing takes up an open one.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row, and_, delete, insert, select

from xingu.inventory.database import ControlDB
from xingu.inventory.recording import record_step
from xingu.inventory.trains import TrainFilter, attributes_of, find_trains
from xingu.model import TrainRun
from xingu.tuning.hyperparameters import DECLARED, Earlier
from xingu.tuning.trials import Trial, TrialLog, plain

STEP = "train_hyperopt"
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
        """Take a trial that has ended, and write it down."""
        table = self.db.tables.trials
        same = and_(table.c.search_id == self.search_id, table.c.number == trial.number)
        row = {name: getattr(trial, name) for name in COLUMNS}
        row["params"] = json.dumps(plain(trial.params))
        with self.db.write(self.search_id) as connection:
            connection.execute(delete(table).where(same))
            connection.execute(insert(table).values(**row, **self._ids))
        super().record(trial)

    def close(self) -> None:
        """Record that the search has ended, also for its owner."""
        for run in {self.run, self.owner}:
            record_step(self.db, run, f"{STEP}_end")

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
    table = db.tables.trials
    columns = [table.c[name] for name in ("search_id", "train_id", "train_session_id", *COLUMNS)]
    statement = select(*columns).where(table.c.search_id.startswith(f"{about}:"))
    with db.read() as connection:
        rows = connection.execute(statement.order_by(table.c.started)).all()
    known = list(dict.fromkeys(row.search_id for row in reversed(rows)))
    own = f"{about}:{run.train_id}"
    # A retry of a run that has searched, and failed later, shall not search again.
    open_ids = [own] if own in known else [one for one in known if not _ended(db, run, one)]
    search_id = open_ids[0] if open_ids else own
    rows = [row for row in rows if row.search_id == search_id]
    begun_by = {row.train_id: row.train_session_id for row in rows}
    first = search_id.partition(":")[2]
    owner = replace(run, train_id=first, train_session_id=begun_by.get(first, run.train_session_id))
    trials = sorted(map(_trial, rows), key=lambda trial: trial.number)
    record_step(db, run, f"{STEP}_start")
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
    attributes = attributes_of(db, wanted).pivot_table(
        index="train_id", columns="attribute", values="value", aggfunc="last"
    )
    known: dict[str, dict[str, Any]] = attributes.to_dict("index")  # type: ignore[assignment]
    trains = find_trains(db, TrainFilter(named, [dataprovider_id]))
    # Two of the same second are told apart by the time that they have recorded themselves.
    trains["trained"] = [known.get(one, {}).get("trained") or "" for one in trains["train_id"]]
    trains = trains.sort_values(["time", "trained"], ascending=False, kind="stable")
    for train_id in trains["train_id"]:
        if isinstance(text := known.get(train_id, {}).get("hyperparam"), str):
            hyperparams = json.loads(text).get("hyperparams") or {}
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


def _ended(db: ControlDB, run: TrainRun, search_id: str) -> bool:
    table = db.tables.training_steps
    owner = and_(
        table.c.dataprovider_id == run.dataprovider_id,
        table.c.train_id == search_id.partition(":")[2],
        table.c.status == f"{STEP}_end",
    )
    with db.read() as connection:
        return connection.scalar(select(1).where(owner).limit(1)) is not None


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
