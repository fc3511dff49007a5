"""Write down what happens to a train.

Its one idea: everything that is recorded of a train replaces what was recorded before, in one
transaction, so a step that is repeated leaves no doubles. It knows no Dagster and no files.
"""

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
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
    PackageRecord,
    PlotChannel,
    SourceRecord,
    TrainRun,
)
from xingu.tracking.bulk import index_texts, insert_columns, plain_values
from xingu.tracking.database import ControlDB


def claim_session(db: ControlDB, root_run_id: str, wish: str) -> str:
    """Return the session of a run: `wish`, with a number where another run has that name.

    Every process of the run gets the same answer, also of a later retry.
    """
    table = db.tables.sessions
    with db.write("sessions") as connection:
        own = select(table.c.train_session_id).where(table.c.root_run_id == root_run_id)
        if known := connection.scalar(own):
            return known
        name = _unused(wish, lambda name: _exists(connection, table.c.train_session_id == name))
        connection.execute(insert(table).values(train_session_id=name, root_run_id=root_run_id))
        return name


def claim_train(
    db: ControlDB, run: TrainRun, root_run_id: str, taken: Callable[[str], bool]
) -> str:
    """Return the `train_id` of a run: the wished one, with a number where it is not free.

    Args:
        db: The control DB.
        run: The train, with the `train_id` that is wished for.
        root_run_id: The run, or the one that it retries.
        taken: Whether there is a package of that name: a package never changes.
    """
    table = db.tables.claims

    def of_others(name: str) -> bool:
        same = and_(table.c.dataprovider_id == run.dataprovider_id, table.c.train_id == name)
        return _exists(connection, and_(same, table.c.root_run_id != root_run_id)) or taken(name)

    with db.write(run.dataprovider_id) as connection:
        name = _unused(run.train_id, of_others)
        own = and_(table.c.dataprovider_id == run.dataprovider_id, table.c.train_id == name)
        if not _exists(connection, own):
            row = {
                "dataprovider_id": run.dataprovider_id,
                "train_session_id": run.train_session_id,
                "train_id": name,
                "root_run_id": root_run_id,
                "claimed": _now(),
            }
            connection.execute(insert(table).values(row))
        return name


def record_step(db: ControlDB, run: TrainRun, status: str) -> None:
    """Record that a step of a train began or ended, for example ``train_fit_start``."""
    table = db.tables.training_steps
    with db.write(run.train_id) as connection:
        _replace(
            connection, table, run, [{"time": _now(), "status": status}], table.c.status == status
        )


def record_train(
    db: ControlDB,
    run: TrainRun,
    attributes: Mapping[str, str],
    parents: Mapping[str, str],
    sources: Iterable[SourceRecord],
    package: PackageRecord,
) -> None:
    """Record a saved train, with everything that it was made of.

    Args:
        db: The control DB.
        run: The train.
        attributes: What is known of it, by name.
        parents: The `train_id` of each prerequisite.
        sources: What it was trained on.
        package: Its package.
    """
    tables = db.tables
    packages = {
        "path": package.path,
        "manifest_sha256": package.manifest_sha256,
        "run_id": run.run_id,
        "saved": _now(),
        "bytes": sum(size for _, size in package.files.values()),
    }
    rows: dict[Table, list[dict[str, Any]]] = {
        tables.training: [{}],
        tables.training_attributes: [
            {"attribute": name, "value": value} for name, value in attributes.items()
        ],
        tables.parents: [
            {"parent_dataprovider_id": dp_id, "parent_train_id": train_id}
            for dp_id, train_id in parents.items()
        ],
        tables.sources: [asdict(source) for source in sources],
        tables.packages: [packages],
        tables.package_files: [
            {"file": file, "sha256": sha256, "bytes": size}
            for file, (sha256, size) in package.files.items()
        ],
    }
    with db.write(run.train_id) as connection:
        for table, values in rows.items():
            _replace(connection, table, run, values)


def record_metrics(
    db: ControlDB, run: TrainRun, rows: Sequence[MetricRow], channels: Collection[Channel]
) -> None:
    """Replace the metrics of a train that came from `channels`."""
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
            **_number_or_text(row),
        }
        for row in rows
    ]
    with db.write(run.train_id) as connection:
        _replace(connection, table, run, values, or_(*(of_channel[name] for name in channels)))


