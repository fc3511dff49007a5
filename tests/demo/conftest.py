"""The real warehouse, built once for all processes of a test run."""

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from demo import warehouse as demo


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory, worker_id) -> Path:
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        folder = folder.parent
    path = folder / "demo" / "warehouse.duckdb"
    with FileLock(folder / "demo.lock"):
        demo.build(path)
    return path


@pytest.fixture
def own_warehouse(warehouse, tmp_path) -> Path:
    """A copy that a test may change."""
    shutil.copyfile(warehouse.with_name("airports.csv"), tmp_path / "airports.csv")
    return Path(shutil.copyfile(warehouse, tmp_path / warehouse.name))


@pytest.fixture(scope="session")
def grown_warehouse(warehouse) -> Path:
    """The warehouse with one month more."""
    folder = warehouse.parent / "grown"
    with FileLock(warehouse.parent / "grown.lock"):
        if not folder.exists():
            unfinished = warehouse.parent / "growing"
            unfinished.mkdir()
            for file in ("airports.csv", warehouse.name):
                shutil.copyfile(warehouse.with_name(file), unfinished / file)
            demo.add_month(unfinished / warehouse.name)
            unfinished.rename(folder)
    return folder / warehouse.name
