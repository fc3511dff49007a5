"""What the checks on a train have found: whether it may be deployed, or compared with."""

import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import and_, delete, insert, or_, select

from xingu.checks.catalog import Severity
from xingu.inventory.database import ControlDB
from xingu.model import TrainRun


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one check on one asset of a train, for example ``trainset_metrics``."""

    asset: str
    name: str
    passed: bool
    severity: Severity
    text: str


def record_verdicts(
    db: ControlDB, run: TrainRun, verdicts: Sequence[Verdict], planned: Collection[str]
) -> None:
    """Replace what is known of the checks on a train, and forget checks that are not planned."""
    table, now = db.tables.checks, int(time.time())
    ids = {
        "dataprovider_id": run.dataprovider_id,
        "train_session_id": run.train_session_id,
        "train_id": run.train_id,
    }
    own = and_(*(table.c[name] == value for name, value in ids.items()))
    again = [and_(table.c.asset == one.asset, table.c.name == one.name) for one in verdicts]
    with db.write(run.train_id) as connection:
        connection.execute(delete(table).where(own, or_(table.c.name.not_in(planned), *again)))
        if rows := [{"time": now, **ids, **asdict(one)} for one in verdicts]:
            connection.execute(insert(table), rows)


def rejected_trains(db: ControlDB, dataprovider_id: str) -> set[str]:
    """Return the trains of a DataProvider that failed a check of severity ``error``."""
    table = db.tables.checks
    failed = and_(table.c.severity == "error", table.c.passed.is_(False))
    own = table.c.dataprovider_id == dataprovider_id
    with db.read() as connection:
        return set(connection.scalars(select(table.c.train_id).where(own, failed)))
