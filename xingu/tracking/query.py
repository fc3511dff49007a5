"""Ask the control DB what it remembers; also a database that Xingu 2.0 has filled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Select, Table, and_, func, select

from xingu.tracking.database import ControlDB


@dataclass(frozen=True, slots=True)
class TrainFilter:
    """Which trains are meant; what is not given does not matter.

    Attributes:
        train_ids: A `train_id`, a `train_session_id`, or ``session:train`` each.
        dataprovider_ids: Ids of DataProviders.
        start: Begun at this time or later.
        end: Begun before this time.
        branches: Branches of git that they were trained on.
    """

    train_ids: Sequence[str] = ()
    dataprovider_ids: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    branches: Sequence[str] = ()


IDS = ("dataprovider_id", "train_session_id", "train_id")


def find_trains(db: ControlDB, wanted: TrainFilter = TrainFilter()) -> pd.DataFrame:
    """Return trains, newest first: their ids, and `time` (UTC) of their first step or metric.

    Not of the last one: an old train does not become a new one when it estimates a batch again.
    """
    tables = db.tables
    steps = _times(tables.training_steps).union_all(_times(tables.metrics_model)).subquery()
    begun = func.min(steps.c.time).label("time")
    training = tables.training
    same = and_(*(training.c[name] == steps.c[name] for name in IDS))
    ids = [training.c[name] for name in IDS]
    statement = select(*ids, begun).outerjoin(steps, same).group_by(*ids)
    statement = statement.order_by(begun.desc(), *ids)
    for time, too_early in ((wanted.start, True), (wanted.end, False)):
        if time is not None:
            limit = int(time.timestamp())
            statement = statement.having(begun >= limit if too_early else begun < limit)
    statement = _restricted(db, statement, training, wanted)
    with db.read() as connection:
        found = _frame(connection.execute(statement), [*IDS, "time"])
    return found.assign(time=pd.to_datetime(found["time"], unit="s", utc=True))


def model_metrics(db: ControlDB, wanted: TrainFilter = TrainFilter()) -> pd.DataFrame:
    """Return metrics: ids, time (UTC), set, name, value_number and value_text.

    What is not finite is a number here too: NaN, and infinite ones.
    """
    table = db.tables.metrics_model
    columns = [*IDS, "time", "set", "name", "value_number", "value_text"]
    statement = _restricted(db, select(*(table.c[name] for name in columns)), table, wanted)
    with db.read() as connection:
        found = _frame(connection.execute(statement), columns)
    found = found.assign(time=pd.to_datetime(found["time"], unit="s", utc=True))
    found["value_number"] = found["value_number"].astype("float64")
    for text, number in NOT_FINITE.items():
        found.loc[found["value_text"] == text, "value_number"] = number
    return found


NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def attributes_of(db: ControlDB, wanted: TrainFilter = TrainFilter()) -> pd.DataFrame:
    """Return what is known of trains: ids, attribute, value."""
    return _rows(db, db.tables.training_attributes, wanted, ["attribute", "value"])


def steps_of(db: ControlDB, wanted: TrainFilter) -> pd.DataFrame:
    """Return when the steps of trains began and ended: ids, time (UTC), status; in their order."""
    found = _rows(db, db.tables.training_steps, wanted, ["time", "status"])
    return found.assign(time=pd.to_datetime(found["time"], unit="s", utc=True)).sort_values(
        "time", kind="stable", ignore_index=True
    )


def rejected_trains(db: ControlDB, dataprovider_id: str) -> set[str]:
    """Return the trains of a DataProvider that failed a check of severity ``error``."""
    table = db.tables.checks
    failed = and_(table.c.severity == "error", table.c.passed.is_(False))
    own = table.c.dataprovider_id == dataprovider_id
    with db.read() as connection:
        return set(connection.scalars(select(table.c.train_id).where(own, failed)))


def children_of(db: ControlDB, dataprovider_id: str, train_id: str) -> list[tuple[str, str]]:
    """Return the trains (DataProvider, `train_id`) that have a train as a prerequisite."""
    table = db.tables.parents
    own = and_(
        table.c.parent_dataprovider_id == dataprovider_id, table.c.parent_train_id == train_id
    )
    statement = select(table.c.dataprovider_id, table.c.train_id).where(own)
    with db.read() as connection:
        return [(row[0], row[1]) for row in connection.execute(statement)]


def _times(table: Table) -> Select:
    return select(*(table.c[name] for name in IDS), table.c.time)


def _rows(db: ControlDB, table: Table, wanted: TrainFilter, columns: Iterable[str]):
    names = [*IDS, *columns]
    statement = _restricted(db, select(*(table.c[name] for name in names)), table, wanted)
    with db.read() as connection:
        return _frame(connection.execute(statement), names)


def _frame(result: Iterable[Sequence[Any]], columns: list[str]) -> pd.DataFrame:
    # pandas takes seconds to look at 100,000 rows of SQLAlchemy, and none for tuples.
    return pd.DataFrame(list(map(tuple, result)), columns=columns)


def _restricted(db: ControlDB, statement: Select, table: Table, wanted: TrainFilter) -> Select:
    if wanted.dataprovider_ids:
        statement = statement.where(table.c.dataprovider_id.in_(wanted.dataprovider_ids))
    if wanted.train_ids:
        ids = [text.rpartition(":")[2] for text in wanted.train_ids]
        sessions = [text for text in wanted.train_ids if ":" not in text]
        statement = statement.where(
            table.c.train_id.in_(ids) | table.c.train_session_id.in_(sessions)
        )
    if wanted.branches:
        known = db.tables.training_attributes.alias("branches")
        on_branch = (known.c.attribute == "git_branch") & known.c.value.in_(wanted.branches)
        same = [known.c[name] == table.c[name] for name in IDS]
        statement = statement.where(select(known.c.value).where(on_branch, *same).exists())
    return statement