def record_plots(
    db: ControlDB,
    run: TrainRun,
    files: Iterable[tuple[PlotChannel, str, str]],
    which: Collection[PlotChannel],
) -> None:
    """Replace the plots of a train that are of `which` channels; `files`: channel, name, path."""
    table, now = db.tables.plots, _now()
    rows = [
        {"time": now, "channel": channel, "name": name, "path": path}
        for channel, name, path in files
    ]
    with db.write(run.train_id) as connection:
        _replace(connection, table, run, rows, table.c.channel.in_(which))


def record_checks(
    db: ControlDB, run: TrainRun, found: Sequence[CheckRecord], planned: Collection[str]
) -> None:
    """Replace what checks have found on a train, and forget checks that are not `planned`."""
    table, now = db.tables.checks, _now()
    again = [and_(table.c.asset == one.asset, table.c.name == one.name) for one in found]
    rows = [{"time": now, **asdict(one)} for one in found]
    with db.write(run.train_id) as connection:
        _replace(connection, table, run, rows, or_(table.c.name.not_in(planned), *again))


def record_sets(
    db: ControlDB, run: TrainRun, sets: Mapping[str, pd.DataFrame], target: str | None
) -> None:
    """Replace index and target of the rows of each set."""
    table = db.tables.sets
    with db.write(run.train_id) as connection:
        connection.execute(delete(table).where(_same(table, _ids(run))))
        for name, frame in sets.items():
            targets = plain_values(frame[target]) if target in frame else [None] * len(frame)
            columns = {"index": index_texts(frame.index), "target": targets}
            insert_columns(connection, table, {**_ids(run), "set": name}, columns)


def record_estimations(db: ControlDB, run: TrainRun, estimation: pd.Series) -> None:
    """Replace the estimations of a batch."""
    values = {"estimation": estimation.astype("float64").tolist()}
    _replace_indexed(db, db.tables.estimations, run, estimation.index, values)


def record_estimation_metrics(db: ControlDB, run: TrainRun, table: pd.DataFrame) -> None:
    """Replace the metrics of single estimations; columns name, value_number, value_text."""
    values = {
        "name": table["name"].astype(str).tolist(),
        "value_number": _or_none(table["value_number"].astype("float64")),
        "value_text": _or_none(table["value_text"]),
    }
    _replace_indexed(db, db.tables.metrics_estimation, run, table.index, values)


def _replace_indexed(
    db: ControlDB, table: Table, run: TrainRun, index: pd.Index, values: Mapping[str, list]
) -> None:
    with db.write(run.train_id) as connection:
        connection.execute(delete(table).where(_same(table, _ids(run))))
        columns = {"index": index_texts(index), **values}
        insert_columns(connection, table, {"time": _now(), **_ids(run)}, columns)


def _replace(
    connection: Connection,
    table: Table,
    run: TrainRun,
    rows: Sequence[Mapping[str, Any]],
    *which: ColumnElement[bool],
) -> None:
    """Replace the rows of a train, or `which` of them."""
    ids = {name: value for name, value in _ids(run).items() if name in table.c}
    connection.execute(delete(table).where(_same(table, ids), *which))
    if rows:
        connection.execute(insert(table), [{**ids, **row} for row in rows])


def _ids(run: TrainRun) -> dict[str, str]:
    return {
        "dataprovider_id": run.dataprovider_id,
        "train_session_id": run.train_session_id,
        "train_id": run.train_id,
    }


def _same(table: Table, ids: Mapping[str, str]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in ids.items()))


def _exists(connection: Connection, condition: ColumnElement[bool]) -> bool:
    return connection.scalar(select(1).where(condition).limit(1)) is not None


def _unused(wish: str, taken: Callable[[str], bool]) -> str:
    number, name = 1, wish
    while taken(name):
        number += 1
        name = f"{wish}-{number}"
    return name


def _number_or_text(row: MetricRow) -> dict[str, float | str | None]:
    """The value as every database takes it: SQLite, for one, has no NaN."""
    number = row.value_number
    if number is None or math.isfinite(number):
        return {"value_number": number, "value_text": row.value_text}
    text = "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return {"value_number": None, "value_text": text}


def _or_none(series: pd.Series) -> list[Any]:
    return series.astype(object).where(series.notna(), None).tolist()


def _now() -> int:
    return int(time.time())
