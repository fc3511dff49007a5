"""Contract of the control DB, on SQLite and on PostgreSQL."""

import math
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import inspect, text

from tests.support.control import control_db
from tests.support.processes import at_once
from xingu.errors import ControlDbError
from xingu.metrics.collect import metric_rows
from xingu.records import MetricRow, PackageRecord, SourceRecord, TrainRun
from xingu.tracking.query import (
    TrainFilter,
    attributes_of,
    children_of,
    find_trains,
    model_metrics,
    steps_of,
)
from xingu.tracking.record import (
    claim_session,
    claim_train,
    record_estimation_metrics,
    record_estimations,
    record_metrics,
    record_sets,
    record_step,
    record_train,
)

RUN = TrainRun("houses", "calm-fox", "brave-day", "run-1")
PACKAGE = PackageRecord("models/houses/trains/calm-fox", "ab" * 32, {"a.pkl": ("cd" * 32, 7)})
SOURCE = SourceRecord("rows", "db: select 1", "v1", 400, cached=False)
SETS = {"trainsets", "global"}
HYPERPARAM = '{"source_train_id": "old-cat", "params": {"a": 1}, "hyperparams": {"b": 2.5}}'

COLUMNS = {
    "training": "train_session_id train_id dataprovider_id",
    "training_attributes": "train_session_id train_id dataprovider_id attribute value",
    "training_steps": "time dataprovider_id train_session_id train_id status",
    "sets": "dataprovider_id train_session_id train_id set index target",
    "metrics_model": "time dataprovider_id train_session_id train_id set name value_number "
    "value_text",
    "metrics_estimation": "time train_session_id train_id dataprovider_id index name value_number "
    "value_text",
    "estimations": "time dataprovider_id train_session_id train_id index estimation",
}


def rows_of(db, table: str) -> list[tuple]:
    with db.read() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))]


def values_of(db, table: str, columns: str) -> list[tuple]:
    with db.read() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table}"))]


def save_train(db, run=RUN, parents=None):
    record_train(db, run, {"hyperparam": HYPERPARAM, "y": "p"}, parents or {}, [SOURCE], PACKAGE)


def test_the_tables_have_exactly_the_promised_columns(db):
    found = inspect(db.engine)
    for table, columns in COLUMNS.items():
        assert {column["name"] for column in found.get_columns(table)} == set(columns.split())


def test_a_prefix_starts_every_name(control_url, tmp_path):
    db = control_db(control_url, tmp_path, "acme_")
    names = set(inspect(db.engine).get_table_names())
    assert {f"acme_{name}" for name in COLUMNS} <= names
    assert all(name.startswith("acme_") for name in names)
    save_train(db)
    assert rows_of(db, "acme_training") == [("houses", "brave-day", "calm-fox")]


def test_what_is_recorded_again_replaces_what_was_there(db):
    frame = pd.DataFrame({"p": [1.5, 2.5]}, index=[3, 4])
    table = pd.DataFrame({"name": ["e"], "value_number": [0.5], "value_text": [None]}, index=[3])
    for _ in range(2):
        save_train(db, parents={"towns": "old-dog"})
        record_step(db, RUN, "train_fit_start")
        record_metrics(db, RUN, [MetricRow("test", "R2", 0.5, None)], SETS)
        record_metrics(db, RUN, [MetricRow("batch", "mean", 1.0, None)], {"batch_predict"})
        record_sets(db, RUN, {"train": frame}, "p")
        record_estimations(db, RUN, pd.Series([1.0, 2.0], index=[3, 4]))
        record_estimation_metrics(db, RUN, table)
    counts = {name: len(rows_of(db, name)) for name in COLUMNS}
    assert counts == {
        "training": 1, "training_attributes": 2, "training_steps": 1, "sets": 2,
        "metrics_model": 2, "metrics_estimation": 1, "estimations": 2,
    }  # fmt: skip
    assert [len(rows_of(db, name)) for name in ("packages", "package_files")] == [1, 1]


def test_metrics_of_the_sets_and_of_the_batch_do_not_replace_each_other(db):
    record_metrics(db, RUN, [MetricRow("batch", "mean", 1.0, None)], {"batch_predict"})
    record_metrics(
        db, RUN, [MetricRow("test", "R2", 0.5, None), MetricRow(None, "n", 3.0, None)], SETS
    )
    found = values_of(db, "metrics_model", '"set", name')
    assert sorted(found) == [("batch_predict", "mean"), ("global", "n"), ("test", "R2")]


