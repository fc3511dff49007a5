"""Plots, checks, sets and names in the control DB, beside what `test_contract` has."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.control import control_db
from xingu.records import CheckRecord, MetricRow, PackageRecord, TrainRun
from xingu.tracking.query import (
    TrainFilter,
    attributes_of,
    check_results,
    children_of,
    find_trains,
    model_metrics,
    steps_of,
)
from xingu.tracking.record import (
    claim_train,
    ids_of,
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
OTHER = TrainRun("houses", "new-owl", "late-noon", "run-2")
PACKAGE = PackageRecord("models/houses", "ab" * 32, {"a": ("cd" * 32, 7), "b": ("ef" * 32, 5)})


def check(name="r2", asset="trainset_metrics", passed=True, severity="error") -> CheckRecord:
    return CheckRecord(asset, name, passed, severity, "R2 is 0.9")


def rows(db, statement: str) -> list[tuple]:
    with db.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


def test_the_ids_of_a_train_are_three():
    assert ids_of(RUN) == {
        "dataprovider_id": "houses", "train_session_id": "brave-day", "train_id": "calm-fox",
    }  # fmt: skip


# -- checks ---------------------------------------------------------------------------------------


def test_a_result_replaces_the_earlier_one_of_the_same_check_on_the_same_asset(db):
    planned = {"r2", "rows"}
    record_checks(db, RUN, [check(passed=False), check("rows"), check(asset="model")], planned)
    record_checks(db, RUN, [check()], planned)
    found = rows(db, "SELECT asset, name, passed FROM checks ORDER BY asset, name")
    assert [(asset, name, bool(passed)) for asset, name, passed in found] == [
        ("model", "r2", True), ("trainset_metrics", "r2", True), ("trainset_metrics", "rows", True),
    ]  # fmt: skip


def test_checks_that_are_not_planned_any_more_are_removed(db):
    record_checks(db, RUN, [check("old"), check()], {"old", "r2"})
    record_checks(db, OTHER, [check("old")], {"old"})
    record_checks(db, RUN, [], {"r2"})
    assert rows(db, "SELECT train_id, name FROM checks ORDER BY name") == [
        ("new-owl", "old"), ("calm-fox", "r2"),
    ]  # fmt: skip


def test_the_results_of_a_train_are_those_of_its_checks_only(db):
    record_checks(db, RUN, [check(passed=False), check("rows", severity="warn")], {"r2", "rows"})
    record_checks(db, OTHER, [check()], {"r2"})
    assert check_results(db, "houses", "calm-fox") == {
        ("trainset_metrics", "r2"): (False, "error"), ("trainset_metrics", "rows"): (True, "warn"),
    }  # fmt: skip
    assert check_results(db, "taxes", "calm-fox") == {}


# -- plots ----------------------------------------------------------------------------------------


def test_plots_of_a_channel_are_replaced_and_others_stay(db):
    record_plots(db, RUN, [("trainsets", "a", "a.html"), ("trainsets", "b", "b.html")],
                 ["trainsets"])  # fmt: skip
    record_plots(db, RUN, [("search", "s", "s.html")], ["search"])
    record_plots(db, OTHER, [("trainsets", "a", "o.html")], ["trainsets"])
    record_plots(db, RUN, [("trainsets", "a", "new.html")], ["trainsets", "global"])
    assert set(rows(db, "SELECT train_id, channel, path FROM plots")) == {
        ("calm-fox", "trainsets", "new.html"),
        ("calm-fox", "search", "s.html"),
        ("new-owl", "trainsets", "o.html"),
    }


def test_one_plot_may_have_several_files(db):
    files = [("global", "a", "a.html"), ("global", "a", "a.png")]
    record_plots(db, RUN, files, ["global"])
    assert len(rows(db, "SELECT path FROM plots")) == 2


# -- trains ---------------------------------------------------------------------------------------


def test_the_size_of_a_package_is_that_of_its_files(db):
    record_train(db, RUN, {}, {}, [], PACKAGE)
    assert rows(db, "SELECT path, bytes, run_id FROM packages") == [("models/houses", 12, "run-1")]
    assert rows(db, "SELECT file, bytes FROM package_files ORDER BY file") == [("a", 7), ("b", 5)]


def test_a_train_that_is_recorded_with_other_prerequisites_loses_the_earlier_ones(db):
    record_train(db, RUN, {}, {"towns": "t1", "taxes": "t2"}, [], PACKAGE)
    record_train(db, RUN, {}, {"towns": "t3"}, [], PACKAGE)
    assert children_of(db, "towns", "t3") == [("houses", "calm-fox")]
    assert children_of(db, "towns", "t1") == children_of(db, "taxes", "t2") == []


def test_a_name_with_a_package_is_skipped_until_one_is_free(db):
    taken = {"calm-fox", "calm-fox-2", "calm-fox-3"}
    assert claim_train(db, RUN, "r1", taken.__contains__) == "calm-fox-4"


def test_trains_of_different_dataproviders_may_have_one_name(db):
    others = TrainRun("taxes", "calm-fox", "brave-day", "run-2")
    names = [claim_train(db, run, run.run_id, lambda _: False) for run in (RUN, others)]
    assert names == ["calm-fox", "calm-fox"]


# -- rows of sets and batches ---------------------------------------------------------------------


@pytest.mark.parametrize("index", [[1.0, np.nan], pd.DatetimeIndex(["2020-01-01", None])])
def test_a_missing_label_of_a_row_is_recorded_as_text(db, index):
    record_estimations(db, RUN, pd.Series([1.0, 2.0], index=index))
    texts = [row[0] for row in rows(db, 'SELECT "index" FROM estimations')]
    assert len(texts) == 2
    assert texts[1] in ("nan", "NaT")


def test_estimations_of_any_number_type_are_floats(db):
    record_estimations(db, RUN, pd.Series([1, 2], dtype="Int32"))
    assert rows(db, "SELECT estimation FROM estimations") == [(1.0,), (2.0,)]


def test_a_smaller_batch_leaves_no_row_of_the_larger_one(db):
    record_estimations(db, RUN, pd.Series([1.0, 2.0, 3.0]))
    record_estimations(db, RUN, pd.Series([4.0]))
    assert rows(db, "SELECT estimation FROM estimations") == [(4.0,)]


def test_metrics_of_estimations_are_numbers_or_texts(db):
    table = pd.DataFrame(
        {"name": ["e", "t"], "value_number": [0.5, None], "value_text": [None, "far"]}, index=[7, 7]
    )
    record_estimation_metrics(db, RUN, table)
    found = rows(db, 'SELECT "index", name, value_number, value_text FROM metrics_estimation')
    assert found == [("7", "e", 0.5, None), ("7", "t", None, "far")]


def test_an_empty_set_has_no_row(db):
    record_sets(db, RUN, {"train": pd.DataFrame({"p": [1.0]}), "test": pd.DataFrame({"p": []})},
                "p")  # fmt: skip
    assert rows(db, 'SELECT "set" FROM sets') == [("train",)]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    home = tmp_path_factory.mktemp("floats")
    return control_db(f"sqlite:///{home}/control.db", home)


@settings(max_examples=30)
@given(st.lists(st.floats() | st.none(), min_size=1, max_size=5))
def test_every_float_comes_back(sqlite, values):
    db = sqlite
    record_metrics(db, RUN, [MetricRow("t", f"m{n}", one, None) for n, one in enumerate(values)],
                   {"trainsets"})  # fmt: skip
    found = model_metrics(db).sort_values("name")["value_number"].tolist()
    np.testing.assert_array_equal(found, [np.nan if one is None else one for one in values])


# -- queries --------------------------------------------------------------------------------------


def test_trains_are_found_by_branch(db):
    for run, branch in ((RUN, "main"), (OTHER, "try")):
        record_train(db, run, {"git_branch": branch}, {}, [], PACKAGE)
    assert find_trains(db, TrainFilter(branches=["try"]))["train_id"].tolist() == ["new-owl"]
    assert len(find_trains(db, TrainFilter(branches=["try", "main"]))) == 2
    found = attributes_of(db, TrainFilter(branches=["main"]))
    assert found["train_id"].unique().tolist() == ["calm-fox"]


def test_without_rows_frames_have_their_columns_and_types(db):
    record_step(db, RUN, "train_fit_start")
    assert list(find_trains(db).columns) == [
        "dataprovider_id", "train_session_id", "train_id", "time",
    ]  # fmt: skip
    metrics = model_metrics(db)
    assert metrics.empty
    assert metrics["value_number"].dtype == "float64"
    assert str(metrics["time"].dt.tz) == "UTC"
    assert steps_of(db, TrainFilter(["nobody"])).empty


def test_a_train_without_steps_or_metrics_has_no_time(db):
    record_train(db, RUN, {}, {}, [], PACKAGE)
    assert find_trains(db)["time"].isna().tolist() == [True]
