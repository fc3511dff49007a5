"""Attributes of a train: what is recorded of a fitted Model, by name."""

import json
from datetime import datetime

import pytest

from tests.support.control import control_db
from tests.support.fitted import fit_model
from tests.support.searches import Hills
from tests.support.toys import Houses
from xingu import DataProvider
from xingu.model.provenance import Provenance
from xingu.records import PackageRecord
from xingu.tracking.attributes import provenance_attributes, train_attributes
from xingu.tracking.query import attributes_of
from xingu.tracking.record import record_train
from xingu.tracking.trials import earlier_hyperparameters
from xingu.tuning.resolve import EarlierTrain, Tuning


class Hollow(DataProvider):
    id = "hollow"
    hollow = True

    def clean_data_for_train(self, datasets):
        return datasets["houses"].set_index("id")

    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred.assign(estimation=1.0)


MODEL = fit_model(Houses, libraries={"pandas": "3.0"})


def test_every_attribute_is_a_text():
    known = train_attributes(MODEL)
    assert {type(name) for name in known} == {type(value) for value in known.values()} == {str}


def test_features_and_target_are_recorded_as_xingu_2_0_did():
    known = train_attributes(MODEL)
    assert json.loads(known["x_estimator_features"]) == ["size", "town_code"]
    assert json.loads(known["x_features"]) == ["size", "town"]
    assert known["y"] == "price"
    assert known["estimator"] == "LightGBMRegressor"


def test_rows_of_each_set_run_and_time_are_recorded():
    known = train_attributes(MODEL)
    assert [known[f"rows_{name}"] for name in ("train", "val", "test")] == ["280", "80", "40"]
    assert known["dagster_run_id"] == "run-1"
    assert datetime.fromisoformat(known["trained"]) == MODEL.trained


def test_declared_hyperparameters_come_from_no_train():
    known = train_attributes(MODEL)
    assert json.loads(known["hyperparam"]) == {
        "source_train_id": None,
        "params": dict(Houses.estimator_params),
        "hyperparams": {},
    }
    assert known["hyperparam_origin"] == "defaults"


@pytest.mark.parametrize(
    ("strategy", "origin", "source"),
    [("dp", "defaults", None), ("self", "self", None), ("old-fox", "old-fox", "old-fox")],
)
def test_the_origin_of_hyperparameters_is_recorded(strategy, origin, source):
    earlier = [EarlierTrain("old-fox", {"x": 1.0, "colour": "red"})]
    tuning = Tuning(strategy, earlier=lambda _: earlier, workers=1)
    known = train_attributes(fit_model(Hills, tuning=tuning))
    assert known["hyperparam_origin"] == origin
    assert json.loads(known["hyperparam"])["source_train_id"] == source


def test_a_hollow_model_has_no_hyperparameters():
    known = train_attributes(fit_model(Hollow))
    assert {"hyperparam", "hyperparam_origin", "estimator", "y"} & set(known) == set()


def test_directions_of_metrics_are_recorded_only_where_declared():
    class Directed(Houses):
        metric_directions = {"profit": "more"}

    assert "metric_directions" not in train_attributes(MODEL)
    directions = train_attributes(fit_model(Directed))["metric_directions"]
    assert json.loads(directions) == {"profit": "maximize"}


def test_what_is_not_known_of_the_provenance_is_left_out():
    known = provenance_attributes(Provenance(git_commit="abc", python="3.11.1"))
    assert known == {"git_commit": "abc", "python": "3.11.1"}


def test_libraries_ci_and_git_are_recorded_one_by_one():
    provenance = Provenance(
        git_branch="main", git_dirty=False, libraries={"pandas": "3.0"}, ci={"github_actor": "ana"}
    )
    known = provenance_attributes(provenance)
    assert known["library_pandas"] == "3.0"
    assert known["github_actor"] == "ana"
    assert (known["git_branch"], known["git_dirty"]) == ("main", "False")


def test_hyperparameters_that_were_recorded_are_those_that_a_later_train_finds(tmp_path):
    db = control_db(f"sqlite:///{tmp_path}/control.db", tmp_path)
    tuning = Tuning("self", workers=1)
    model = fit_model(Hills, tuning=tuning)
    record_train(db, model.run, train_attributes(model), {}, [], PackageRecord("p", "0", {}))
    known = attributes_of(db).set_index("attribute")["value"].to_dict()
    assert known == train_attributes(model)
    (found,) = earlier_hyperparameters(db, "hills")
    assert found == EarlierTrain("calm-fox", model.algo_params["hyperparams"], searched=True)
