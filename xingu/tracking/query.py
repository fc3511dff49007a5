"""Read trains, metrics, attributes and steps from the control DB as frames.

Databases that Xingu 2.0 wrote are read too, so queries use its seven tables only, except where a
docstring says otherwise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Select, Table, and_, func, select

from xingu.tracking.database import ControlDB
from xingu.tracking.schema import BRANCH, IDS, NOT_FINITE


@dataclass(frozen=True, slots=True)
class TrainFilter:
    """Conditions that select trains; empty ones do not restrict.

    Attributes:
        train_ids: Each a `train_id`, a `train_session_id`, or ``session:train``.
        dataprovider_ids: Ids of DataProviders.
        start: Earliest begin of the train, inclusive.
        end: Latest begin of the train, exclusive.
        branches: Git branches that the trains ran on.
    """

    train_ids: Sequence[str] = ()
    dataprovider_ids: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    branches: Sequence[str] = ()


def find_trains(db: ControlDB, where: TrainFilter = TrainFilter()) -> pd.DataFrame:
    """Return trains, newest first, with the columns of `IDS` and `time` (UTC).

    `time` is that of the first step or metric, so a batch prediction does not make an old train
    newer. It is NaT if there is neither.
    """
    tables = db.tables
    steps = _times(tables.training_steps).union_all(_times(tables.metrics_model)).subquery()
    begun = func.min(steps.c.time).label("time")
    training = tables.training
    same = and_(*(training.c[name] == steps.c[name] for name in IDS))
    ids = [training.c[name] for name in IDS]
    statement = select(*ids, begun).outerjoin(steps, same).group_by(*ids)
    statement = statement.order_by(begun.desc(), *ids)
    if where.start is not None:
        statement = statement.having(begun >= int(where.start.timestamp()))
    if where.end is not None:
        statement = statement.having(begun < int(where.end.timestamp()))
    return _frame(db, _restricted(db, statement, training, where), [*IDS, "time"])


def model_metrics(db: ControlDB, where: TrainFilter = TrainFilter()) -> pd.DataFrame:
    """Return the metrics of trains.

    Returns:
        Columns of `IDS`, ``time`` (UTC), ``set``, ``name``, ``value_number`` (float64) and
        ``value_text``. A value that is not finite is in both: as a number and as a text.
    """
    columns = ["time", "set", "name", "value_number", "value_text"]
    found = _rows(db, db.tables.metrics_model, where, columns)
    found["value_number"] = found["value_number"].astype("float64")
    for number, text in NOT_FINITE.items():
        found.loc[found["value_text"] == text, "value_number"] = number
    return found


def attributes_of(db: ControlDB, where: TrainFilter = TrainFilter()) -> pd.DataFrame:
    """Return attributes of trains, with the columns of `IDS`, ``attribute`` and ``value``."""
    return _rows(db, db.tables.training_attributes, where, ["attribute", "value"])


def steps_of(db: ControlDB, where: TrainFilter) -> pd.DataFrame:
    """Return begin and end of the steps of trains, oldest first.

    Returns:
        Columns of `IDS`, ``time`` (UTC) and ``status``, for example ``train_fit_start``.
    """
    found = _rows(db, db.tables.training_steps, where, ["time", "status"])
    return found.sort_values("time", kind="stable", ignore_index=True)


def check_results(
    db: ControlDB, dataprovider_id: str, train_id: str
) -> dict[tuple[str, str], tuple[bool, str]]:
    """Return, by asset and check, whether it passed on a train, and its severity.

    The severity is that of the result: a failure that is not conclusive is a ``warn``. Reads the
    table `checks`, which databases of Xingu 2.0 get when they are opened.
    """
    table = db.tables.checks
    same = and_(table.c.dataprovider_id == dataprovider_id, table.c.train_id == train_id)
    columns = (table.c.asset, table.c.name, table.c.passed, table.c.severity)
    with db.read() as connection:
        rows = connection.execute(select(*columns).where(same)).all()
    return {(asset, name): (bool(passed), severity) for asset, name, passed, severity in rows}


def children_of(db: ControlDB, dataprovider_id: str, train_id: str) -> list[tuple[str, str]]:
    """Return DataProvider and `train_id` of the trains whose prerequisite is the given train.

    Reads the table `train_parents`, which databases of Xingu 2.0 get when they are opened.
    """
    table = db.tables.parents
    same = and_(
        table.c.parent_dataprovider_id == dataprovider_id, table.c.parent_train_id == train_id
    )
    statement = select(table.c.dataprovider_id, table.c.train_id).where(same)
    with db.read() as connection:
        return [(row[0], row[1]) for row in connection.execute(statement)]


def _times(table: Table) -> Select:
    return select(*(table.c[name] for name in IDS), table.c.time)


def _rows(db: ControlDB, table: Table, where: TrainFilter, columns: Iterable[str]) -> pd.DataFrame:
    names = [*IDS, *columns]
    statement = select(*(table.c[name] for name in names))
    return _frame(db, _restricted(db, statement, table, where), names)


def _frame(db: ControlDB, statement: Select, columns: list[str]) -> pd.DataFrame:
    with db.read() as connection:
        # pandas takes seconds to convert 100,000 Row objects of SQLAlchemy, tuples are fast.
        found = pd.DataFrame(list(map(tuple, connection.execute(statement))), columns=columns)
    if "time" in columns:
        found["time"] = pd.to_datetime(found["time"], unit="s", utc=True)
    return found


def _restricted(db: ControlDB, statement: Select, table: Table, where: TrainFilter) -> Select:
    if where.dataprovider_ids:
        statement = statement.where(table.c.dataprovider_id.in_(where.dataprovider_ids))
    if where.train_ids:
        ids = [name.rpartition(":")[2] for name in where.train_ids]
        sessions = [name for name in where.train_ids if ":" not in name]
        statement = statement.where(
            table.c.train_id.in_(ids) | table.c.train_session_id.in_(sessions)
        )
    if where.branches:
        attributes = db.tables.training_attributes.alias("branches")
        on_branch = (attributes.c.attribute == BRANCH) & attributes.c.value.in_(where.branches)
        same = [attributes.c[name] == table.c[name] for name in IDS]
        statement = statement.where(select(attributes.c.value).where(on_branch, *same).exists())
    return statement
