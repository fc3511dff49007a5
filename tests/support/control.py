"""Control databases: empty ones, one that Xingu 2.0 wrote, and those of projects.

A pytest plugin for its fixtures: `tests/conftest.py` names it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from xingu.sources import Databases
from xingu.tracking.database import ControlDB

if TYPE_CHECKING:
    from tests.support.project import Project

# The shape of a database of Xingu 2.0, with keys as strict as they can be.
OF_2_0 = """
CREATE TABLE training (
    train_session_id VARCHAR NOT NULL, train_id VARCHAR NOT NULL, dataprovider_id VARCHAR NOT NULL,
    PRIMARY KEY (train_session_id, train_id, dataprovider_id));
CREATE TABLE training_attributes (
    train_session_id VARCHAR NOT NULL, train_id VARCHAR NOT NULL, dataprovider_id VARCHAR NOT NULL,
    attribute VARCHAR NOT NULL, value VARCHAR,
    PRIMARY KEY (train_session_id, train_id, dataprovider_id, attribute));
CREATE TABLE training_steps (
    time INTEGER NOT NULL, dataprovider_id VARCHAR NOT NULL, train_session_id VARCHAR NOT NULL,
    train_id VARCHAR NOT NULL, status VARCHAR NOT NULL,
    PRIMARY KEY (time, dataprovider_id, train_session_id, train_id, status));
CREATE TABLE metrics_model (
    time INTEGER NOT NULL, dataprovider_id VARCHAR NOT NULL, train_session_id VARCHAR NOT NULL,
    train_id VARCHAR NOT NULL, "set" VARCHAR NOT NULL, name VARCHAR NOT NULL,
    value_number FLOAT, value_text VARCHAR,
    PRIMARY KEY (time, dataprovider_id, train_session_id, train_id, "set", name));
INSERT INTO training VALUES ('old-session', 'old-train', 'houses');
INSERT INTO training_attributes VALUES
    ('old-session', 'old-train', 'houses', 'git_branch', 'main'),
    ('old-session', 'old-train', 'houses', 'hyperparam',
     '{"source_train_id": null, "params": {"seed": 1}, "hyperparams": {"depth": 6}}');
INSERT INTO training_steps VALUES
    (1600000000, 'houses', 'old-session', 'old-train', 'train_fit_start');
INSERT INTO metrics_model VALUES
    (1600000009, 'houses', 'old-session', 'old-train', 'test', 'RMSE', 12.5, NULL),
    (1600000009, 'houses', 'old-session', 'old-train', 'test', 'comment', NULL, 'fine');
"""


def control_db(url: str, home: Path, prefix: str = "") -> ControlDB:
    return ControlDB(Databases({"xingu": url}, home), prefix)


def control(project: Project) -> ControlDB:
    """Return the control DB of a project."""
    settings = project.config
    return ControlDB(Databases(settings.source_databases(), project.home), settings.table_prefix)


def rows(project: Project, query: str) -> list[tuple]:
    """Return what a query finds in the control DB of a project."""
    with control(project).read() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def db(control_url: str, tmp_path: Path) -> Iterator[ControlDB]:
    """An empty control DB of each kind."""
    db = control_db(control_url, tmp_path)
    yield db
    db.engine.dispose()


@pytest.fixture
def old_control_db(tmp_path: Path) -> ControlDB:
    """A control DB that Xingu 2.0 wrote."""
    with closing(sqlite3.connect(tmp_path / "old.db")) as database:
        database.executescript(OF_2_0)
    return control_db(f"sqlite:///{tmp_path / 'old.db'}", tmp_path)
