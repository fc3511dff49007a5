"""The Estimators that ship with Xingu.

Each class is imported on first access, so that a process loads only the library that it uses.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xingu.estimators.catboost import (
        CatBoostClassifier,
        CatBoostRegressor,
        XinguCatBoostClassifier,
    )
    from xingu.estimators.lightgbm import LightGBMClassifier, LightGBMRegressor
    from xingu.estimators.sklearn import SklearnEstimator
    from xingu.estimators.xgboost import XGBoostClassifier, XGBoostRegressor
    from xingu.estimators.xgboost_optuna import XinguXGBoostClassifier

__all__ = [
    "CatBoostClassifier",
    "CatBoostRegressor",
    "LightGBMClassifier",
    "LightGBMRegressor",
    "SklearnEstimator",
    "XGBoostClassifier",
    "XGBoostRegressor",
    "XinguCatBoostClassifier",
    "XinguXGBoostClassifier",
]

_MODULES = {
    "CatBoostClassifier": "xingu.estimators.catboost",
    "CatBoostRegressor": "xingu.estimators.catboost",
    "LightGBMClassifier": "xingu.estimators.lightgbm",
    "LightGBMRegressor": "xingu.estimators.lightgbm",
    "SklearnEstimator": "xingu.estimators.sklearn",
    "XGBoostClassifier": "xingu.estimators.xgboost",
    "XGBoostRegressor": "xingu.estimators.xgboost",
    "XinguCatBoostClassifier": "xingu.estimators.catboost",
    "XinguXGBoostClassifier": "xingu.estimators.xgboost_optuna",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
