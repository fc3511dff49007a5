"""The XGBoost ensemble that Xingu 2.0 brought along, under its name."""

from xingu.estimators.bagging import BaggedClassifier
from xingu.estimators.xgboost import XGBoostClassifier


class XinguXGBoostClassifier(BaggedClassifier):
    """An ensemble of XGBoost classifiers; see `BaggedClassifier`.

    Its hyperparameters are searched as `hyperopt` of the DataProvider says, for example with
    ``{"method": "optuna"}``.
    """

    MEMBER = XGBoostClassifier
