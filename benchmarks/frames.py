"""Compare the formats in which a frame can be stored: time to write, time to read, size.

Every format is measured once per round, in a random order, and its best round counts: on a busy
machine more rounds are needed until the ratios settle. `fast` and `open` are the layouts of the
value store; the others are what it could use instead. Files stay in the page cache, as they do
between two steps.

Usage: python benchmarks/frames.py [rows] [rounds]
"""

import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather, parquet
from upath import UPath

from xingu.files.frames import Layout, read_frame, write_frame

Write = Callable[[pd.DataFrame, Path], Path]
Read = Callable[[Path], pd.DataFrame]


def main(rows: int = 1_000_000, rounds: int = 8) -> None:
    frame = make_frame(rows)
    seconds = {name: [float("inf"), float("inf")] for name in FORMATS}
    shuffled = np.random.default_rng(0)
    sizes = dict.fromkeys(FORMATS, 0)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name in shuffled.permutation(list(FORMATS)):
                write, read = FORMATS[name]
                start = time.perf_counter()
                path = write(frame, Path(folder) / "frame")
                written = time.perf_counter()
                read(path)
                taken = (written - start, time.perf_counter() - written)
                seconds[name] = [min(pair) for pair in zip(seconds[name], taken, strict=True)]
                sizes[name] = path.stat().st_size
                path.unlink()
    print(f"{rows:,} rows × {frame.shape[1]} columns; × is relative to the first line\n")
    print("| format | write s | × | read s | × | MB |\n|---|---|---|---|---|---|")
    first_write, first_read = seconds[next(iter(FORMATS))]
    for name, (write_s, read_s) in seconds.items():
        ratios = write_s / first_write, read_s / first_read
        print(
            f"| {name} | {write_s:.3f} | {ratios[0]:.2f} | {read_s:.3f} | {ratios[1]:.2f} "
            f"| {sizes[name] / 1e6:.0f} |"
        )


def make_frame(rows: int) -> pd.DataFrame:
    """Return 20 floats, 4 integers, 4 categories, a timestamp and a text id."""
    random = np.random.default_rng(0)
    columns: dict[str, object] = {f"float_{i}": random.normal(size=rows) for i in range(20)}
    columns |= {f"int_{i}": random.integers(0, 1000, rows) for i in range(4)}
    labels = [f"category {i}" for i in range(30)]
    for i in range(4):
        columns[f"category_{i}"] = pd.Categorical(random.choice(labels, rows))
    seconds = random.integers(0, 10**7, rows)
    columns["time"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")
    columns["id"] = [f"id-{number}" for number in random.integers(0, 10**6, rows)]
    return pd.DataFrame(columns)


def _write_layout(frame: pd.DataFrame, path: Path, layout: Layout) -> Path:
    written = write_frame(frame, UPath(path.parent), path.name, layout)
    return path.with_name(written.file)


def _read_layout(path: Path) -> pd.DataFrame:
    return read_frame(UPath(path))


def _write_pickle(frame: pd.DataFrame, path: Path) -> Path:
    with path.open("wb") as file:
        pickle.dump(frame, file, protocol=5)
    return path


def _read_pickle(path: Path) -> pd.DataFrame:
    with path.open("rb") as file:
        return pickle.load(file)


def _write_arrow(frame: pd.DataFrame, path: Path, compression: str) -> Path:
    feather.write_feather(pa.Table.from_pandas(frame), str(path), compression=compression)
    return path


def _read_arrow(path: Path) -> pd.DataFrame:
    """Copy at the end: a mapped file is read-only, and hooks assign into their frames."""
    return feather.read_table(str(path), memory_map=True).to_pandas(split_blocks=True).copy()


def _write_parquet(frame: pd.DataFrame, path: Path) -> Path:
    table = pa.Table.from_pandas(frame)
    parquet.write_table(table, path, compression="zstd", compression_level=1)
    return path


FORMATS: dict[str, tuple[Write, Read]] = {
    "fast: pickle 5": (partial(_write_layout, layout="fast"), _read_layout),
    "open: parquet zstd-1": (partial(_write_layout, layout="open"), _read_layout),
    "pandas' own pickle 5": (_write_pickle, _read_pickle),
    "Arrow IPC, uncompressed": (partial(_write_arrow, compression="uncompressed"), _read_arrow),
    "Arrow IPC, lz4": (partial(_write_arrow, compression="lz4"), _read_arrow),
    "parquet zstd-1 by default": (_write_parquet, pd.read_parquet),
}

if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
