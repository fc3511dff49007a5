"""The Estimators that ship with Xingu.

Each class is imported on first access, so that a process loads only the library that it uses.
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

_MODULES = {
    "CatBoostClassifier": "xingu.estimators.catboost",
    "CatBoostRegressor": "xingu.estimators.catboost",
    "LightGBMClassifier": "xingu.estimators.lightgbm",
    "LightGBMRegressor": "xingu.estimators.lightgbm",
    "SklearnEstimator": "xingu.estimators.sklearn",
    "XGBoostClassifier": "xingu.estimators.xgboost",
    "XGBoostRegressor": "xingu.estimators.xgboost",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
