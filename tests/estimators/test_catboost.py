"""Tests of the CatBoost Estimators' own behaviour."""

import errno
from pathlib import Path

import catboost
import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from tests.support.estimators import FEATURES, NUMBERS, houses, sets
from tests.support.saved import rounds_of, saved
from xingu.errors import DataError
from xingu.estimators import CatBoostClassifier, CatBoostRegressor

FAST = {"n_estimators": 20, "learning_rate": 0.3, "max_depth": 4}


def fit(estimator, data=None, features=FEATURES):
    return estimator.fit(data or sets(), features, "price")


def test_it_learns_what_catboost_learns_from_the_same_frame():
    data = houses()
    own = {"iterations": 20, "learning_rate": 0.3, "depth": 4, "thread_count": 1}
    coded = data.assign(colour=data.colour.map({"blue": 0, "green": 1, "red": 2}))
    plain = catboost.CatBoostRegressor(**own, silent=True, allow_writing_files=False)
    expected = plain.fit(coded[FEATURES], data.price, cat_features=["colour"]).predict(coded)
    ours = fit(CatBoostRegressor(FAST), {"train": data}).predict(data)["estimation"]
    assert np.array_equal(ours, expected)


def test_the_file_is_catboosts_own_and_names_the_features(tmp_path):
    estimator = fit(CatBoostRegressor(FAST), features=NUMBERS)
    estimator.save(tmp_path)
    plain = catboost.CatBoost().load_model(str(tmp_path / "model.cbm"))
    assert plain.feature_names_ == NUMBERS
    rows = houses(9)
    assert np.array_equal(plain.predict(rows[NUMBERS]), estimator.predict(rows)["estimation"])


@pytest.mark.parametrize(
    "stopping",
    [
        {"early_stopping_rounds": 10},
        {"od_wait": 10},
        {"od_type": "IncToDec", "od_pval": 0.01},
        {"use_best_model": True},
    ],
    ids=lambda stopping: next(iter(stopping)),
)
def test_the_best_round_is_kept(stopping):
    estimator = fit(CatBoostRegressor({**FAST, "n_estimators": 300, **stopping}), features=NUMBERS)
    val = sets()["val"]
    with saved(estimator) as folder:
        plain = catboost.CatBoost().load_model(str(folder / "model.cbm"))
    errors = [np.square(val.price - stage).mean() for stage in plain.staged_predict(val[NUMBERS])]
    assert len(errors) < 300
    assert np.argmin(errors) == len(errors) - 1


def test_parameters_that_need_val_are_left_out_without_it():
    estimator = fit(CatBoostRegressor({**FAST, "use_best_model": True}), {"train": houses()})
    assert rounds_of(estimator) == 20


@pytest.mark.parametrize("alias", ["iterations", "num_trees", "n_estimators"])
def test_names_of_one_parameter_may_meet(alias):
    assert rounds_of(fit(CatBoostRegressor(FAST, {alias: 3}))) == 3


def test_the_seed_passes_through():
    def seeded(seed):
        return fit(CatBoostRegressor({**FAST, "random_state": seed})).predict(houses(9))

    assert_frame_equal(seeded(1), seeded(1), check_exact=True)
    assert not seeded(1).equals(seeded(2))


def test_a_constant_target_is_refused_in_catboosts_words():
    with pytest.raises(DataError, match="All train targets are equal"):
        fit(CatBoostRegressor(FAST), {"train": houses().assign(price=4.0)})


def test_constant_features_are_refused_in_catboosts_words():
    data = {"train": houses().assign(size=1.0)}
    with pytest.raises(DataError, match="All features are either constant or ignored"):
        fit(CatBoostRegressor(FAST), data, ["size"])


def test_class_weights_by_label_are_those_by_position():
    by_label, by_position = (
        fit(CatBoostClassifier({**FAST, "class_weights": weights}), sets("text"))
        for weights in ({"top": 5.0, "low": 2.0}, [2.0, 1.0, 5.0])
    )
    rows = houses(9)
    assert_frame_equal(
        by_label.predict_proba(rows), by_position.predict_proba(rows), check_exact=True
    )


def test_it_prints_where_it_is_told_to(capfd):
    fit(CatBoostRegressor({**FAST, "verbose": 10}))
    assert "learn:" in capfd.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_reported_as_such(tmp_path):
    (tmp_path / "model.cbm").symlink_to("/dev/full")
    with pytest.raises(OSError, match="space") as caught:
        fit(CatBoostRegressor(FAST)).save(tmp_path)
    assert caught.value.errno == errno.ENOSPC
