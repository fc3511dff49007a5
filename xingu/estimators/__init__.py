"""The Estimators that ship with Xingu, each imported when it is first asked for.

So a process that only wants one of them never loads the libraries of the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xingu.estimators.catboost import CatBoostClassifier, CatBoostRegressor
    from xingu.estimators.lightgbm import LightGBMClassifier, LightGBMRegressor
    from xingu.estimators.sklearn import SklearnEstimator
    from xingu.estimators.xgboost import XGBoostClassifier, XGBoostRegressor

__all__ = [
    "CatBoostClassifier",
    "CatBoostRegressor",
    "LightGBMClassifier",
    "LightGBMRegressor",
    "SklearnEstimator",
    "XGBoostClassifier",
    "XGBoostRegressor",
]

_HOMES = {
    "CatBoostClassifier": "xingu.estimators.catboost",
    "CatBoostRegressor": "xingu.estimators.catboost",
    "LightGBMClassifier": "xingu.estimators.lightgbm",
    "LightGBMRegressor": "xingu.estimators.lightgbm",
    "SklearnEstimator": "xingu.estimators.sklearn",
    "XGBoostClassifier": "xingu.estimators.xgboost",
    "XGBoostRegressor": "xingu.estimators.xgboost",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
