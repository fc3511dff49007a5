"""Everything recorded about one train: from the package, and from the control DB."""

import logging

import pytest

from tests.support.control import control_db
from tests.support.fitted import fit_model, save_model
from tests.support.toys import Houses, Taxes
from xingu.errors import UntrainedModelError
from xingu.records import MetricRow, PackageRecord, SourceRecord
from xingu.registry.store import ModelStore
from xingu.tracking.details import train_details
from xingu.tracking.record import record_metrics, record_step, record_train

PACKAGE = PackageRecord("somewhere", "ab" * 32, {})
OF_CONTROL_DB = {"steps", "metrics", "pre_req_of"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    store = ModelStore(tmp_path_factory.mktemp("details") / "models")
    houses = fit_model(Houses)
    source = SourceRecord("houses", "db: select 1", "v1", 400, cached=False)
    store.save(houses, {"houses/splits": "value"}, [source])
    store.make_current(houses.run)
    save_model(Taxes, store, "tall-elk", "brave-day", houses="calm-fox")
    save_model(Houses, store, "new-owl", "late-noon")
    return store


@pytest.fixture
def control(tmp_path, models):
    """A control DB with metrics, steps and prerequisites of the trains."""
    db = control_db(f"sqlite:///{tmp_path}/control.db", tmp_path)
    houses, taxes = (models.load("houses", "calm-fox"), models.load("taxes", "tall-elk"))
    record_train(db, houses.run, {}, {}, [], PACKAGE)
    record_train(db, taxes.run, {}, taxes.pre_req_trains, [], PACKAGE)
    record_step(db, houses.run, "train_fit_start")
    rows = [
        MetricRow("train", "RMSE", 4.0, None),
        MetricRow("test", "RMSE", float("nan"), None),
        MetricRow("test", "comment", None, "fine"),
    ]
    record_metrics(db, houses.run, rows, {"trainsets"})
    return db


def test_the_package_gives_ids_parameters_sources_files_and_prerequisites(models, control):
    details = train_details(models, control, "taxes/tall-elk")
    train = details["train"]
    assert (train["train_id"], train["train_session_id"]) == ("tall-elk", "brave-day")
    assert train["estimator"].endswith("LightGBMClassifier")
    assert train["features"] == ["size", "estimated_price"]
    assert train["rows"] == {"train": 280, "val": 80, "test": 40}
    assert train["package"] == str(models.package("taxes", "tall-elk"))
    assert details["parameters"]["params"] == dict(Houses.estimator_params)
    assert details["pre_reqs"] == {"houses": "calm-fox"}
    assert "estimator/booster.txt" in [file["file"] for file in details["files"]]


def test_the_sources_of_a_train_are_listed(models, control):
    (source,) = train_details(models, control, "calm-fox")["sources"]
    assert (source["source"], source["data_version"], source["rows"]) == ("houses", "v1", 400)


@pytest.mark.parametrize(("train", "current"), [("calm-fox", False), ("new-owl", True)])
def test_a_train_says_whether_it_is_current(models, control, train, current):
    assert train_details(models, control, train)["train"]["current"] is current


def test_the_control_db_gives_steps_metrics_and_what_was_made_with_the_train(models, control):
    details = train_details(models, control, "brave-day:calm-fox")
    assert [step["status"] for step in details["steps"]] == ["train_fit_start"]
    assert details["pre_req_of"] == [{"dataprovider_id": "taxes", "train_id": "tall-elk"}]


def test_metrics_are_one_record_each_with_a_value_by_set(models, control):
    metrics = train_details(models, control, "calm-fox")["metrics"]
    assert {one["metric"]: one for one in metrics} == {
        "RMSE": {"metric": "RMSE", "train": 4.0, "test": "NaN"},
        "comment": {"metric": "comment", "train": None, "test": "fine"},
    }


def test_a_train_without_rows_in_the_control_db_has_empty_sections(models, control):
    details = train_details(models, control, "new-owl")
    assert {name: details[name] for name in OF_CONTROL_DB} == {name: [] for name in OF_CONTROL_DB}


@pytest.mark.parametrize("url", ["sqlite:///none.db", "nonsense", "postgresql://u:pw@[/x"])
def test_without_the_control_db_the_package_is_shown_with_a_warning(models, tmp_path, caplog, url):
    with caplog.at_level(logging.WARNING):
        details = train_details(models, control_db(url, tmp_path), "calm-fox")
    assert details["train"]["train_id"] == "calm-fox"
    assert not OF_CONTROL_DB & set(details)
    assert "Showing only what is in the package" in caplog.text
    assert "pw" not in caplog.text


def test_an_unknown_train_is_an_error(models, control):
    with pytest.raises(UntrainedModelError, match="Did you mean 'calm-fox'"):
        train_details(models, control, "calm-fix")
