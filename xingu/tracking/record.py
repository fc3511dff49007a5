"""Write the records of a train to the control DB.

A `record_…` function deletes the earlier records of the same train and inserts the new ones in one
transaction, so a retried step leaves no duplicates. A `claim_…` function keeps the first claim.
"""

import json
import math
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import chain, count
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, and_, delete, insert, or_, select
from sqlalchemy.sql import ColumnElement

from xingu.records import (
    BATCH_SET,
    GLOBAL_SET,
    Channel,
    CheckRecord,
    MetricRow,
    Noise,
    PackageRecord,
    PlotChannel,
    SourceRecord,
    TrainRun,
)
from xingu.tracking.bulk import index_strings, insert_columns, plain_values
from xingu.tracking.database import ControlDB
from xingu.tracking.partitions import forget_partitions, renewed_partition
from xingu.tracking.schema import IDS, NOISE, NOT_FINITE


def claim_session(db: ControlDB, root_run_id: str, requested: str) -> str:
    """Reserve the name of a run's session and return it.

    All processes of a run and of its retries get the same name.

    Args:
        db: The control DB.
        root_run_id: The run, or the first run that it retries.
        requested: The name; a number is appended if another run has it.
    """
    table = db.tables.sessions
    with db.write("sessions") as connection:
        claimed = select(table.c.train_session_id).where(table.c.root_run_id == root_run_id)
        if name := connection.scalar(claimed):
            return name
        name = _free_name(
            requested, lambda name: _exists(connection, table.c.train_session_id == name)
        )
        connection.execute(insert(table).values(train_session_id=name, root_run_id=root_run_id))
        return name


def claim_train(
    db: ControlDB, run: TrainRun, root_run_id: str, taken: Callable[[str], bool]
) -> str:
    """Reserve the `train_id` of a run and return it.

    Args:
        db: The control DB.
        run: The train, with the requested `train_id`; a number is appended if it is not free.
        root_run_id: The run, or the first run that it retries.
        taken: Whether a package with this `train_id` exists; packages are never overwritten.
    """
    table = db.tables.claims

    def claimed(name: str) -> ColumnElement[bool]:
        return and_(table.c.dataprovider_id == run.dataprovider_id, table.c.train_id == name)

    def unavailable(name: str) -> bool:
        by_others = and_(claimed(name), table.c.root_run_id != root_run_id)
        return _exists(connection, by_others) or taken(name)

    with db.write(run.dataprovider_id) as connection:
        name = _free_name(run.train_id, unavailable)
        if not _exists(connection, claimed(name)):
            row = {**ids_of(run), "train_id": name, "root_run_id": root_run_id, "claimed": _now()}
            connection.execute(insert(table).values(row))
        return name


def record_step(db: ControlDB, run: TrainRun, status: str) -> None:
    """Record that a step of a train began or ended, for example ``train_fit_start``."""
    table = db.tables.training_steps
    rows = [{"time": _now(), "status": status}]
    with db.write(run.train_id) as connection:
        _replace(connection, table, run, rows, table.c.status == status)


def record_attributes(db: ControlDB, run: TrainRun, attributes: Mapping[str, str]) -> None:
    """Record attributes of a train that is not fitted yet; `record_train` replaces them."""
    table = db.tables.training_attributes
    rows = [{"attribute": name, "value": value} for name, value in attributes.items()]
    with db.write(run.train_id) as connection:
        _replace(connection, table, run, rows)


