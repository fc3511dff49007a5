"""Copy the rows of one train from one control DB to another.

All rows are written in one transaction of the target, which first deletes those that the target has
of this train: a reader sees all of the train or nothing of it, and copying again leaves the same
rows. Rows are read in pages, so memory does not grow with their number.
"""

from sqlalchemy import ColumnElement, Table, and_, delete, func, select

from xingu.errors import ControlDbError
from xingu.records import TrainRun
from xingu.tracking.bulk import insert_columns
from xingu.tracking.database import ControlDB
from xingu.tracking.record import ids_of
from xingu.tracking.schema import Tables

PAGE = 20_000
"""Rows that are in memory at the same time."""
STAYS = ("train_sessions", "train_claims")
"""Tables that are not copied: names that runs of one project have reserved."""


def copy_train(source: ControlDB, target: ControlDB, run: TrainRun, package: str) -> dict[str, int]:
    """Replace the rows of a train in `target` by those in `source`.

    Args:
        source: The control DB that has the train.
        target: Another control DB, or the same one with another prefix.
        run: The train.
        package: Location of the package beside `target`.

    Returns:
        Number of rows by table, without the prefix.

    Raises:
        ControlDbError: If a database cannot be used, or both are the same.
    """
    _refuse_same(source, target)
    counts = {}
    with source.read() as reader, target.write(run.train_id) as writer:
        pairs = zip(copied(source), copied(target), strict=True)
        for read, written in pairs:
            name = _base(target, written)
            writer.execute(delete(written).where(_of(written, run)))
            moved = {"path": package} if name == "packages" else {}
            statement = select(read).where(_of(read, run)).execution_options(yield_per=PAGE)
            counts[name] = 0
            for page in reader.execute(statement).partitions():
                columns = dict(zip(read.c.keys(), zip(*page, strict=True), strict=True))
                kept = {name: one for name, one in columns.items() if name not in moved}
                insert_columns(writer, written, moved, kept)
                counts[name] += len(page)
    return counts


def count_train(db: ControlDB, run: TrainRun) -> dict[str, int]:
    """Return the number of rows of a train by table, without the prefix."""
    with db.read() as connection:
        return {
            _base(db, table): connection.scalar(
                select(func.count()).select_from(table).where(_of(table, run))
            )
            or 0
            for table in copied(db)
        }


def package_digest(db: ControlDB, run: TrainRun) -> str | None:
    """Return the SHA-256 of the manifest that is recorded of a train; None: none is."""
    if not db.exists:
        return None
    table = db.tables.packages
    with db.read() as connection:
        return connection.scalar(select(table.c.manifest_sha256).where(_of(table, run)))


def copied(db: ControlDB) -> list[Table]:
    """Return the tables whose rows belong to single trains, in a fixed order."""
    tables: Tables = db.tables
    stays = {db.prefix + name for name in STAYS}
    return [
        table
        for table in tables.metadata.sorted_tables
        if table.name not in stays and {"dataprovider_id", "train_id"} <= {*table.c.keys()}
    ]


def _of(table: Table, run: TrainRun) -> ColumnElement[bool]:
    known = ids_of(run).items()
    return and_(*(table.c[name] == value for name, value in known if name in table.c))


def _base(db: ControlDB, table: Table) -> str:
    return table.name.removeprefix(db.prefix)


def _refuse_same(source: ControlDB, target: ControlDB) -> None:
    if (source.engine.url, source.prefix) == (target.engine.url, target.prefix):
        raise ControlDbError(
            f"The control DB of the target is that of the source ({target.address}): give the "
            "target one of its own, or another table prefix.",
            database="xingu",
        )
