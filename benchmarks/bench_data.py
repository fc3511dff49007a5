"""The data of the benchmarks: one SQLite file, made once under benchmarks/data.

All scripts read the same rows from the same file. Table `train` has 200,000 rows × 30 columns and
the target `price`; `batch` has 1,000,000 rows of the same columns without it; `many_00 … many_19`
are like `train` with 5,000 rows; `tiny` has 10.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

DATABASE = Path(__file__).resolve().parent / "data" / "bench.db"

FLOATS = [f"f{number:02d}" for number in range(20)]
INTEGERS = [f"n{number}" for number in range(4)]
CATEGORIES = {"region": 5, "channel": 8, "product": 30, "store": 100}
TIMESTAMP = "sold_at"
TARGET = "price"
FEATURES = [*FLOATS, *INTEGERS, *CATEGORIES, "hour", "weekday"]
MANY = [f"many_{number:02d}" for number in range(20)]

TRAIN_ROWS, BATCH_ROWS, MANY_ROWS, TINY_ROWS = 200_000, 1_000_000, 5_000, 10
CHUNK_ROWS = 250_000


def make_rows(rows: int, first_id: int, seed: int, with_target: bool) -> "pa.Table":
    """Return rows whose target depends on every kind of column, with noise of deviation 5."""
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(seed)
    floats = random.normal(size=(len(FLOATS), rows))
    integers = random.integers(0, 50, size=(len(INTEGERS), rows))
    codes = {name: random.integers(0, size, rows) for name, size in CATEGORIES.items()}
    seconds = random.integers(0, 365 * 86_400, rows)
    columns: dict[str, object] = {"id": np.arange(first_id, first_id + rows)}
    columns |= dict(zip(FLOATS, floats, strict=True))
    columns |= dict(zip(INTEGERS, integers, strict=True))
    for name, size in CATEGORIES.items():
        labels = pa.array([f"{name}-{code:03d}" for code in range(size)])
        columns[name] = labels.take(pa.array(codes[name]))
    moments = np.datetime64("2024-01-01", "s") + seconds.astype("timedelta64[s]")
    columns[TIMESTAMP] = np.strings.replace(np.datetime_as_string(moments), "T", " ")
    if with_target:
        columns[TARGET] = (
            300
            + 8 * floats[0] - 6 * floats[1] + 5 * floats[2] * floats[3] + 4 * np.abs(floats[4])
            + 7 * np.sin(floats[5]) + 0.3 * integers[0] + (integers[1] > 25) * 6
            + 3 * codes["region"] - 0.5 * codes["product"] + 10 * np.sin(codes["store"])
            + 6 * np.cos((seconds // 3600 % 24) / 24 * 2 * np.pi)
            + random.normal(scale=5, size=rows)
        )  # fmt: skip
    return pa.table(columns)


def ensure_database() -> Path:
    """Return the database, after making it if it is not there yet (about 10 s, 360 MB)."""
    if DATABASE.exists():
        return DATABASE
    from adbc_driver_sqlite import dbapi

    begin = time.perf_counter()
    DATABASE.parent.mkdir(parents=True, exist_ok=True)
    unfinished = DATABASE.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with dbapi.connect(str(unfinished)) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("train", make_rows(TRAIN_ROWS, 0, 1, True))
        cursor.adbc_ingest("tiny", make_rows(TINY_ROWS, 0, 2, True))
        for number, table in enumerate(MANY):
            cursor.adbc_ingest(table, make_rows(MANY_ROWS, 0, 100 + number, True))
        for number, first in enumerate(range(0, BATCH_ROWS, CHUNK_ROWS)):
            rows = make_rows(CHUNK_ROWS, TRAIN_ROWS + first, 1_000 + number, False)
            cursor.adbc_ingest("batch", rows, mode="create_append")
        connection.commit()
    unfinished.rename(DATABASE)
    print(f"made {DATABASE.name} in {time.perf_counter() - begin:.1f} s")
    return DATABASE


if __name__ == "__main__":
    print(ensure_database())
