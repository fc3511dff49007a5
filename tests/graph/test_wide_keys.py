"""Integers that float64 would round go through a train and a batch without a loss."""

from tests.support.project import Project
from tests.support.toys import Houses, query

KEY = 2**53 + 1
SQL = f"""
SELECT i AS id, i * 1.5 AS size, i % 3 AS town_code, i * 3.0 + i % 7 AS price,
CASE WHEN i % 10 > 0 THEN {KEY} + 2 * i END AS owner, 'infinity'::timestamptz AS valid_to
FROM range(300) AS t(i)
"""


class Owned(Houses):
    """A nullable key beyond 2**53 is a feature, and a timestamp is `infinity`."""

    train_dataset_sources = query(SQL, "duck")
    batch_predict_dataset_sources = query(SQL, "duck")
    x_features = ("size", "owner")
    x_estimator_features = ("size", "owner")

    def feature_engineering_for_train(self, data):
        return data

    def feature_engineering_for_batch_predict(self, data):
        return data

    def pre_process_for_predict(self, X, model):
        return X


def test_wide_keys_with_missing_values_are_exact_from_the_source_to_the_estimations(tmp_path):
    settings = {"databases": {"duck": "duckdb://"}, "datasource_cache": "cache"}
    project = Project(tmp_path, [Owned], settings)
    for cached in (False, True):
        project.run("houses/*", "houses/batch/estimations")
        assert project.metadata("houses/raw/houses")["from cache"] is cached
        for asset in ("raw/houses", "features", "batch/features"):
            value = project.load(f"houses/{asset}")
            owners = getattr(value, "frame", value)["owner"]
            assert owners.isna().sum() == 30
            assert owners.dropna().tolist() == [KEY + 2 * i for i in range(300) if i % 10]
    assert len(project.load("houses/batch/estimations").frame) == 300
