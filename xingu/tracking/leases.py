"""Leases: at most one run at a time holds a name, for example that of a DataProvider it trains.

Each time that a name goes to another run, a row with the next token is added. The row with the
largest token is the holder; so a token only grows, and a run that has been replaced is recognized
by its older row, whenever it comes back. All times are those of the clock of the database.

A lease ends when its run gives it back, when it is known that the run has ended, or, if nothing is
known about the run, when it was not renewed until it expires. If the process of the run is known to
run, it ends a day later.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, literal_column, select, update

from xingu.errors import ConcurrentTrainError, ControlDbError
from xingu.processes import Process
from xingu.tracking.database import ControlDB

logger = logging.getLogger(__name__)

RELEASED = 0.0
"""`expires` of a lease that was given back."""
RENEWALS = 3
"""Renewals within the duration of a lease."""
FORGOTTEN_SECONDS = 24 * 3600
"""Time after its expiry in which a lease of a process that runs is kept: a notebook may run on for
days after it has lost a run, and a step may wait for a place in a pool for hours."""
KEPT = 20
"""Newest rows of a name that are kept."""

_CLOCKS = {
    "postgresql": "extract(epoch from clock_timestamp())",
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that holds a name, or has held it last.

    Attributes:
        token: Number of the lease.
        run_id: Id of the run.
        process: Text of the process of the run, as of `Process`; empty: not known.
        since: Time at which it has taken the name (UTC).
        expires: Seconds of the database's clock; `RELEASED`: it was given back.
    """

    token: int
    run_id: str
    process: str
    since: datetime
    expires: float

    def __str__(self) -> str:
        process = Process.parse(self.process)
        where = f" ({process})" if process else ""
        return f"the run {self.run_id}{where}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Lease:
    """A name that a run holds.

    Attributes:
        name: The name.
        token: Number of the lease.
        run_id: Id of the run.
        seconds: Time after which it expires unless it is renewed.
        replaced: The run that did not give it back before; None: the name was free.
    """

    name: str
    token: int
    run_id: str
    seconds: float
    replaced: Holder | None = None


def has_ended(holder: Holder) -> bool | None:
    """Return whether the process of a run has ended; None: that cannot be known here."""
    process = Process.parse(holder.process)
    return {"running": False, "ended": True}.get(process.state) if process else None


def acquire(
    db: ControlDB,
    name: str,
    run_id: str,
    process: str = "",
    seconds: float = 300,
    ended: Callable[[Holder], bool | None] = has_ended,
) -> Lease | Holder:
    """Take a name for a run, or renew what the run holds.

    Args:
        db: The control DB.
        name: The name.
        run_id: The run; each of its processes may call this.
        process: Text of the process of the run; empty: not known.
        seconds: Time after which the lease expires unless it is renewed.
        ended: Whether another run has ended; None: not known, so the expiry decides.

    Returns:
        The lease; the holder if another run has the name.

    Raises:
        ConcurrentTrainError: If another run has taken the name from this run.
    """
    table = db.tables.leases
    with db.write(_subject(name)) as connection:
        newest = _newest(db, connection, name)
        now = _now(connection)
        if newest is not None and newest.run_id == run_id:
            _set(db, connection, name, newest.token, expires=now + seconds, process=process)
            return Lease(name, newest.token, run_id, seconds)
        own = select(table.c.token).where(table.c.name == name, table.c.run_id == run_id)
        if newest is not None and connection.scalar(own) is not None:
            raise _taken_over(name, run_id, newest)
        if newest is not None and not _is_free(newest, now, ended):
            return newest
        token = newest.token + 1 if newest else 1
        row = {"name": name, "token": token, "run_id": run_id, "process": process}
        connection.execute(insert(table).values(**row, since=now, expires=now + seconds))
        old = (table.c.name == name) & (table.c.token <= token - KEPT)
        connection.execute(table.delete().where(old))
        replaced = newest if newest and newest.expires != RELEASED else None
        return Lease(name, token, run_id, seconds, replaced)


def release(db: ControlDB, lease: Lease) -> None:
    """Give a lease back, so that another run can take the name at once."""
    with db.write(_subject(lease.name)) as connection:
        _set(db, connection, lease.name, lease.token, expires=RELEASED)


def renew(db: ControlDB, run_id: str, seconds: float) -> None:
    """Put off the expiry of all leases that a run holds."""
    table = db.tables.leases
    held = (table.c.run_id == run_id) & (table.c.expires != RELEASED)
    with db.write(run_id) as connection:
        connection.execute(update(table).where(held).values(expires=_now(connection) + seconds))


@contextmanager
def renewed(db: ControlDB, lease: Lease) -> Iterator[None]:
    """Renew the leases of a run, in a thread, while the block runs."""
    over = threading.Event()
    pause = lease.seconds / RENEWALS

    def work() -> None:
        while not over.wait(pause):
            try:
                renew(db, lease.run_id, lease.seconds)
            except ControlDbError as error:
                logger.warning("%s: the lease is not renewed now: %s", lease.name, error)

    thread = threading.Thread(target=work, name="xingu-lease", daemon=True)
    started = time.monotonic()
    thread.start()
    try:
        yield
    finally:
        over.set()
        if time.monotonic() - started >= pause:  # else it has written nothing
            thread.join()


@contextmanager
def fenced(db: ControlDB, lease: Lease) -> Iterator[None]:
    """Run the block while no other run can take the name.

    Raises:
        ConcurrentTrainError: If another run has taken it before; the block does not run.
    """
    with db.write(_subject(lease.name)) as connection:
        newest = _newest(db, connection, lease.name)
        if newest is not None and newest.token != lease.token:
            raise _taken_over(lease.name, lease.run_id, newest)
        yield


def holders(db: ControlDB) -> dict[str, Holder]:
    """Return the runs that have not given back their names, by name."""
    table = db.tables.leases
    with db.read() as connection:
        names = connection.scalars(select(table.c.name).distinct()).all()
        found = {name: _newest(db, connection, name) for name in sorted(names)}
    return {name: one for name, one in found.items() if one and one.expires != RELEASED}


def _is_free(holder: Holder, now: float, ended: Callable[[Holder], bool | None]) -> bool:
    if holder.expires == RELEASED:
        return True
    known, silence = ended(holder), now - holder.expires
    return bool(known) or silence >= (0 if known is None else FORGOTTEN_SECONDS)


def _taken_over(name: str, run_id: str, by: Holder) -> ConcurrentTrainError:
    return ConcurrentTrainError(
        f"{name}: {by}, has taken over from the run {run_id}, which was not heard of for too long; "
        f"the train of the run {run_id} does not become current. Start a new run.",
        dataprovider_id=name, run_id=run_id, by=by.run_id,
    )  # fmt: skip


def _subject(name: str) -> str:
    return f"lease {name}"


def _newest(db: ControlDB, connection: Connection, name: str) -> Holder | None:
    columns = db.tables.leases.c
    statement = (
        select(columns.token, columns.run_id, columns.process, columns.since, columns.expires)
        .where(columns.name == name)
        .order_by(columns.token.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return Holder(*row[:3], datetime.fromtimestamp(row[3], UTC), row[4])


def _set(db: ControlDB, connection: Connection, name: str, token: int, **values: Any) -> None:
    table = db.tables.leases
    here = (table.c.name == name) & (table.c.token == token)
    connection.execute(update(table).where(here).values(values))


def _now(connection: Connection) -> float:
    """Return the time of the database, in seconds since the epoch."""
    clock = _CLOCKS.get(connection.dialect.name)
    if clock is None:
        return time.time()
    return float(connection.scalar(select(literal_column(clock))) or 0)
