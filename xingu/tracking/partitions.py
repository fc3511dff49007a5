"""Rows of one partition of a batch in tables that have no column for it.

The tables of Xingu 2.0 keep their columns. Rows of one partition and train have a `time` of their
own, and the table `batch_partitions` has that time by partition. So a partition that is estimated
again replaces its rows only, also if the same row is in several partitions.
"""

from sqlalchemy import Connection, Table, and_, delete, insert, select
from sqlalchemy.sql import ColumnElement

from xingu.records import TrainRun
from xingu.tracking.database import ControlDB
from xingu.tracking.schema import IDS


def renewed_partition(
    db: ControlDB, connection: Connection, table: Table, run: TrainRun, partition: str, now: int
) -> int:
    """Delete the rows of a partition, and return the time that its new rows have.

    It is the newest second up to now that no other partition of the train has. Rows of a batch
    that had no partitions yet are deleted too.

    Args:
        db: The control DB.
        connection: A write transaction for the train, so that no two find the same time free.
        table: Table of the rows.
        run: The train.
        partition: Key of the partition.
        now: The current time.
    """
    marks = db.tables.batch_partitions
    found = select(marks.c.partition, marks.c.time).where(_of_train(marks, table, run))
    times = {row.partition: row.time for row in connection.execute(found)}
    before = times.pop(partition, None)
    rows = _of_train(table, None, run)
    if before is not None:
        connection.execute(delete(table).where(rows, table.c.time == before))
        this = and_(_of_train(marks, table, run), marks.c.partition == partition)
        connection.execute(delete(marks).where(this))
    elif not times:
        connection.execute(delete(table).where(rows))
    taken = {*times.values()}
    time = next(second for second in range(now, now - len(taken) - 1, -1) if second not in taken)
    ids = {name: getattr(run, name) for name in IDS}
    row = {**ids, "table_name": table.name, "partition": partition, "time": time}
    connection.execute(insert(marks).values(row))
    return time


def forget_partitions(db: ControlDB, connection: Connection, table: Table, run: TrainRun) -> None:
    """Forget the partitions of a train, of which all rows are replaced."""
    marks = db.tables.batch_partitions
    connection.execute(delete(marks).where(_of_train(marks, table, run)))


def _of_train(table: Table, marked: Table | None, run: TrainRun) -> ColumnElement[bool]:
    """Return the condition for rows of a train; of marks, for those of the table `marked`."""
    conditions = [table.c.dataprovider_id == run.dataprovider_id, table.c.train_id == run.train_id]
    if marked is not None:
        conditions.append(table.c.table_name == marked.name)
    return and_(*conditions)
