"""Rows of trains in a control DB, one day apart."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from xingu.reports.report import Report, report_trains
from xingu.tracking.database import ControlDB
from xingu.tracking.query import TrainFilter

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Trains:
    """Writes trains, and reports them."""

    db: ControlDB
    number: int = 0

    def add(
        self,
        train_id: str,
        metrics: dict[str, float | str] | None = None,
        *,
        dp: str = "houses",
        branch: str = "main",
        parameters: dict | None = None,
        directions: dict[str, str] | None = None,
        **attributes_of_train: str,
    ) -> None:
        """Add a train of the session ``of-<train_id>``; metrics are of the set `test`."""
        tables = self.db.tables
        ids = {
            "dataprovider_id": dp,
            "train_session_id": f"of-{train_id}",
            "train_id": train_id,
        }
        when = {**ids, "time": int((START + timedelta(days=self.number)).timestamp())}
        hyperparam = json.dumps({"params": {"seed": 1}, "hyperparams": parameters or {}})
        known = {"git_branch": branch, "hyperparam": hyperparam, "user_name": "ana"}
        if directions:
            known["metric_directions"] = json.dumps(directions)
        known |= attributes_of_train
        self.number += 1
        with self.db.write(train_id) as connection:
            connection.execute(insert(tables.training), [ids])
            connection.execute(
                insert(tables.training_steps), [{**when, "status": "train_fit_start"}]
            )
            attributes = [
                {**ids, "attribute": name, "value": value} for name, value in known.items()
            ]
            connection.execute(insert(tables.training_attributes), attributes)
            for name, value in (metrics or {}).items():
                kind = "value_text" if isinstance(value, str) else "value_number"
                row = {**when, "set": "test", "name": name, kind: value}
                connection.execute(insert(tables.metrics_model), [row])

    def report(self, reference: str | None = None, **wanted) -> Report:
        return report_trains(self.db, TrainFilter(**wanted), reference)


def day(number: int) -> datetime:
    """Return the time of the train of that number."""
    return START + timedelta(days=number)
