"""Time to find a train among many: the newest, by its id, by its session, by a time.

The storage consists of copies of one manifest. Every look-up ends with reading the manifest of the
train that was found, as a program does before it loads a model. Everything
is in the page cache; another folder than that of temporary files is another disk.

Usage: python benchmarks/inventory.py [trains] [repetitions] [folder]
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from upath import UPath

from xingu.registry.ledger import Entry
from xingu.registry.listing import current_trains, find_manifest, history
from xingu.registry.manifest import FileRecord, Manifest, ProviderRecord
from xingu.registry.store import ModelStore

TARGET = 50  # ms
START = datetime(2026, 1, 1, tzinfo=UTC)
DP = "houses"


def main(trains: int = 10_000, repetitions: int = 100, folder: str | None = None) -> None:
    """Make the storage, ask, and print."""
    with tempfile.TemporaryDirectory(dir=folder) as root:
        models = make_storage(UPath(root), trains)
        print(f"{trains:,} trains, {repetitions} look-ups of each kind; milliseconds\n")
        print(f"{'':<34}{'median':>8}{'worst':>8}")
        wanted = random.Random(0)
        for name, look_up in look_ups(models).items():
            times = []
            for _ in range(repetitions):
                number = wanted.randint(1, trains)
                begin = time.perf_counter()
                look_up(number)
                times.append((time.perf_counter() - begin) * 1000)
            verdict = "met" if max(times) <= TARGET else "MISSED"
            print(
                f"{name:<34}{statistics.median(times):>8.1f}{max(times):>8.1f}"
                f"   target ≤ {TARGET}   {verdict}"
            )


def look_ups(models: ModelStore) -> dict[str, Callable[[int], object]]:
    """Return what is measured, by name; each takes the number of a train."""

    def find(**wanted) -> Manifest:
        return models.manifest(DP, models.find(DP, **wanted))

    return {
        "the newest": lambda _: find(),
        "by train_id": lambda number: find(train_id=f"train-{number}"),
        "by session": lambda number: find(session_id=f"session-{number}"),
        "as of a time": lambda number: find(as_of=START + timedelta(minutes=number, seconds=30)),
        "xingu inventory show DP/TRAIN": lambda number: find_manifest(
            models, f"{DP}/train-{number}"
        ),
        "xingu inventory": lambda _: (current_trains(models), list(history(models, DP, 5))),
    }


def make_storage(root: UPath, trains: int) -> ModelStore:
    """Write packages of a manifest alone, a pointer for each session, and the history."""
    models = ModelStore(root)
    folder = models.folder(DP)
    for name in ("history", "sessions"):
        (folder / name).mkdir(parents=True)
    entry = ""
    for number in range(1, trains + 1):
        train_id, session_id = f"train-{number}", f"session-{number}"
        package = models.package(DP, train_id)
        package.mkdir(parents=True)
        (package / "manifest.json").write_text(manifest(train_id, session_id).model_dump_json())
        session = folder / "sessions" / f"session_{number}.json"
        session.write_text(f'{{"train_id": "{train_id}"}}')
        entry = Entry(
            number=number,
            time=START + timedelta(minutes=number),
            train_id=train_id,
            train_session_id=session_id,
            action="train",
        ).model_dump_json()
        (folder / "history" / f"{number:010d}.json").write_text(entry)
    (folder / "current.json").write_text(entry)
    return models


def manifest(train_id: str, session_id: str) -> Manifest:
    """Return a manifest of usual size."""
    return Manifest(
        dataprovider_id=DP,
        train_id=train_id,
        train_session_id=session_id,
        run_id="run",
        trained=START,
        provider=ProviderRecord(module="m", name="C", code_version="1", has_source=True),
        estimator_class="xingu.estimators.LightGBMRegressor",
        algo_params={"params": {"n_estimators": 200}, "hyperparams": {}},
        hyperparams_origin="dp",
        features={f"feature_{number}": "float64" for number in range(30)},
        estimator_features=[f"feature_{number}" for number in range(30)],
        target="price",
        set_rows={"train": 140_000, "val": 40_000, "test": 20_000},
        provenance={"git_commit": "0" * 40},
        values={f"{DP}/splits": "v"},
        pre_reqs={},
        files={f"file_{number}": FileRecord(sha256="0" * 64, bytes=1) for number in range(10)},
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
