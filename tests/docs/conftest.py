"""A project with a trained model, for the code on the pages."""

import pytest

from tests.support.project import Project
from tests.support.toys import Houses, houses


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory):
    """The folder of a project that has trained `houses` once, with settings and rows to score."""
    home = tmp_path_factory.mktemp("houses")
    assets = ("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model",
              "trainset_estimations")  # fmt: skip
    Project(home, [Houses]).run(*(f"houses/{asset}" for asset in assets))
    (home / ".env").write_text(f"DATABASES=db|sqlite:///{home / 'houses.db'}\n")
    houses(20).set_index("id")[["size", "town"]].to_parquet(home / "rows.parquet")
    return home
