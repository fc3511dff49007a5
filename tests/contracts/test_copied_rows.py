"""Rows of a train are copied between control DBs of each kind, in each direction."""

import pandas as pd
import pytest
from sqlalchemy import insert, text

from tests.support.control import control_db
from xingu.errors import ControlDbError
from xingu.records import CheckRecord, MetricRow, PackageRecord, SourceRecord, TrainRun
from xingu.tracking import copying
from xingu.tracking.copying import copy_train, count_train, package_digest
from xingu.tracking.record import (
    record_checks,
    record_estimation_metrics,
    record_estimations,
    record_metrics,
    record_plots,
    record_sets,
    record_step,
    record_train,
)

RUN = TrainRun("houses", "calm-fox", "brave-day", "run-1")
OTHER = TrainRun("houses", "old-cat", "brave-day", "run-1")
PACKAGE = PackageRecord("here/calm-fox", "ab" * 32, {"a.pkl": ("cd" * 32, 7)})


def fill(db, run=RUN):
    """Write rows into every table that belongs to trains."""
    estimations = pd.Series([1.5, 2.0, float("nan")], ["a", "b, c", 'd"'])
    attributes = {"y": "p", "empty": "", "quoted": 'a "b", c\nd'}
    source = SourceRecord("rows", "db: select 1", "v1", 400, cached=False)
    record_train(db, run, attributes, {"land": "x"}, [source], PACKAGE)
    record_step(db, run, "train_fit_start")
    record_sets(db, run, {"test": pd.DataFrame({"p": [1, 2.25, None]})}, "p")
    record_sets(db, run, {"test": pd.DataFrame({"p": ["yes", 2, None]})}, "p")
    metrics = [MetricRow("test", "R2", 0.1 + 0.2, None), MetricRow("test", "x", None, "ä")]
    record_metrics(db, run, metrics, {"trainsets"}, {"test": {"R2": 0.01}})
    record_estimations(db, run, estimations)
    frame = pd.DataFrame({"name": "n", "value_number": [1.0, None], "value_text": [None, "t"]})
    record_estimation_metrics(db, run, frame)
    record_plots(db, run, [("global", "p", "plots/p.html")], {"global"})
    check = CheckRecord("trainset_metrics", "quality_gates", True, "error", "fine")
    record_checks(db, run, [check], {"quality_gates"})
    trial = {"search_id": run.train_id, "number": 0, "state": "done", "params": "{}", "value": 0.5,
             "started": 1.25}  # fmt: skip
    ids = {"dataprovider_id": "houses", "train_id": run.train_id, "train_session_id": "brave-day"}
    with db.write("trial") as connection:
        connection.execute(insert(db.tables.trials).values(**ids, **trial))
        part = {"time": 5, "table_name": "estimations", "partition": "2026-11-28"}
        connection.execute(insert(db.tables.batch_partitions).values(**ids, **part))


def content(db, run=RUN) -> dict[str, list[tuple]]:
    """Return all rows of a train by table, but for the location of its package."""
    found = {}
    with db.read() as connection:
        for table in copying.copied(db):
            columns = [column for column in table.c if column.name != "path"]
            rows = connection.execute(table.select().with_only_columns(*columns))
            plain = [tuple(row) for row in rows if run.train_id in row]
            rows = [tuple(map(shown, row)) for row in plain]
            found[table.name.removeprefix(db.prefix)] = sorted(rows)
    return found


def shown(value) -> str:
    """Return a value as a text that is the same from each database; SQLite has no NaN."""
    return "None" if value != value else str(value).removesuffix(".0")


@pytest.fixture
def sqlite(tmp_path):
    return control_db(f"sqlite:///{tmp_path / 'other.db'}", tmp_path)


@pytest.fixture(params=["away", "back"])
def pair(db, sqlite, request):
    """Two databases: SQLite and each kind, in both directions."""
    yield (sqlite, db) if request.param == "away" else (db, sqlite)
    sqlite.engine.dispose()


def test_every_table_of_trains_arrives_and_copying_again_changes_nothing(pair, monkeypatch):
    monkeypatch.setattr(copying, "PAGE", 2)
    source, target = pair
    fill(source)
    fill(source, OTHER)
    before = content(source)
    assert all(before.values()), "a table of trains has no rows in this test: fill it too"
    for _ in range(2):
        counts = copy_train(source, target, RUN, "there/calm-fox")
        assert counts == count_train(source, RUN) == count_train(target, RUN)
        assert content(target) == before
    assert not any(content(target, OTHER).values())
    with target.read() as connection:
        assert connection.scalar(text("SELECT path FROM packages")) == "there/calm-fox"
    assert package_digest(target, RUN) == "ab" * 32


def test_rows_of_the_target_that_the_source_does_not_have_are_removed(pair):
    source, target = pair
    fill(target)
    record_train(source, RUN, {}, {}, [], PACKAGE)
    copy_train(source, target, RUN, "there")
    assert content(target) == content(source)


def test_a_copy_that_fails_leaves_the_target_as_it_was(pair, monkeypatch):
    source, target = pair
    fill(source)
    copy_train(source, target, RUN, "there")
    before = content(target)
    record_step(source, RUN, "train_fit_end")
    done = []

    def insert_columns(*arguments):
        if len(done) == 6:
            raise OSError("the machine stops")
        done.append(arguments)
        return real(*arguments)

    real = copying.insert_columns
    monkeypatch.setattr(copying, "insert_columns", insert_columns)
    with pytest.raises(ControlDbError):
        copy_train(source, target, RUN, "there")
    assert content(target) == before


def test_a_prefix_makes_two_databases_of_one(control_url, tmp_path):
    source, target = (control_db(control_url, tmp_path, prefix) for prefix in ("dev_", "prod_"))
    fill(source)
    copy_train(source, target, RUN, "there")
    assert content(target) == content(source)
    with pytest.raises(ControlDbError, match="of its own"):
        copy_train(source, source, RUN, "there")
    source.engine.dispose()
    target.engine.dispose()
