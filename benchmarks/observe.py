"""Cost of one idle round of observations: 200 DataProviders with 400 sources.

Half of the DataProviders read a table that others read, too. Prints seconds and CPU seconds of the
first round and of the ones after it, in which nothing has changed.

    python benchmarks/observe.py [--postgres URL]
"""

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path

from xingu.records import Observed
from xingu.sources import Databases, Memory, Watched, observe_sources, parse_sources

PROVIDERS, TABLES = 200, 100


def fill(home: Path, postgres: str | None) -> Databases:
    with sqlite3.connect(home / "lite.db") as connection:
        for number in range(TABLES):
            connection.execute(f"CREATE TABLE t{number} (day TEXT, a INT)")
            rows = ((f"2026-01-{day:02}", day) for day in range(1, 29))
            connection.executemany(f"INSERT INTO t{number} VALUES (?, ?)", rows)
    connection.close()
    for number in range(PROVIDERS):
        (home / f"f{number}.csv").write_text("a\n1\n")
    urls = {"lite": "sqlite:///lite.db"}
    if postgres:
        urls["pg"] = postgres
        databases = Databases(urls, home)
        with databases.engine("pg").begin() as connection:
            for number in range(TABLES):
                connection.exec_driver_sql(
                    f"CREATE TABLE IF NOT EXISTS bench_{number} AS "
                    "SELECT n AS a, date '2026-01-01' + n AS day FROM generate_series(1, 28) n"
                )
    return Databases(urls, home)


def sources(postgres: bool) -> dict[tuple[str, str], Watched]:
    """Return two sources per DataProvider: a table with a watermark, and a file."""
    found: dict[tuple[str, str], Watched] = {}
    for number in range(PROVIDERS):
        dp_id = f"dp{number}"
        server = postgres and number % 2
        table = f"bench_{number % TABLES}" if server else f"t{number % TABLES}"
        watermark = f"SELECT max(day), count(*) FROM {table}"
        entry = {"query": f"SELECT * FROM {table}", "watermark": watermark}
        declared = {
            "rows": {"source": "pg" if server else "lite", **entry},
            "file": {"url": f"f{number}.csv"},
        }
        specs = parse_sources(dp_id, "train_dataset_sources", declared)
        found |= {(dp_id, spec.name): Watched(dp_id, spec, specs) for spec in specs}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", help="URL of a PostgreSQL database to make tables in")
    postgres = parser.parse_args().postgres
    with tempfile.TemporaryDirectory() as home:
        databases = fill(Path(home), postgres)
        watched, memory, before = sources(bool(postgres)), Memory(), {}
        for name in ("first", "idle", "idle"):
            started, cpu = time.perf_counter(), time.process_time()
            found = observe_sources(watched, databases, memory=memory, before=before)
            seconds, used = time.perf_counter() - started, time.process_time() - cpu
            before = {key: one for key, one in found.items() if isinstance(one, Observed)}
            changed = sum(one.rewritten is not False for one in before.values())
            print(
                f"{name}: {len(found)} sources, {len(memory.started)} questions, "
                f"{len(found) - len(before)} failed, {changed if name == 'idle' else 0} changed: "
                f"{seconds:.2f} s, {used:.2f} s of CPU"
            )


if __name__ == "__main__":
    main()
