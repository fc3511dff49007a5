"""Opening a control DB: one that Xingu 2.0 wrote, and ones that cannot be opened."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import inspect

from tests.support.control import control_db
from xingu.errors import ControlDbError
from xingu.records import MetricRow, TrainRun
from xingu.tracking.query import find_trains, model_metrics
from xingu.tracking.record import claim_train, record_metrics
from xingu.tracking.trials import earlier_hyperparameters
from xingu.tuning.resolve import EarlierTrain


def test_trains_metrics_and_hyperparameters_of_xingu_2_0_are_read_as_they_are(old_control_db):
    train = find_trains(old_control_db).iloc[0]
    assert (train["train_id"], train["time"].year) == ("old-train", 2020)
    metrics = model_metrics(old_control_db).set_index("name")
    assert metrics.loc["RMSE", "value_number"] == 12.5
    assert metrics.loc["comment", "value_text"] == "fine"
    assert [*earlier_hyperparameters(old_control_db, "houses")] == [
        EarlierTrain("old-train", {"depth": 6})
    ]


def test_new_trains_are_written_beside_those_of_xingu_2_0(old_control_db):
    run = TrainRun("houses", "new-train", "new-session", "run")
    for _ in range(2):  # twice within one second: its keys hold the time
        record_metrics(old_control_db, run, [MetricRow("test", "RMSE", 11.0, None)], {"trainsets"})
    assert sorted(model_metrics(old_control_db)["value_number"].dropna()) == [11.0, 12.5]


def test_opening_it_changes_no_row_of_xingu_2_0(old_control_db, tmp_path):
    def dump():
        with closing(sqlite3.connect(tmp_path / "old.db")) as database:
            tables = ("training", "training_attributes", "training_steps", "metrics_model")
            return [database.execute(f"SELECT * FROM {name}").fetchall() for name in tables]

    before = dump()
    find_trains(old_control_db)
    assert dump() == before


def test_a_password_is_in_no_error(tmp_path):
    db = control_db("postgresql://user:s3cret-Pw@127.0.0.1:1/db", tmp_path)
    with pytest.raises(ControlDbError, match=r"(?s)@127.0.0.1:1/db.*XINGU_DB_URL") as failure:
        find_trains(db)
    assert "s3cret" not in f"{failure.value!r} {failure.value.facts} {failure.value.__context__!r}"


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path):
    (tmp_path / "control.db").write_text("this is a text, and no database at all" * 100)
    with pytest.raises(ControlDbError, match=r"control\.db.*not a database"):
        find_trains(control_db(f"sqlite:///{tmp_path / 'control.db'}", tmp_path))


def test_the_folder_of_the_file_is_made(tmp_path):
    db = control_db("sqlite:///deep/down/control.db", tmp_path)
    claim_train(db, TrainRun("houses", "t", "s", "r"), "r", lambda _: False)
    assert (tmp_path / "deep/down/control.db").is_file()


def test_a_read_makes_no_file_and_says_how_one_comes_into_being(tmp_path):
    db = control_db("sqlite:///deep/down/control.db", tmp_path)
    with pytest.raises(ControlDbError, match=r"no control DB at .*control\.db: train a model.*URL"):
        find_trains(db)
    assert list(tmp_path.iterdir()) == []


def test_migrations_make_what_the_code_expects(tmp_path):
    db = control_db("sqlite:///control.db", tmp_path)
    found = inspect(db.engine)
    for table in db.tables.metadata.sorted_tables:
        columns = {one["name"]: bool(one["nullable"]) for one in found.get_columns(table.name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}


def test_a_database_of_an_older_version_is_brought_up_to_date_and_keeps_its_rows(tmp_path):
    db = control_db("sqlite:///control.db", tmp_path)
    claim_train(db, TrainRun("houses", "t", "s", "r"), "r", lambda _: False)
    with db.write("test") as connection:
        for table in ("trials", "plots", "checks", "leases", "batch_partitions"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("UPDATE xingu_version SET version_num = '0001'")
    newer = control_db("sqlite:///control.db", tmp_path)
    made = {"trials", "plots", "checks", "leases", "batch_partitions"}
    assert made <= set(inspect(newer.engine).get_table_names())
    with newer.read() as connection:
        assert connection.exec_driver_sql("SELECT train_id FROM train_claims").scalar() == "t"
