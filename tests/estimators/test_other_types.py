"""A category that arrives as another type than in training is estimated right, or refused."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from xingu.errors import DataError
from xingu.estimators import (
    CatBoostRegressor,
    LightGBMRegressor,
    SklearnEstimator,
    XGBoostRegressor,
)

WORTH = {"101": 0.0, "0202": 1000.0, "303": 2000.0, "9A9": 5000.0}
TREES = [
    lambda: LightGBMRegressor({"n_estimators": 60, "min_data_per_group": 1, "cat_smooth": 0}),
    lambda: XGBoostRegressor({"n_estimators": 60}),
    lambda: CatBoostRegressor({"n_estimators": 100, "learning_rate": 0.3}),
]


def one_hot():
    encoder = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(make_column_transformer((encoder, ["code"])), LinearRegression())


def rows(codes) -> pd.DataFrame:
    return pd.DataFrame({"code": codes})


def train(values: dict) -> dict[str, pd.DataFrame]:
    codes = np.resize(np.array(list(values), dtype=object), 400)
    frame = pd.DataFrame({"code": pd.Series(codes.tolist())})
    return {"train": frame.assign(price=[values[code] for code in codes])}


def assert_estimated_as(estimator, codes, as_in_training):
    found, expected = (
        estimator.predict(rows(one))["estimation"] for one in (codes, as_in_training)
    )
    assert found.tolist() == expected.tolist()
    assert found.nunique() > 1


@pytest.fixture(params=TREES, ids=["LightGBM", "XGBoost", "CatBoost"])
def trees(request):
    return request.param()


@pytest.mark.parametrize(
    "codes",
    [
        [101, 202, 303],
        [101.0, 202.0, 303.0],
        pd.array([101, 202, 303], dtype="Int64"),
        pd.Categorical([101, 202, 303]),
        pd.Categorical(["101", "0202", "303"]),
        np.array([101, "0202", 303.0], dtype=object),
    ],
)
def test_numbers_are_the_texts_of_training(trees, codes):
    trees.fit(train(WORTH), ["code"], "price")
    assert_estimated_as(trees, codes, ["101", "0202", "303"])


def test_missing_among_numbers_is_missing(trees):
    trees.fit(train(WORTH), ["code"], "price")
    assert_estimated_as(trees, [303.0, np.nan], ["303", None])


def test_truth_values_are_the_texts_of_training(trees):
    trees.fit(train({"True": 0.0, "False": 1000.0, "unknown": 5000.0}), ["code"], "price")
    assert_estimated_as(trees, [True, False], ["True", "False"])


def test_texts_are_the_numbers_of_a_category_of_training(trees):
    data = train({101: 0.0, 202: 1000.0, 303: 5000.0})
    data["train"]["code"] = data["train"]["code"].astype("category")
    trees.fit(data, ["code"], "price")
    assert_estimated_as(trees, ["101", "303"], [101, 303])


@pytest.mark.parametrize("codes", [[101, 404], [101.5], [True], pd.to_datetime(["2024-01-01"])])
def test_another_type_that_stands_for_no_category_is_refused_with_both_types(trees, codes):
    trees.fit(train(WORTH), ["code"], "price")
    dtype = rows(codes)["code"].dtype
    with pytest.raises(
        DataError, match=rf"'code' of type {re.escape(str(dtype))}.*text in training"
    ) as caught:
        trees.predict(rows(codes))
    assert caught.value.facts["column"] == "code"


@pytest.mark.parametrize("codes", [["101"], ["9A9"], [True, "x"], pd.Categorical(["101"])])
def test_text_for_numbers_of_training_is_refused_with_both_types(trees, codes):
    trees.fit(train({101: 0.0, 202: 1000.0}), ["code"], "price")
    with pytest.raises(DataError, match=r"'code' of type \w+: it was numeric in training"):
        trees.predict(rows(codes))


def test_a_category_of_numbers_for_numbers_of_training_is_numbers(trees):
    trees.fit(train({101: 0.0, 202: 1000.0}), ["code"], "price")
    assert_estimated_as(trees, pd.Categorical([202, None, 101]), [202, None, 101])


@pytest.mark.parametrize("codes", [[101, 202], [True, False], [101.0, np.nan]])
def test_a_pipeline_refuses_numbers_for_text_of_training(codes):
    estimator = SklearnEstimator(algorithm=one_hot).fit(train(WORTH), ["code"], "price")
    with pytest.raises(DataError, match=r"'code' is of type (number|bool) .* type text in train"):
        estimator.predict(rows(codes))


def test_a_pipeline_refuses_text_for_numbers_of_training():
    estimator = SklearnEstimator(algorithm=one_hot)
    estimator.fit(train({101: 0.0, 202: 1000.0}), ["code"], "price")
    with pytest.raises(DataError, match="'code' is of type text .* type number in training"):
        estimator.predict(rows(["101"]))


@pytest.mark.parametrize("codes", [["101"], pd.Categorical(["0202"]), ["new"]])
def test_a_pipeline_takes_the_types_of_training(codes):
    estimator = SklearnEstimator(algorithm=one_hot).fit(train(WORTH), ["code"], "price")
    assert len(estimator.predict(rows(codes))) == 1
