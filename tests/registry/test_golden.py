"""Golden rows: what is kept of the test set, and what they prove."""

import logging
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from tests.support.fitted import fit_model, save_model
from tests.support.toys import Houses, Taxes, houses
from xingu import DataProvider
from xingu.registry import golden
from xingu.registry.golden import Golden, differences, read_golden, write_golden
from xingu.registry.manifest import describe_files
from xingu.registry.store import ModelStore
from xingu.registry.transfer import copy_package


class HalfPrice(DataProvider):
    """Without an Estimator: a hook computes the estimation."""

    id, hollow, y = "half_price", True, "price"
    train_dataset_sources = Houses.train_dataset_sources

    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred.assign(estimation=X["size"] / 2)


class Dice(HalfPrice):
    id = "dice"

    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred.assign(estimation=np.random.default_rng().random(len(X)))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Saved Models of a regressor, and of a classifier with a prerequisite."""
    store = ModelStore(tmp_path_factory.mktemp("golden"))
    save_model(Houses, store)
    save_model(Taxes, store, houses="first")
    return store


def rows_kept(rows: pd.DataFrame, folder) -> pd.DataFrame | None:
    """Write golden rows of a Model whose test set is `rows`, and return those that are kept."""
    model = fit_model(HalfPrice)
    model.sets = {"test": rows}
    write_golden(model, folder)
    if not (folder / golden.GOLDEN).exists():
        return None
    package = UPath(folder)
    stored, _ = (golden.read_frame(package / name) for name in (golden.GOLDEN, golden.ESTIMATIONS))
    return golden._with_categories(stored)


# -- what they prove ------------------------------------------------------------------------------


@pytest.mark.parametrize("dp_id", ["houses", "taxes"])
def test_a_package_is_proven_wherever_it_is_loaded(store, dp_id, tmp_path):
    away = ModelStore(tmp_path)
    package = store.package(dp_id, "first")
    copy_package(package, away.package(dp_id, "first"), store.manifest(dp_id, "first"))
    saved = read_golden(away.package(dp_id, "first"))
    assert differences(away.load(dp_id, "first"), saved) == []
    assert len(saved.rows) == 40  # all of the test set


def test_what_differs_is_named_with_its_row_and_both_values(store):
    saved = read_golden(store.package("taxes", "first"))
    changed = saved.estimations.copy()
    changed.loc[3, "estimation_class_1"] += 1e-6
    changed.loc[5, "estimation_class_1"] *= 1 + 1e-10
    model = store.load("taxes", "first")
    [text] = differences(model, Golden(saved.rows, changed))
    value = changed.loc[3, "estimation_class_1"]
    assert text.startswith(f"golden row 3, estimation_class_1: {value} was estimated when")
    changed = saved.estimations.assign(estimation=1 - saved.estimations["estimation"], other=1)
    assert len(differences(model, Golden(saved.rows, changed))) == len(changed) + 1
    assert differences(model, Golden(saved.rows[:5], changed)) == [
        "40 rows had estimations, now 5 have"
    ]


def test_a_hollow_model_has_golden_rows_too(tmp_path):
    store = ModelStore(tmp_path)
    save_model(HalfPrice, store)
    saved = read_golden(store.package("half_price", "first"))
    assert (saved.estimations["estimation"] == saved.rows["size"].reset_index(drop=True) / 2).all()
    assert differences(store.load("half_price", "first"), saved) == []


def test_a_package_of_an_earlier_version_has_none(tmp_path):
    store = ModelStore(tmp_path)
    save_model(HalfPrice, store)
    package = store.package("half_price", "first")
    manifest = store.manifest("half_price", "first")
    files = {name: one for name, one in manifest.files.items() if "golden" not in name}
    older = manifest.model_copy(update={"files": files})
    (package / "manifest.json").write_text(older.model_dump_json())
    assert read_golden(package) is None
    assert store.load("half_price", "first").train_id == "first"


# -- which rows -----------------------------------------------------------------------------------


def test_of_a_large_set_100_rows_are_kept_the_same_ones_each_time(tmp_path):
    rows = houses(1_000)
    first, second = (tmp_path / name for name in ("first", "second"))
    for folder in (first, second):
        folder.mkdir()
        assert len(rows_kept(rows, folder)) == golden.ROWS
    assert describe_files(first) == describe_files(second)


@pytest.mark.parametrize("declared", [0, 7])
def test_a_dataprovider_declares_fewer_rows_or_none(tmp_path, monkeypatch, declared):
    monkeypatch.setattr(Houses, "golden_rows", declared)
    store = ModelStore(tmp_path)
    save_model(Houses, store)
    found = read_golden(store.package("houses", "first"))
    assert (len(found.rows) if found else 0) == declared


def test_long_texts_leave_fewer_rows(tmp_path):
    texts = [np.random.default_rng(number).bytes(45_000).hex() for number in range(80)]
    assert 5 < len(rows_kept(houses(80).assign(text=texts), tmp_path)) < 80
    assert (tmp_path / golden.GOLDEN).stat().st_size <= golden.MAX_BYTES


COLUMNS = {
    "category of texts": st.sampled_from("abc"),
    "category of numbers": st.sampled_from([3, 1, 2]),
    "nullable": st.one_of(st.none(), st.integers(-(2**60), 2**60)),
    "object of texts": st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=5)),
    "zoned": st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)),
    "float": st.floats(allow_nan=True),
    "day": st.dates(date(1970, 1, 1), date(2100, 1, 1)),
    "flag": st.booleans(),
}


@settings(max_examples=40)
@given(st.data())
def test_every_usual_dtype_is_kept_as_it_was(tmp_path_factory, data):
    size = data.draw(st.integers(1, 5))
    drawn = {
        name: data.draw(st.lists(cells, min_size=size, max_size=size))
        for name, cells in COLUMNS.items()
    }
    zoned = pd.to_datetime(drawn["zoned"]).tz_localize("Europe/Berlin", ambiguous=True,
                                                       nonexistent="shift_forward")  # fmt: skip
    rows = houses(size).assign(
        **drawn
        | {
            "category of texts": pd.Categorical(drawn["category of texts"], list("cab")),
            "category of numbers": pd.Categorical(drawn["category of numbers"], [3, 1, 2, 9]),
            "nullable": pd.array(drawn["nullable"], dtype="Int64"),
            "object of texts": pd.Series(drawn["object of texts"], dtype=object),
            "zoned": zoned,
        }
    )
    stored = golden._storable(rows)
    assert golden.parquet_obstacle(stored) is None
    path = UPath(tmp_path_factory.getbasetemp()) / "dtypes.parquet"
    path.write_bytes(golden._parquet(stored))
    pd.testing.assert_frame_equal(golden._with_categories(golden.read_frame(path)), rows)


def test_rows_that_hold_python_objects_are_left_out_with_a_line_in_the_log(tmp_path, caplog):
    notes = pd.Series(["a", None, {"no": 1}, [2], "b"], dtype=object)
    with caplog.at_level(logging.INFO):
        kept = rows_kept(houses(5).assign(note=notes), tmp_path)
    assert kept["note"].tolist() == ["a", None, "b"]
    assert "half_price: 2 of 5 rows of the set test hold Python objects" in caplog.text


def test_an_index_that_parquet_changes_is_replaced(tmp_path):
    rows = houses(5).set_index(["town", "price"])
    pd.testing.assert_frame_equal(rows_kept(rows, tmp_path), rows.reset_index(drop=True))


def test_without_rows_the_package_is_written_and_a_warning_says_why(tmp_path, caplog):
    unusable = houses(5).assign(when=[datetime(2026, 1, 1, tzinfo=UTC).isoformat().split("T")] * 5)
    assert rows_kept(unusable, tmp_path) is None
    assert "no golden rows, so a copy is not proven by estimating: no row is left" in caplog.text
    model = fit_model(HalfPrice)
    model.sets = {}
    write_golden(model, tmp_path)
    assert "the sets of its train are not in memory" in caplog.text


def test_estimations_that_are_drawn_by_chance_prove_nothing(tmp_path, caplog):
    write_golden(fit_model(Dice), tmp_path)
    assert [*tmp_path.iterdir()] == []
    assert "the same rows do not always get the same estimation (golden row 0" in caplog.text
