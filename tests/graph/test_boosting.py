"""XGBoost and CatBoost through the asset graph: search, train, store, load, predict."""

import pytest
from pandas.testing import assert_frame_equal

from tests.support.project import Project
from tests.support.toys import Houses
from xingu import Model

TRAIN = ["raw/houses", "cleaned", "features", "splits", "hyperparameters", "model"]


class Prices(Houses):
    x_estimator_features = ("size", "town")
    estimator_params = {"n_estimators": 30, "early_stopping_rounds": 5}
    estimator_hyperparams_search_space = {
        "learning_rate": ("loguniform", {"low": 0.05, "high": 0.5}),
        "max_depth": ("int", {"low": 2, "high": 5}),
    }
    hyperopt = {"evaluations": 4, "method": "random"}


class Expensive(Houses):
    id = "expensive"
    x_estimator_features = ("size", "town")
    y = "expensive"
    estimator_params = {"n_estimators": 20}
    proba_class_index = 1

    def clean_data_for_train(self, datasets):
        data = super().clean_data_for_train(datasets)
        return data.assign(expensive=data["price"] > 450)

    def clean_data_for_batch_predict(self, datasets):
        return super().clean_data_for_train(datasets)


@pytest.mark.parametrize("library", ["XGBoost", "CatBoost"])
def test_a_searched_model_is_stored_and_predicts_the_same_when_loaded(library, tmp_path):
    declared = {"estimator_class": f"xingu.estimators.{library}Regressor"}
    settings = {"hyperopt_workers": 2}
    project = Project(tmp_path, [type("Prices", (Prices,), declared)], settings)
    config = {"ops": {"houses__tune": {"config": {"hyperopt_strategy": "self"}}}}
    project.run(*[f"houses/{name}" for name in TRAIN], "houses/trainset_estimations", config=config)
    found = project.load("houses/hyperparameters")
    assert len(found.trials) == 4
    assert {trial.state for trial in found.trials} == {"done"}
    model = Model.load("houses", path=project.models.root)
    assert model.algo_params["hyperparams"] == found.hyperparams
    test = project.load("houses/splits").frames["test"]
    expected = project.load("houses/trainset_estimations").frames["test"][["estimation"]]
    assert_frame_equal(model.predict(test), expected, check_exact=True)
    assert (expected["estimation"] - test["price"]).abs().mean() < test["price"].std() / 2


@pytest.mark.parametrize("library", ["XGBoost", "CatBoost"])
def test_a_classifier_is_trained_and_applied_to_a_batch(library, tmp_path):
    declared = {"estimator_class": f"xingu.estimators.{library}Classifier"}
    project = Project(tmp_path, [type("Expensive", (Expensive,), declared)])
    project.run("expensive/*")
    batch = project.load("expensive/batch/estimations").frame
    assert len(batch) == 50
    assert batch["estimation"].between(0, 1).all()
    model = Model.load("expensive", path=project.models.root)
    assert model.estimator.classes() == [False, True]