def record_train(
    db: ControlDB,
    run: TrainRun,
    attributes: Mapping[str, str],
    parents: Mapping[str, str],
    sources: Iterable[SourceRecord],
    package: PackageRecord,
) -> None:
    """Record a saved train, with its attributes, prerequisites, sources and package.

    Args:
        db: The control DB.
        run: The train.
        attributes: As of `xingu.tracking.attributes.train_attributes`.
        parents: The `train_id` of each prerequisite, by DataProvider.
        sources: The sources that it was trained on.
        package: Its package.
    """
    tables = db.tables
    rows: dict[Table, list[dict[str, Any]]] = {
        tables.training: [{}],
        tables.training_attributes: [
            {"attribute": name, "value": value} for name, value in attributes.items()
        ],
        tables.parents: [
            {"parent_dataprovider_id": dp_id, "parent_train_id": train_id}
            for dp_id, train_id in parents.items()
        ],
        tables.sources: [
            # What an observation would have found is in the manifest of the package.
            {name: value for name, value in asdict(source).items() if name in tables.sources.c}
            for source in sources
        ],
        tables.packages: [
            {
                "path": package.path,
                "manifest_sha256": package.manifest_sha256,
                "run_id": run.run_id,
                "saved": _now(),
                "bytes": sum(size for _, size in package.files.values()),
            }
        ],
        tables.package_files: [
            {"file": file, "sha256": sha256, "bytes": size}
            for file, (sha256, size) in package.files.items()
        ],
    }
    with db.write(run.train_id) as connection:
        for table, values in rows.items():
            _replace(connection, table, run, values)


def record_metrics(
    db: ControlDB,
    run: TrainRun,
    rows: Sequence[MetricRow],
    channels: Collection[Channel],
    noise: Noise | None = None,
) -> None:
    """Replace the metrics of a train in some channels.

    Args:
        db: The control DB.
        run: The train.
        rows: Metrics. With the channel ``batch_predict`` their `set` is not used.
        channels: The channels of `rows`, of which earlier metrics are deleted.
        noise: Standard errors of the metrics; recorded as attributes, one for each set.
    """
    table, now = db.tables.metrics_model, _now()
    batch = "batch_predict" in channels
    of_channel = {
        "trainsets": table.c.set.not_in([BATCH_SET, GLOBAL_SET]),
        "batch_predict": table.c.set == BATCH_SET,
        "global": table.c.set == GLOBAL_SET,
    }
    values = [
        {
            "time": now,
            "set": BATCH_SET if batch else row.set or GLOBAL_SET,
            "name": row.name,
            **_storable_value(row),
        }
        for row in rows
    ]
    with db.write(run.train_id) as connection:
        _replace(connection, table, run, values, or_(*(of_channel[name] for name in channels)))
        attributes = db.tables.training_attributes
        for set_name, errors in (noise or {}).items():
            row = {"attribute": f"{NOISE}{set_name}", "value": json.dumps(errors)}
            same = attributes.c.attribute == row["attribute"]
            _replace(connection, attributes, run, [row], same)


def record_plots(
    db: ControlDB,
    run: TrainRun,
    files: Iterable[tuple[PlotChannel, str, str]],
    channels: Collection[PlotChannel],
) -> None:
    """Replace the plots of a train in some channels.

    Args:
        db: The control DB.
        run: The train.
        files: Channel, name of the plot, and path of each file.
        channels: The channels of `files`, of which earlier plots are deleted.
    """
    table, now = db.tables.plots, _now()
    rows = [
        {"time": now, "channel": channel, "name": name, "path": path}
        for channel, name, path in files
    ]
    with db.write(run.train_id) as connection:
        _replace(connection, table, run, rows, table.c.channel.in_(channels))


def record_checks(
    db: ControlDB, run: TrainRun, results: Sequence[CheckRecord], planned: Collection[str]
) -> None:
    """Replace results of checks on a train.

    Args:
        db: The control DB.
        run: The train.
        results: Results; an earlier result of the same check on the same asset is deleted.
        planned: Names of all checks that the DataProvider has; results of others are deleted.
    """
    table, now = db.tables.checks, _now()
    same = [and_(table.c.asset == one.asset, table.c.name == one.name) for one in results]
    rows = [{"time": now, **asdict(one)} for one in results]
    with db.write(run.train_id) as connection:
        _replace(connection, table, run, rows, or_(table.c.name.not_in(planned), *same))


def record_sets(
    db: ControlDB, run: TrainRun, sets: Mapping[str, pd.DataFrame], target: str | None
) -> None:
    """Replace index and target of the rows of each set; without a target column it is NULL."""
    table = db.tables.sets
    with db.write(run.train_id) as connection:
        connection.execute(delete(table).where(_same(table, ids_of(run))))
        for name, frame in sets.items():
            targets = plain_values(frame[target]) if target in frame else [None] * len(frame)
            columns = {"index": index_strings(frame.index), "target": targets}
            insert_columns(connection, table, {**ids_of(run), "set": name}, columns)


