"""Rows of a partition of a batch are replaced by that partition only."""

import pandas as pd
from sqlalchemy import select

from xingu.records import TrainRun
from xingu.tracking.record import record_estimation_metrics, record_estimations

RUN, OTHER = (TrainRun("houses", name, "brave-day", "run") for name in ("calm-fox", "shy-owl"))


def estimated(db, run=RUN):
    """Estimations of a train, by index, in order."""
    table = db.tables.estimations
    query = select(table.c.index, table.c.estimation).where(table.c.train_id == run.train_id)
    with db.read() as connection:
        return sorted(tuple(row) for row in connection.execute(query))


def record(db, partition, rows, run=RUN):
    values = pd.Series({key: float(value) for key, value in rows.items()}, dtype="float64")
    record_estimations(db, run, values, partition=partition)


def test_a_partition_replaces_its_rows_only_also_those_that_are_gone(db):
    record(db, "monday", {1: 10, 2: 20})
    record(db, "tuesday", {2: 21, 3: 31})
    record(db, "monday", {1: 11})
    assert estimated(db) == [("1", 11), ("2", 21), ("3", 31)]
    record(db, "tuesday", {})
    assert estimated(db) == [("1", 11)]


def test_the_same_row_in_many_partitions_of_one_second_is_there_for_each(db):
    for number in range(20):
        record(db, f"day {number}", {"a": number})
    for number in range(20):
        record(db, f"day {number}", {"a": number})
    assert estimated(db) == sorted(("a", float(number)) for number in range(20))


def test_trains_and_tables_do_not_share_partitions(db):
    record(db, "monday", {1: 10})
    record(db, "monday", {1: 99}, OTHER)
    metrics = pd.DataFrame({"name": ["x"], "value_number": [1.0], "value_text": [None]}, index=[1])
    for _ in range(2):
        record_estimation_metrics(db, RUN, metrics, "monday")
    assert (estimated(db), estimated(db, OTHER)) == ([("1", 10)], [("1", 99)])
    with db.read() as connection:
        assert len(connection.execute(select(db.tables.metrics_estimation)).all()) == 1


def test_a_batch_that_gets_or_loses_partitions_leaves_no_rows_behind(db):
    record(db, None, {1: 10, 2: 20})
    record(db, "monday", {1: 11})
    assert estimated(db) == [("1", 11)]
    record(db, None, {5: 50})
    assert estimated(db) == [("5", 50)]
    record(db, "monday", {1: 12})
    assert estimated(db) == [("1", 12)]
