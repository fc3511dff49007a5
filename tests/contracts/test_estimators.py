"""Every Estimator that ships keeps the contract."""

from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.support.estimator_contract import CategoryContract, ClassifierContract, RegressorContract
from tests.support.estimators import NUMBERS
from xingu.estimators import (
    CatBoostClassifier,
    CatBoostRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    SklearnEstimator,
    XGBoostClassifier,
    XGBoostRegressor,
)

FAST = {"n_estimators": 30, "num_leaves": 7, "n_jobs": 1}
DEPTH = {"n_estimators": 30, "learning_rate": 0.3, "max_depth": 4}
FOREST = {"n_estimators": 8, "random_state": 1}


def pipeline():
    encoder = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(
        make_column_transformer((encoder, ["colour"]), remainder="passthrough"),
        LogisticRegression(max_iter=200),
    )


class TestLightGBMRegressor(CategoryContract, RegressorContract):
    def make(self):
        return LightGBMRegressor(FAST)


class TestLightGBMBinary(CategoryContract, ClassifierContract):
    def make(self):
        return LightGBMClassifier(FAST)


class TestLightGBMThreeClasses(CategoryContract, ClassifierContract):
    target, labels = "three", (10, 20, 30)

    def make(self):
        return LightGBMClassifier(FAST)


class TestLightGBMTextLabels(CategoryContract, ClassifierContract):
    target, labels = "text", ("low", "mid", "top")

    def make(self):
        return LightGBMClassifier(FAST)


class TestXGBoostRegressor(CategoryContract, RegressorContract):
    def make(self):
        return XGBoostRegressor(DEPTH)


class TestXGBoostBinary(CategoryContract, ClassifierContract):
    def make(self):
        return XGBoostClassifier(DEPTH)


class TestXGBoostThreeClasses(CategoryContract, ClassifierContract):
    target, labels = "three", (10, 20, 30)

    def make(self):
        return XGBoostClassifier(DEPTH)


class TestXGBoostTextLabels(CategoryContract, ClassifierContract):
    target, labels = "text", ("low", "mid", "top")

    def make(self):
        return XGBoostClassifier(DEPTH)


class TestCatBoostRegressor(CategoryContract, RegressorContract):
    def make(self):
        return CatBoostRegressor(DEPTH)


class TestCatBoostBinary(CategoryContract, ClassifierContract):
    def make(self):
        return CatBoostClassifier(DEPTH)


class TestCatBoostThreeClasses(CategoryContract, ClassifierContract):
    target, labels = "three", (10, 20, 30)

    def make(self):
        return CatBoostClassifier(DEPTH)


class TestCatBoostTextLabels(CategoryContract, ClassifierContract):
    target, labels = "text", ("low", "mid", "top")

    def make(self):
        return CatBoostClassifier(DEPTH)


class TestSklearnRegressor(RegressorContract):
    features = NUMBERS

    def make(self):
        return SklearnEstimator(FOREST, algorithm="sklearn.ensemble.RandomForestRegressor")


class TestSklearnClassifier(ClassifierContract):
    features = NUMBERS
    target, labels = "text", ("low", "mid", "top")

    def make(self):
        from sklearn.ensemble import RandomForestClassifier

        return SklearnEstimator(FOREST, algorithm=RandomForestClassifier)


class TestSklearnPipeline(CategoryContract, ClassifierContract):
    def make(self):
        return SklearnEstimator({"logisticregression__C": 0.9}, algorithm=pipeline)
