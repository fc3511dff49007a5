"""How long a report of many trains takes: frames, page, terminal, workbook.

Usage: python benchmarks/report.py [trains] [metrics] [repetitions]
"""

import io
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from sqlalchemy import insert

from xingu.reports.page import page
from xingu.reports.report import report_trains
from xingu.reports.terminal import print_report
from xingu.sources import Databases
from xingu.tracking.database import ControlDB
from xingu.tracking.query import TrainFilter

TARGET = 2.0  # s
START, DAY = 1_700_000_000, 86_400
CLASSICAL = ("RMSE", "MAE", "Median AE", "MAPE", "Median APE", "R2", "Bias")


def main(trains: int = 1_000, metrics: int = 50, repetitions: int = 5) -> None:
    """Fill a control DB, report, and print the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        db = ControlDB(Databases({"xingu": f"sqlite:///{folder}/control.db"}, Path(folder)))
        fill(db, trains, metrics)
        report = report_trains(db, TrainFilter())
        book = Path(folder) / "report.xlsx"
        console = Console(file=io.StringIO(), width=80)
        print(f"{trains:,} trains × {metrics} metrics; seconds\n")
        print(f"{'':<28}{'median':>8}{'worst':>8}")
        for name, work, target in (
            ("frames", lambda: report_trains(db, TrainFilter()), TARGET),
            ("frames and terminal", lambda: print_report(of(db), console), TARGET),
            ("frames and page", lambda: page(of(db)), TARGET),
            ("workbook of the frames", lambda: report.to_excel(book), None),
        ):
            times = [seconds(work) for _ in range(repetitions)]
            met = "met" if target is None or max(times) <= target else "MISSED"
            verdict = f"   target ≤ {target:g}   {met}" if target else ""
            print(f"{name:<28}{statistics.median(times):>8.2f}{max(times):>8.2f}{verdict}")


def of(db: ControlDB):
    return report_trains(db, TrainFilter())


def seconds(work) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def fill(db: ControlDB, trains: int, metrics: int) -> None:
    """Write trains of two DataProviders and four branches, with metrics of three sets."""
    rng = np.random.default_rng(0)
    names = [*CLASSICAL, *(f"metric {at}" for at in range(len(CLASSICAL), metrics))][:metrics]
    places = [(("train", "val", "test")[at % 3], name) for at, name in enumerate(names)]
    ids = [
        {
            "dataprovider_id": ("houses", "taxes")[at % 2],
            "train_session_id": f"session-{at}",
            "train_id": f"train-{at}",
        }
        for at in range(trains)
    ]
    values = rng.normal(size=(trains, len(places)))
    tables = db.tables
    attributes = {"user_name": "ana", "hyperparam": '{"hyperparams": {"depth": 6, "rate": 0.1}}'}
    with db.write("benchmark") as connection:
        connection.execute(insert(tables.training), ids)
        known = [
            {**one, "attribute": name, "value": value}
            for at, one in enumerate(ids)
            for name, value in {**attributes, "git_branch": f"branch-{at % 4}"}.items()
        ]
        connection.execute(insert(tables.training_attributes), known)
        measured = [
            {**one, "time": START + at * DAY, "set": set_name, "name": name, "value_number": value}
            for at, one in enumerate(ids)
            for (set_name, name), value in zip(places, values[at].tolist(), strict=True)
        ]
        connection.execute(insert(tables.metrics_model), measured)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
