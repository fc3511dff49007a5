"""The Model without I/O: predict hooks, features, estimations, prerequisites, ids."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fitted import fit_model
from tests.support.toys import Expensive, Houses, MeanEstimator, Taxes, houses
from xingu import DataProvider
from xingu.errors import DataError, HookError, MissingColumnError, UntrainedModelError
from xingu.model import Model, PreReqModels
from xingu.model.provenance import Provenance
from xingu.records import TrainRun

RUN = TrainRun("houses", "calm-fox", "brave-day", "run-1")


class Mean(Houses):
    """Houses, estimated by the mean of their prices."""

    estimator_class = MeanEstimator
    estimator_params = {}


class Hollow(DataProvider):
    """Prices that a hook computes."""

    id = "hollow"
    hollow = True
    x_features = ("size",)

    def clean_data_for_train(self, datasets):
        return datasets["houses"].set_index("id")

    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred.assign(estimation=3 * X["size"])


def of_provider(cls) -> Model:
    return fit_model(cls)


# -- ids and provenance ---------------------------------------------------------------------------


def test_ids_are_those_of_the_run():
    model = Model(Houses(), None, RUN)
    assert (model.id, model.train_id, model.train_session_id) == (
        "houses", "calm-fox", "brave-day",
    )  # fmt: skip
    assert model.get_full_train_id() == "brave-day:calm-fox"
    assert "houses brave-day:calm-fox" in repr(model)


def test_commit_branch_user_and_machine_are_those_of_the_provenance():
    provenance = Provenance(git_commit="abc", git_branch="main", user_name="ana", host_name="box")
    model = Model(Houses(), None, RUN, provenance)
    found = (model.git_commit, model.git_branch, model.user_name, model.host_name)
    assert found == ("abc", "main", "ana", "box")


def test_an_unknown_provenance_is_none():
    model = Model(Houses(), None, RUN)
    found = (model.git_commit, model.git_branch, model.user_name, model.host_name)
    assert found == (None,) * 4


def test_a_model_is_untrained_until_it_is_fitted():
    sets = {"train": houses().set_index("id")}
    model = Model(Mean(), MeanEstimator({}, {}), RUN)
    assert model.trained is False
    before = datetime.now(UTC)
    assert model.fit(sets) is model
    assert before <= model.trained <= datetime.now(UTC)
    assert model.sets is sets


# -- signature ------------------------------------------------------------------------------------


def test_the_signature_has_names_order_dtypes_and_rows_of_the_training():
    signature = of_provider(Houses).signature()
    assert signature.features["size"] == "float64"
    assert list(signature.features) == ["size", "town"]
    assert signature.estimator_features == ("size", "town_code")
    assert signature.target == "price"
    assert signature.set_rows == {"train": 280, "val": 80, "test": 40}


def test_features_that_the_training_data_lacks_have_no_dtype():
    class Outside(Houses):
        x_features = ("size", "town", "weather")

    assert "weather" not in of_provider(Outside).signature().features


# -- predict --------------------------------------------------------------------------------------


def test_hooks_run_before_and_after_the_estimator():
    class Doubled(Mean):
        def pre_process_for_predict(self, X, model):
            return super().pre_process_for_predict(X[X["size"] > 100], model)

        def post_process_after_predict(self, X, Y_pred, model):
            assert (X["size"] > 100).all()
            return Y_pred * 2

    model, rows = of_provider(Doubled), houses(50, seed=2)
    found = model.predict(rows)
    assert list(found.index) == list(rows.index[rows["size"] > 100])
    assert found["estimation"].tolist() == [2 * model.estimator.mean] * len(found)


@given(st.permutations(["size", "town_code", "other", "price"]))
def test_columns_in_any_order_and_further_ones_do_not_matter(columns):
    rows = houses(10).assign(town_code=[0, 1] * 5, other=0)
    model = FITTED
    pd.testing.assert_frame_equal(model.predict(rows[columns]), model.predict(rows))


FITTED = fit_model(Houses)


def test_no_row_gives_no_estimation():
    model = of_provider(Mean)
    found = model.predict(houses(0))
    assert (list(found.columns), len(found)) == (["estimation"], 0)


def test_a_missing_feature_is_named():
    with pytest.raises(MissingColumnError, match=r"houses\.x_estimator_features.*'size'"):
        FITTED.predict(houses(5).assign(town_code=0).drop(columns="size"))


def test_a_hook_that_raises_is_named():
    class Raises(Mean):
        def pre_process_for_predict(self, X, model):
            raise ValueError("no")

    with pytest.raises(HookError, match="pre_process_for_predict raised ValueError: no"):
        of_provider(Raises).predict(houses(3))


def test_a_hook_that_loses_rows_is_refused():
    class Loses(Mean):
        def post_process_after_predict(self, X, Y_pred, model):
            return Y_pred.iloc[1:] if len(Y_pred) == 7 else Y_pred

    with pytest.raises(DataError, match="returned 6 estimations for 7 rows"):
        of_provider(Loses).predict(houses(7))


# -- classifiers, regressors and hollow models ----------------------------------------------------


CLASSIFIER = fit_model(Expensive)


def test_a_classifier_estimates_probabilities_that_add_up_to_1():
    found = CLASSIFIER.estimate(houses(30))
    assert list(found.columns) == ["estimation_class_0", "estimation_class_1"]
    assert np.allclose(found.sum(axis=1), 1)
    assert CLASSIFIER.is_classifier()


@pytest.mark.parametrize("index", [0, 1])
def test_one_class_can_be_asked_for(index):
    found = CLASSIFIER.predict_proba(houses(5), class_index=index)
    assert list(found.columns) == [f"estimation_class_{index}"]


def test_the_estimation_of_a_classifier_is_the_probability_of_its_class():
    found = CLASSIFIER.estimate(houses(5))
    estimation = CLASSIFIER.estimation_of(found)
    assert estimation.name == "estimation"
    assert estimation.tolist() == found["estimation_class_1"].tolist()


def test_a_regressor_estimates_numbers():
    found = FITTED.estimate(houses(5))
    pd.testing.assert_frame_equal(found, FITTED.predict(houses(5)))
    assert FITTED.estimation_of(found).equals(found["estimation"])
    assert not FITTED.is_classifier()


def test_the_estimations_of_a_hollow_model_are_those_of_its_hook():
    model = of_provider(Hollow)
    rows = houses(4)
    assert model.predict(rows)["estimation"].tolist() == (3 * rows["size"]).tolist()
    assert (model.is_classifier(), model.algo_params) == (False, {})
    assert model.hyperparam_optimize() == {}


def test_every_set_is_estimated():
    model = fit_model(Mean)
    found = model.trainsets_predict()
    assert found is model.sets_estimations
    assert {name: len(frame) for name, frame in found.items()} == model.signature().set_rows


# -- hyperparameters ------------------------------------------------------------------------------


def test_what_a_search_returns_is_in_force():
    model = Model(Mean(), MeanEstimator({"a": 1}, {"b": 2}), RUN)
    model.search = lambda: {"b": 3, "c": 4}
    assert model.hyperparam_optimize() == {"b": 3, "c": 4}
    assert model.algo_params == {
        "source_train_id": "dp",
        "params": {"a": 1},
        "hyperparams": {"b": 3, "c": 4},
    }


def test_without_a_search_hyperparameters_stay():
    model = Model(Mean(), MeanEstimator({}, {"b": 2}), RUN)
    assert model.hyperparam_optimize() == {"b": 2}


# -- prerequisites --------------------------------------------------------------------------------


@pytest.fixture
def loads():
    return []


@pytest.fixture
def pre_reqs(loads):
    def load(dp_id, train_id):
        loads.append((dp_id, train_id))
        return FITTED

    return PreReqModels({"houses": "calm-fox", "towns": "old-owl"}, load)


def test_a_prerequisite_is_loaded_once_when_it_is_first_used(pre_reqs, loads):
    assert (list(pre_reqs), len(pre_reqs), "houses" in pre_reqs) == (["houses", "towns"], 2, True)
    assert pre_reqs["houses"] is pre_reqs["houses"]
    assert loads == [("houses", "calm-fox")]


def test_an_unknown_prerequisite_is_an_error_with_what_may_be_meant(pre_reqs, loads):
    with pytest.raises(UntrainedModelError, match="pre_req names houses, towns.*mean 'houses'"):
        pre_reqs["hauses"]
    assert loads == []


def test_without_prerequisites_the_error_says_so():
    with pytest.raises(UntrainedModelError, match="pre_req names none"):
        PreReqModels({}, lambda *_: FITTED)["houses"]


def test_a_model_names_the_trains_of_its_prerequisites():
    model = fit_model(Taxes, load=lambda *_: FITTED, pre_reqs={"houses": "calm-fox"})
    assert model.pre_req_trains == {"houses": "calm-fox"}
    assert Model(Houses(), None, RUN).pre_req_trains == {}