def record_estimations(
    db: ControlDB,
    run: TrainRun,
    estimation: pd.Series,
    classes: Sequence[Hashable] = (),
    partition: str | None = None,
) -> None:
    """Replace the estimations of a train, or those of one partition of its batch.

    Args:
        db: The control DB.
        run: The train.
        estimation: Numbers, or labels out of `classes`, indexed as the batch. Labels that are no
            numbers are stored as their position in `classes`, because the column is numeric.
        classes: Labels of a classifier.
        partition: Key of the partition; None: the batch has none, and all rows are replaced.
    """
    try:
        numbers = estimation.astype("float64")
    except (TypeError, ValueError):
        positions = {label: float(at) for at, label in enumerate(classes)}
        numbers = estimation.map(positions).astype("float64")
    values = {"estimation": numbers.tolist()}
    _replace_indexed(db, db.tables.estimations, run, estimation.index, values, partition)


def record_estimation_metrics(
    db: ControlDB, run: TrainRun, table: pd.DataFrame, partition: str | None = None
) -> None:
    """Replace the metrics of single estimations of a train, or of one partition of its batch.

    Args:
        db: The control DB.
        run: The train.
        table: Columns ``name``, ``value_number`` and ``value_text``, indexed as the batch.
        partition: Key of the partition; None: the batch has none.
    """
    values = {
        "name": table["name"].astype(str).tolist(),
        "value_number": _or_none(table["value_number"].astype("float64")),
        "value_text": _or_none(table["value_text"]),
    }
    _replace_indexed(db, db.tables.metrics_estimation, run, table.index, values, partition)


def _replace_indexed(
    db: ControlDB, table: Table, run: TrainRun, index: pd.Index, values: Mapping[str, list],
    partition: str | None,
) -> None:  # fmt: skip
    with db.write(run.train_id) as connection:
        now = _now()
        if partition is None:
            forget_partitions(db, connection, table, run)
            connection.execute(delete(table).where(_same(table, ids_of(run))))
        else:
            now = renewed_partition(db, connection, table, run, partition, now)
        columns = {"index": index_strings(index), **values}
        insert_columns(connection, table, {"time": now, **ids_of(run)}, columns)


def _replace(
    connection: Connection,
    table: Table,
    run: TrainRun,
    rows: Sequence[Mapping[str, Any]],
    *which: ColumnElement[bool],
) -> None:
    """Replace the rows of a train, or those that meet all conditions of `which`."""
    ids = {name: value for name, value in ids_of(run).items() if name in table.c}
    connection.execute(delete(table).where(_same(table, ids), *which))
    if rows:
        connection.execute(insert(table), [{**ids, **row} for row in rows])


def ids_of(run: TrainRun) -> dict[str, str]:
    """Return the columns that identify a train."""
    return {name: getattr(run, name) for name in IDS}


def _same(table: Table, ids: Mapping[str, str]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in ids.items()))


def _exists(connection: Connection, condition: ColumnElement[bool]) -> bool:
    return connection.scalar(select(1).where(condition).limit(1)) is not None


def _free_name(requested: str, unavailable: Callable[[str], bool]) -> str:
    names = (f"{requested}-{number}" for number in count(2))
    return next(name for name in chain([requested], names) if not unavailable(name))


def _storable_value(row: MetricRow) -> dict[str, float | str | None]:
    """Return the value as all databases can store it; SQLite has no NaN."""
    number = row.value_number
    if number is None or math.isfinite(number):
        return {"value_number": number, "value_text": row.value_text}
    return {"value_number": None, "value_text": NOT_FINITE.get(number, NOT_FINITE[math.nan])}


def _or_none(series: pd.Series) -> list[Any]:
    return series.astype(object).where(series.notna(), None).tolist()


def _now() -> int:
    return int(time.time())
