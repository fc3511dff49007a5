"""Tests of the behaviour that the XGBoost and CatBoost Estimators share."""

import datetime
import json
import logging
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.support.estimators import FEATURES, houses, noise_sets, sets
from tests.support.saved import rounds_of, stored_json
from xingu.errors import DataError, DeclarationError
from xingu.estimators import (
    CatBoostClassifier,
    CatBoostRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)

FAST = {"n_estimators": 20, "learning_rate": 0.3, "max_depth": 4}
REGRESSORS = pytest.mark.parametrize("kind", [XGBoostRegressor, CatBoostRegressor])
CLASSIFIERS = pytest.mark.parametrize("kind", [XGBoostClassifier, CatBoostClassifier])


def fit(estimator, data=None, features=FEATURES):
    return estimator.fit(data or sets(), features, "price")


def stored(estimator, folder):
    estimator.save(folder)
    return type(estimator).load(folder)


@REGRESSORS
def test_val_stops_the_training_where_a_parameter_asks_for_it(kind):
    estimator = fit(kind({**FAST, "n_estimators": 400, "early_stopping_rounds": 5}), noise_sets())
    assert rounds_of(estimator) < 50


@REGRESSORS
def test_val_is_not_used_otherwise(kind):
    data = noise_sets()
    alone = fit(kind(FAST), {"train": data["train"]})
    both = fit(kind(FAST), data)
    assert rounds_of(both) == 20
    assert_frame_equal(both.predict(houses(9)), alone.predict(houses(9)), check_exact=True)


@REGRESSORS
def test_without_val_all_rounds_are_trained(kind):
    estimator = fit(kind({**FAST, "early_stopping_rounds": 1}), {"train": houses()})
    assert rounds_of(estimator) == 20


@REGRESSORS
@pytest.mark.parametrize("alias", ["n_estimators", "num_boost_round"])
def test_hyperparams_win_over_params_under_any_alias(kind, alias):
    assert rounds_of(fit(kind(FAST, {alias: 3}))) == 3


@REGRESSORS
def test_none_means_the_default_of_the_library(kind):
    assert rounds_of(fit(kind({**FAST, "random_state": None}, {"max_depth": None}))) == 20


@REGRESSORS
def test_an_unknown_parameter_is_refused_before_a_fit(kind):
    with pytest.raises(DeclarationError, match=r"'max_deph'.*Did you mean 'max_depth'"):
        kind(hyperparams={"max_deph": 3}).check_params()


@REGRESSORS
@pytest.mark.parametrize("name", ["missing", "text_features", "callbacks"])
def test_what_describes_the_data_cannot_be_set(kind, name):
    with pytest.raises(DeclarationError, match=f"'{name}'"):
        kind({name: None}).check_params()


@REGRESSORS
def test_a_parameter_that_cannot_be_stored_is_refused_before_a_fit(kind):
    with pytest.raises(DeclarationError, match="a parameter is a function"):
        kind({"eval_metric": fit}).check_params()


@REGRESSORS
def test_a_value_that_the_library_refuses_is_told_without_a_stack_trace(kind):
    with pytest.raises(DataError, match="cannot train") as caught:
        fit(kind({"max_depth": -3}))
    assert len(str(caught.value)) < 300


@REGRESSORS
def test_a_trial_takes_no_more_threads_than_it_is_given(kind):
    estimator = kind({"n_estimators": 3})
    estimator.prepare_for_trial(2)
    assert stored_json(fit(estimator))["threads"] == 2


@REGRESSORS
def test_declared_threads_win_over_those_of_a_trial(kind):
    alias = "n_jobs" if kind is XGBoostRegressor else "thread_count"
    estimator = kind({"n_estimators": 3, alias: 1})
    estimator.prepare_for_trial(2)
    assert stored_json(fit(estimator))["threads"] == 1


@REGRESSORS
def test_progress_is_logged_and_nothing_printed_or_written(
    kind, caplog, capfd, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO, "xingu")
    fit(kind({**FAST, "early_stopping_rounds": 20}, log_every=10)).predict(houses(2))
    first, *_, last = [record.getMessage() for record in caplog.records]
    assert "round 10 of 20, val " in first
    assert "400 rows × 3 features" in last
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


@REGRESSORS
def test_nothing_is_pickled(kind, tmp_path):
    fit(kind(FAST)).save(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"estimator.json", kind.FILE}
    assert json.loads((tmp_path / "estimator.json").read_text())["columns"]["ordered"] == []


