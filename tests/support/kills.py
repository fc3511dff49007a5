"""Kill a writer at every change of the disk, and look at what is left.

Run as ``python -m tests.support.kills FOLDER STEP``: writers are forked from one process, because
imports take a second. It writes the number of kills, and of those that left something to sweep.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from upath import UPath

from tests.support.disk_changes import kill_before_change
from tests.support.fitted import fit_model
from tests.support.toys import Houses, MeanEstimator
from xingu import Model
from xingu.files import atomic
from xingu.maintenance import prunable_trains, prune, sweep
from xingu.registry.manifest import verify
from xingu.registry.store import ModelStore
from xingu.values import Label, ValueStore

KEY = ("means", "splits")


class Means(Houses):
    id = "means"
    estimator_class = MeanEstimator
    estimator_params = {}


def stores(root: Path) -> tuple[ModelStore, list[UPath], ValueStore]:
    return ModelStore(root / "models"), [UPath(root / "plots")], ValueStore(root / "values", keep=1)


def work(root: Path, model: Model, name: str) -> None:
    """Write and prune values and trains, as two runs do."""
    models, plots, values = stores(root)
    for number in range(2):
        frame = pd.DataFrame({"writer": [f"{name}-{number}"] * 3})
        record = values.write(KEY, f"{name}-{number}", {"train": frame, "test": frame}, Label())
        model.run = replace(
            model.run, train_id=f"{name}-train-{number}", train_session_id=f"{name}-day-{number}"
        )
        package = models.save(model, {"/".join(KEY): record.value_id})
        values.pin(KEY, record.value_id, package)
        models.make_current(model.run)
        values.prune(KEY)
    prune(models, plots, values, prunable_trains(models, 1))


def killed(root: Path, model: Model, after: int) -> bool:
    """Work in a child that is killed before its change number `after`; return whether it was."""
    child = os.fork()
    if child == 0:
        kill_before_change(after)
        try:
            work(root, model, "killed")
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def check_complete(root: Path) -> None:
    """Raise unless everything that readers can find is complete."""
    models, _, values = stores(root)
    runs = [path.stem for path in (values.folder(KEY) / "runs").iterdir()]
    for run in (*runs, None):
        stored = values.read(KEY, [run] if run else [])
        writers = {*stored.value["train"]["writer"], *stored.value["test"]["writer"]}
        assert writers == {stored.record.run_id}
    for train_id in models.trains("means"):
        verify(models.package("means", train_id), models.manifest("means", train_id))
    rows = pd.DataFrame({"size": [1.0], "town": ["north"]})
    assert len(models.load("means", models.find("means")).predict(rows)) == 1


def main(folder: Path, step: int) -> None:
    model = fit_model(Means, ("first", "day"))
    after, left = 1, 0
    while True:
        root = folder / str(after)
        work(root, model, "before")
        if not killed(root, model, after):
            break
        check_complete(root)
        models, plots, values = stores(root)
        atomic.ABANDONED_SECONDS = 3600
        young = [path for path in sweep(models, plots, values, dry_run=True) if ".tmp" in path.name]
        assert young == []
        work(root, model, "again")
        check_complete(root)
        atomic.ABANDONED_SECONDS = -1
        left += bool(sweep(models, plots, values))
        assert sweep(models, plots, values) == set()
        unknown = [path for path in root.rglob("*") if path.name.endswith(".tmp")]
        assert unknown == []
        check_complete(root)
        after += step
    sys.stdout.write(f"{after // step} {left}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
