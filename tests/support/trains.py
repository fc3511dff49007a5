"""Histories of trains: trained toys, and packages that consist of a manifest and one file."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.project import Project
from tests.support.toys import Houses, Taxes
from xingu.names import key_part
from xingu.records import TrainRun
from xingu.registry.manifest import FileRecord, Manifest, ProviderRecord
from xingu.registry.store import ModelStore

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Past:
    """A project whose `houses` were trained three times and whose `taxes` twice.

    Attributes:
        project: The project.
        houses: Ids of the trains of `houses`, oldest first.
        taxes: Ids of the trains of `taxes`, made with the first and the last of `houses`.
    """

    project: Project
    houses: list[str]
    taxes: list[str]


def train_past(home: Path) -> Past:
    home.mkdir()
    project = Project(home, [Houses, Taxes], {"keep_values": 1})
    past = Past(project, [], [])
    for selection in (("houses/*", "taxes/*"), ("houses/*",), ("houses/*", "taxes/*")):
        project.run(*selection)
        past.houses.append(str(project.models.current("houses")))
        if len(selection) > 1:
            past.taxes.append(str(project.models.current("taxes")))
    return past


@contextmanager
def undone(home: Path) -> Iterator[None]:
    """Restore a folder afterwards, at the same path, because stores contain absolute paths."""
    backup = home.with_name(f"{home.name}.backup")
    shutil.copytree(home, backup)
    try:
        yield
    finally:
        shutil.rmtree(home)
        backup.rename(home)


def write_train(models: ModelStore, dp_id: str, train_id: str, **options) -> TrainRun:
    """Write a package as `save_train` does, and make it current unless another train is pinned."""
    run = save_train(models, dp_id, train_id, **options)
    models.make_current(run)
    return run


def save_train(
    models: ModelStore,
    dp_id: str,
    train_id: str,
    *,
    number: int = 0,
    pre_reqs: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
) -> TrainRun:
    """Write a package of a manifest and one file, with the session ``of-<train_id>``."""
    run = TrainRun(dp_id, train_id, f"of-{train_id}", f"run-{number}")
    manifest = Manifest(
        dataprovider_id=dp_id,
        train_id=train_id,
        train_session_id=run.train_session_id,
        run_id=run.run_id,
        trained=START + timedelta(minutes=number),
        provider=ProviderRecord(module="m", name="C", code_version="1", has_source=False),
        estimator_class=None,
        algo_params={},
        hyperparams_origin="dp",
        features={},
        estimator_features=[],
        target=None,
        set_rows={},
        provenance={"git_commit": f"{number:040x}"},
        values=dict(values or {}),
        pre_reqs=dict(pre_reqs or {}),
        files={"state": FileRecord(sha256="", bytes=5)},
    )
    package = models.package(dp_id, train_id)
    package.mkdir(parents=True, exist_ok=True)
    (package / "state").write_bytes(b"state")
    (package / "manifest.json").write_text(manifest.model_dump_json())
    models.point_session(run)
    return run


def packages_of(models: ModelStore) -> set[tuple[str, str]]:
    """Return DataProvider and train of all complete packages."""
    return {
        (key_part(one), train) for one in models.dataproviders() for train in models.trains(one)
    }