def test_other_trains_keep_their_rows(db):
    other = TrainRun("houses", "new-fox", "brave-day", "run-2")
    for run in (RUN, other, RUN):
        save_train(db, run)
        record_metrics(db, run, [MetricRow("test", "R2", 0.5, None)], SETS)
    assert len(rows_of(db, "training")) == len(rows_of(db, "metrics_model")) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0), (np.float32(0.5), 0.5), (np.int64(3), 3.0), (Decimal("0.25"), 0.25),
        (True, 1.0), (np.bool_(False), 0.0), (1e-300, 1e-300),
    ],
)  # fmt: skip
def test_a_number_is_stored_as_a_number(db, value, expected):
    record_metrics(db, RUN, metric_rows("test", {"m": value}, "houses.m"), SETS)
    assert values_of(db, "metrics_model", "value_number, value_text") == [(expected, None)]


def test_a_text_stays_a_text_even_if_it_looks_like_a_number(db):
    record_metrics(db, RUN, metric_rows("test", {"m": "3.5"}, "houses.m"), SETS)
    assert values_of(db, "metrics_model", "value_number, value_text") == [(None, "3.5")]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_what_is_not_finite_comes_back_as_what_it_is(db, value):
    record_metrics(db, RUN, metric_rows("test", {"m": value}, "houses.m"), SETS)
    number = model_metrics(db)["value_number"].item()
    assert number == value or (math.isnan(number) and math.isnan(value))


@pytest.mark.parametrize(
    ("index", "texts"),
    [
        (pd.Index([1, 2]), ["1", "2"]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]), ["a, 1", "b, 2"]),
        (pd.DatetimeIndex(["2013-01-01 05:00", "2013-01-02"]),
         ["2013-01-01 05:00:00", "2013-01-02 00:00:00"]),
        (pd.Index([None, "x;\"y'\n"], dtype=object), ["None", "x;\"y'\n"]),
        (pd.Index([0.5, 1e20]), ["0.5", "1e+20"]),
    ],
)  # fmt: skip
def test_an_index_of_any_type_becomes_readable_text(db, index, texts):
    record_sets(db, RUN, {"test": pd.DataFrame({"p": [1.0, 2.0]}, index=index)}, "p")
    assert [row[0] for row in values_of(db, "sets", '"index"')] == texts


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (pd.Series([1.5, np.nan]), [1.5, None]),
        (pd.Series([True, False]), [1, 0]),
        (pd.Series([3, 4], dtype="Int64"), [3, 4]),
        (pd.Series(["yes", None]), ["yes", None]),
        (pd.Series(["", "a,b"]), ["", "a,b"]),
        (pd.Series(pd.Categorical(["u", "v"])), ["u", "v"]),
    ],
)
def test_targets_are_numbers_or_texts(db, target, expected):
    record_sets(db, RUN, {"test": pd.DataFrame({"p": target})}, "p")
    found = [row[0] for row in values_of(db, "sets", "target")]
    if db.engine.dialect.name == "postgresql":  # a column has one type there
        found = [type(want)(have) if have is not None else None
                 for have, want in zip(found, expected, strict=True)]  # fmt: skip
    assert found == expected


def test_sets_without_a_target_column_are_recorded_all_the_same(db):
    record_sets(db, RUN, {"test": pd.DataFrame({"x": [1]})}, "p")
    assert values_of(db, "sets", "target") == [(None,)]