@CLASSIFIERS
@pytest.mark.parametrize(
    "labels",
    [
        [False, True],
        [-3, 7],
        [5, 6, 1000],
        [0.5, 1.5],
        ["a", "b"],
        pd.to_datetime(["2020-01-01", "2021-01-01"]),
        pd.to_datetime(["2020-01-01", "2021-01-01"]).tz_localize("Europe/Berlin"),
        pd.array([3, 4], "Int64"),
        pd.Categorical(["x", "y"]),
    ],
    ids=str,
)
def test_labels_of_any_type_survive_storage(kind, labels, tmp_path):
    places = np.arange(60) % len(labels)
    train = pd.DataFrame({"x": places.astype(float), "price": pd.Series(labels).take(places).array})
    estimator = fit(kind({**FAST, "min_child_weight": 0} if "XG" in str(kind) else FAST),
                    {"train": train}, ["x"])  # fmt: skip
    again = stored(estimator, tmp_path)
    assert again.classes() == estimator.classes() == sorted(pd.Series(labels).tolist())
    assert_frame_equal(again.predict(train), estimator.predict(train))
    assert again.predict(train)["estimation"].tolist() == train["price"].tolist()


@REGRESSORS
@pytest.mark.parametrize(
    "column",
    [
        pd.cut([1, 5, 9, np.nan], 3),
        pd.Categorical([10, 20, 30, None]),
        pd.Categorical(pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01", None])),
        pd.array(["b", "a", None, "c"], "string[pyarrow]"),
        pd.array([1, None, 3, 7], "Int64"),
        pd.Categorical([*"zyx", None], ["z", "y", "x"], ordered=True),
    ],
    ids=lambda column: str(column.dtype)[:20],
)
def test_features_of_any_type_are_learned_and_stored(kind, column, tmp_path):
    frame = pd.DataFrame({"x": pd.Series(column).repeat(50).array})
    frame["price"] = np.repeat([1.0, 50.0, 3.0, 70.0], 50)
    estimator = fit(kind({"n_estimators": 60, "learning_rate": 0.5}), {"train": frame}, ["x"])
    error = (estimator.predict(frame)["estimation"] - frame["price"]).abs()
    assert error.max() < 12  # CatBoost keeps one border of the target for each category
    again = stored(estimator, tmp_path)
    assert_frame_equal(again.predict(frame), estimator.predict(frame), check_exact=True)


@CLASSIFIERS
def test_labels_that_cannot_be_stored_are_refused_before_the_training(kind):
    days = [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)]
    with pytest.raises(DataError, match="a class label is a date"):
        fit(kind(FAST), {"train": houses(60).assign(price=days * 30)})


@CLASSIFIERS
def test_class_weights_by_label_raise_that_class(kind):
    name = "class_weight" if kind is XGBoostClassifier else "class_weights"
    plain, weighted = (
        fit(kind({**FAST, **extra}), sets("text")).predict_proba(houses(), 2).to_numpy()
        for extra in ({}, {name: {"top": 30.0}})
    )
    assert weighted.mean() > plain.mean()


@REGRESSORS
def test_parameters_of_any_plain_type_survive_storage(kind, tmp_path):
    params = {"monotone_constraints": (1, 0, 0), "max_depth": np.int64(3), "n_estimators": None}
    estimator = kind(params, {"learning_rate": 0.1}, log_every=0)
    again = stored(estimator, tmp_path)
    assert again.hyperparam_exchange() == estimator.hyperparam_exchange()
    assert isinstance(again.params["monotone_constraints"], tuple)
    assert again.class_params == {"log_every": 0}


@pytest.mark.parametrize("library", ["xgboost", "catboost"])
def test_the_module_is_imported_without_the_library(library):
    code = (
        f"import sys; sys.modules['{library}'] = None; import xingu.estimators.{library} as module;"
        f"print([name for name in dir(module) if name.endswith(('Regressor', 'Classifier'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Regressor" in done.stdout


@pytest.mark.parametrize("kind", [XGBoostRegressor, CatBoostRegressor])
def test_a_missing_library_is_named_with_its_extra(kind, monkeypatch, tmp_path):
    fit(kind(FAST)).save(tmp_path)
    library = kind.__module__.rpartition(".")[2]
    monkeypatch.setitem(sys.modules, library, None)
    for use in (lambda: fit(kind(FAST)), lambda: kind.load(tmp_path)):
        with pytest.raises(DeclarationError, match=rf"pip install 'xingu\[{library}\]'"):
            use()
