"""`xingu explain` as people call it."""

import json

import pytest

from tests.support.projects import CodeFolder

CODE = """
from xingu import DataProvider

class Cleans:
    def clean_data_for_train(self, datasets):
        return datasets["rows"]

class Base(Cleans, DataProvider):
    x_features = ["a"]
    y = "b"
    estimator_class = "tests.support.toys.MeanEstimator"

class Sales(Base):
    id = "sales"
    train_dataset_sources = {
        "rows": {"source": "shop", "query": "SELECT 1"},
        "more": {"url": "https://ana:hid-den@example.org/rows.csv"},
    }
    batch_predict_dataset_sources = {"rows": {"source": "nowhere", "query": "SELECT 1"}}
    estimator_hyperparams_search_space = {"depth": ("int", dict(low=1, high=9))}
    quality_gates = {"test": {"R2": (">=", 0.5)}}

    def data_split_for_train(self, data):
        return {"train": data}

    def compute_trainsets_model_metrics_profit(self, XY, Y_pred):
        return {}

class Needs(Base):
    id = "needs"
    pre_req = {"sales"}
    train_dataset_sources = {"rows": {"url": "rows.csv"}}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file of two DataProviders; a broken one lies beside it."""
    folder = "explained"
    code = CodeFolder(tmp_path)
    code.write({f"{folder}/sales.py": CODE, f"{folder}/broken.py": "1 / 0"})
    monkeypatch.setenv("PROJECT_HOME", str(tmp_path))
    monkeypatch.setenv("DATAPROVIDER_FOLDER", folder)
    monkeypatch.setenv("DATABASES", "shop|postgresql://ana:hid-den@db.example.org/shop")
    monkeypatch.setenv("COLUMNS", "80")
    yield f"{folder}/sales.py"
    code.leave()


@pytest.fixture
def explained(file, call, tmp_path):
    code, output, _ = call("explain", "sales", "--json")
    document = json.loads(output)
    assert (code, document["schema"]) == (0, "xingu.explain/1")
    assert "hid-den" not in output
    assert document["dataprovider"]["declared_at"] == {"file": str(tmp_path / file), "line": 13}
    return document


def lines_of(records, name):
    return {one[name]: (one["declared_by"], one["declared_at"]["line"]) for one in records}


def test_hooks_are_found_in_base_classes_and_mixins(explained):
    assert lines_of(explained["hooks"], "hook") == {
        "clean_data_for_train": ("Cleans", 5),
        "data_split_for_train": ("Sales", 23),
    }
    assert lines_of(explained["methods"], "method") == {
        "compute_trainsets_model_metrics_profit": ("Sales", 26)
    }
    assert lines_of(explained["declarations"], "declaration")["y"] == ("Base", 10)


def test_sources_assets_gates_and_relations_are_named(explained):
    sources = {(one["for"], one["source"]): one for one in explained["sources"]}
    assert sources["train", "rows"]["reads"] == "a query on postgresql://***@db.example.org/shop"
    assert sources["train", "rows"]["declared_at"]["line"] == 16
    assert sources["batch", "rows"]["reads"] == "a query on nowhere (not in the settings)"
    phases = {one["asset"]: one["phase"] for one in explained["assets"]}
    assert phases["sales/model"] == "fit"
    assert phases["sales/batch/estimations"] == "batch"
    assert explained["gates"] == [{"set": "test", "metric": "R2", "required": ">= 0.5"}]
    assert explained["search_space"] == [{"hyperparameter": "depth", "range": "integers 1 to 9"}]
    assert explained["pre_reqs"] == {"needs": [], "is_needed_by": ["needs"]}
    effects = {one["check"]: one["if_it_fails"] for one in explained["checks"]}
    assert effects["disjoint_sets"] == "reports it"
    assert effects["unique_index"] == "refuses the value"
    assert effects["quality_gates"] == "stops what is downstream"


def test_settings_that_change_it_are_those_that_apply(explained, call):
    names = {one["setting"] for one in explained["settings"]}
    assert {"HYPEROPT_STRATEGY", "PARALLEL_HYPEROPT_MAX_WORKERS", "DATABASES: shop"} <= names
    _, output, _ = call("explain", "needs", "--json")
    of_needs = {one["setting"] for one in json.loads(output)["settings"]}
    assert "PRE_REQ_TRAIN_OR_SESSION_IDS" in of_needs - names
    assert "PARALLEL_HYPEROPT_MAX_WORKERS" not in of_needs


def test_the_terminal_shows_places_whole_and_the_nearest_id(file, output_of, call):
    output = output_of("explain", "sales")
    assert f"{file}:23" in output
    assert max(map(len, output.splitlines())) <= 80
    code, _, errors = call("explain", "sails")
    assert (code, errors.count("\n")) == (2, 1)
    assert "Did you mean 'sales'?" in errors
