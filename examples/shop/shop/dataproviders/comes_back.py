"""Whether a customer comes back. Takes the frame that an asset of the shop returns."""

from xingu import DataProvider

CUSTOMERS = {"customers": {"asset": "analytics/customers"}}


class ComesBack(DataProvider):
    """Whether a customer comes back."""

    id = "comes_back"
    train_dataset_sources = CUSTOMERS
    batch_predict_dataset_sources = CUSTOMERS
    x_features = ["age", "km", "orders", "mean_kg"]
    y = "comes_back"
    estimator_class = "xingu.estimators.LightGBMClassifier"
    estimator_params = {"n_estimators": 20, "num_leaves": 4, "min_child_samples": 3}
    proba_class_index = 1

    def clean_data_for_train(self, datasets):
        """Index by customer."""
        return datasets["customers"].set_index("customer_id")