def test_a_train_is_answered_by_sources_parents_attributes_and_steps(db):
    save_train(db, parents={"towns": "old-dog"})
    record_step(db, RUN, "train_dataprep_start")
    assert values_of(db, "train_sources", "source, data_version") == [("rows", "v1")]
    assert children_of(db, "towns", "old-dog") == [("houses", "calm-fox")]
    known = attributes_of(db).set_index("attribute")["value"]
    assert known["y"] == "p"
    steps = steps_of(db, TrainFilter(["calm-fox"]))
    assert steps["status"].tolist() == ["train_dataprep_start"]
    assert abs(steps["time"].item() - datetime.now(UTC)).total_seconds() < 60


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TrainFilter(), 3),
        (TrainFilter(["calm-fox"]), 1),
        (TrainFilter(["brave-day"]), 2),
        (TrainFilter(["brave-day:calm-fox"]), 1),
        (TrainFilter(dataprovider_ids=["taxes"]), 1),
        (TrainFilter(start=datetime(2100, 1, 1, tzinfo=UTC)), 0),
        (TrainFilter(start=datetime(2020, 1, 1, tzinfo=UTC)), 2),
        (TrainFilter(end=datetime(2100, 1, 1, tzinfo=UTC)), 2),
    ],
)
def test_trains_are_found_by_ids_provider_and_time(db, wanted, found):
    for run in (RUN, TrainRun("taxes", "tall-ape", "brave-day", "run-1")):
        save_train(db, run)
        record_step(db, run, "train_fit_end")
    save_train(db, TrainRun("houses", "no-time", "other-day", "run-9"))
    assert len(find_trains(db, wanted)) == found


# -- names -------------------------------------------------------------------------------------


def test_every_process_of_a_run_gets_the_same_names_and_a_clash_gets_a_number(db):
    sessions = [claim_session(db, run, "brave-day") for run in ("r1", "r1", "r2", "r1", "r3")]
    assert sessions == ["brave-day", "brave-day", "brave-day-2", "brave-day", "brave-day-3"]
    trains = [claim_train(db, RUN, run, lambda _: False) for run in ("r1", "r1", "r2", "r1")]
    assert trains == ["calm-fox", "calm-fox", "calm-fox-2", "calm-fox"]


def test_a_train_that_has_a_package_is_not_trained_over(db):
    assert claim_train(db, RUN, "r1", lambda _: False) == "calm-fox"
    assert claim_train(db, RUN, "r1", {"calm-fox"}.__contains__) == "calm-fox-2"
    assert claim_train(db, RUN, "r1", {"calm-fox"}.__contains__) == "calm-fox-2"


def claim_both(url, home, root_run_id):
    db = control_db(url, home)
    return claim_session(db, root_run_id, "day"), claim_train(db, RUN, root_run_id, lambda _: False)


def test_processes_that_start_at_once_on_an_empty_database_claim_different_names(
    control_url, tmp_path
):
    given = [(control_url, tmp_path, f"run-{n}") for n in range(8)]
    claims = at_once(claim_both, given, processes=3)
    assert len({session for session, _ in claims}) == len({train for _, train in claims}) == 8


def write_much(url, home, number):
    db = control_db(url, home)
    run = TrainRun("houses", f"train-{number}", "session", "run")
    for round_ in range(5):
        save_train(db, run)
        record_step(db, run, f"step-{round_}")
        record_metrics(
            db, run, [MetricRow("test", f"m{n}", float(n), None) for n in range(20)], SETS
        )
        record_sets(db, run, {"test": pd.DataFrame({"p": np.arange(2_000)})}, "p")


def test_processes_that_write_at_once_lose_nothing_and_double_nothing(control_url, tmp_path):
    at_once(write_much, [(control_url, tmp_path, number) for number in range(10)], processes=4)
    db = control_db(control_url, tmp_path)
    counts = {name: len(rows_of(db, name)) for name in ("training", "training_steps", "sets")}
    assert counts == {"training": 10, "training_steps": 50, "sets": 20_000}
    assert len(rows_of(db, "metrics_model")) == 200


# -- a bad day ---------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_what_was_there(db):
    record_sets(db, RUN, {"test": pd.DataFrame({"p": [1.0]})}, "p")

    class Unreadable:
        def __str__(self):
            raise ValueError("no text")

    bad = pd.DataFrame({"p": [Unreadable()]})
    with pytest.raises(ValueError, match="no text"):
        record_sets(db, RUN, {"train": bad}, "p")
    assert [row[0] for row in values_of(db, "sets", '"set"')] == ["test"]


def test_a_database_of_a_newer_xingu_is_refused_and_stays_as_it_is(db, control_url, tmp_path):
    with db.write("test") as connection:
        connection.execute(text("UPDATE xingu_version SET version_num = '9999'"))
    with pytest.raises(ControlDbError, match="schema version that this version of Xingu does"):
        find_trains(control_db(control_url, tmp_path))
    assert values_of(db, "xingu_version", "version_num") == [("9999",)]
