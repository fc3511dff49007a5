"""The DataProvider of `overhead.py`: ten rows, so that nothing is measured but the framework."""

from xingu import DataProvider


class Tiny(DataProvider):
    """Price of a sale, from three numbers."""

    id = "tiny"
    train_dataset_sources = {
        "rows": {"source": "bench", "query": "SELECT f00, f01, f02, price FROM tiny"}
    }
    x_features = ["f00", "f01", "f02"]
    y = "price"
    estimator_class = "xingu.estimators.SklearnEstimator"
    estimator_class_params = {"algorithm": "sklearn.linear_model.LinearRegression"}
