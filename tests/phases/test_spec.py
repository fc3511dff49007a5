"""A ProviderSpec reads the declarations of a DataProvider once."""

from collections import Counter

import pytest

from tests.support.toys import Houses, MeanEstimator
from xingu.errors import DeclarationError
from xingu.estimators import LightGBMRegressor, SklearnEstimator
from xingu_dagster.factory import build_provider_assets
from xingu_dagster.spec import ProviderSpec

CALLS: Counter = Counter()
TRAIN, BATCH = "get_dataset_sources_for_train", "get_dataset_sources_for_batch_predict"


class Counting(Houses):
    """Counts how often its hooks are called."""

    def get_dataset_sources_for_train(self, model=None):
        CALLS[TRAIN] += 1
        return {"bought": {"source": "db", "query": "select 1"}, "sold": {"url": "sold.csv"}}

    def get_dataset_sources_for_batch_predict(self, model=None):
        CALLS[BATCH] += 1
        return {
            "offered": {
                "source": "db",
                "query": """
            select
              2
            """,
            }
        }


class NeedsModel(Houses):
    """Its batch sources depend on the Model."""

    def get_dataset_sources_for_batch_predict(self, model=None):
        return {"houses": {"url": f"{model.train_id}.csv"}}


class OwnBooster(LightGBMRegressor):
    """A subclass in a module whose name tells nothing."""


class Chosen(Houses):
    """Its estimator comes from the hook."""

    estimator_class = None

    def get_estimator_class(self):
        return OwnBooster


def spec_of(**declared) -> ProviderSpec:
    return ProviderSpec(type("Variant", (Houses,), declared))


# -- sources --------------------------------------------------------------------------------------


def test_each_source_hook_is_called_once_to_build_the_assets():
    CALLS.clear()
    build_provider_assets(Counting)
    assert CALLS == {TRAIN: 1, BATCH: 1}


def test_raw_assets_are_described_by_what_the_hook_declares():
    specs = {spec.key.path[-1]: spec for a in build_provider_assets(Counting) for spec in a.specs
             if "raw" in spec.key.path}  # fmt: skip
    assert set(specs) == {"bought", "sold", "offered"}
    assert "```sql\nselect 1\n```" in specs["bought"].description
    assert "```sql\nselect\n  2\n```" in specs["offered"].description
    assert specs["sold"].description == "Content of a declared file or address."


def test_a_hook_that_needs_the_model_leaves_the_names_to_the_attribute():
    spec = ProviderSpec(NeedsModel)
    assert spec.batch_sources == {"houses": "houses"}
    assert spec.batch_sources_need_model
    assert not ProviderSpec(Houses).batch_sources_need_model


class NeedsFittedModel(NeedsModel):
    """Its batch sources depend on what a train has found."""

    def get_dataset_sources_for_batch_predict(self, model=None):
        return {"houses": {"url": f"{model.estimator.best_day}.csv"}}


def test_an_untrained_model_names_the_batch_sources_where_that_is_enough():
    cls = type("Nameless", (NeedsModel,), {"batch_predict_dataset_sources": {}})
    assert ProviderSpec(cls).batch_sources == {"houses": "houses"}


def test_a_hook_that_needs_a_fitted_model_without_names_is_refused():
    cls = type("Nameless", (NeedsFittedModel,), {"batch_predict_dataset_sources": {}})
    with pytest.raises(DeclarationError, match="for model=None too, or name them in batch_predict"):
        build_provider_assets(cls)


@pytest.mark.parametrize("declared", [None, 7, "query", ["query"]])
def test_a_malformed_source_does_not_keep_the_graph_from_loading(declared):
    assert build_provider_assets(type("V", (Houses,), {"train_dataset_sources": {"a": declared}}))


def test_names_that_become_one_key_part_are_refused():
    spec = spec_of(train_dataset_sources={"a-b": {}, "a.b": {}})
    with pytest.raises(DeclarationError, match=r"train_dataset_sources: 'a-b' and 'a.b' both"):
        _ = spec.train_sources


# -- kinds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "kinds"),
    [
        ("xingu.estimators.LightGBMRegressor", ["lightgbm"]),
        ("xingu.estimators.lightgbm.LightGBMClassifier", ["lightgbm"]),
        (LightGBMRegressor, ["lightgbm"]),
        (OwnBooster, ["lightgbm"]),
        ("xingu.estimators.SklearnEstimator", ["scikitlearn"]),
        (SklearnEstimator, ["scikitlearn"]),
        ("xingu.estimators.XGBoostRegressor", ["xgboost"]),
        ("xingu.estimators.XGBoostClassifier", ["xgboost"]),
        ("xingu.estimators.CatBoostRegressor", ["catboost"]),
        ("xingu.estimators.CatBoostClassifier", ["catboost"]),
        (MeanEstimator, []),
        (None, []),
    ],
)
def test_a_model_has_the_kind_of_its_library(declared, kinds):
    assert spec_of(estimator_class=declared).estimator_kinds == kinds


def test_the_kind_follows_the_hook_that_chooses_the_estimator():
    assert ProviderSpec(Chosen).estimator_kinds == ["lightgbm"]


def test_a_hook_that_cannot_choose_yet_does_not_keep_the_graph_from_loading():
    def get_estimator_class(self):
        return self.chosen

    assert spec_of(get_estimator_class=get_estimator_class).estimator_kinds == ["lightgbm"]


def test_the_kind_is_on_the_asset_of_the_model():
    specs = [spec for asset in build_provider_assets(Chosen) for spec in asset.specs]
    assert next(spec for spec in specs if spec.key.path[-1] == "model").kinds == {"lightgbm"}


# -- the rest -------------------------------------------------------------------------------------


def test_the_description_of_a_model_is_the_docstring_of_its_data_provider():
    assert ProviderSpec(Houses).description == "Prices of houses."
    assert spec_of().description == "The model 'houses'."


def test_gates_of_unknown_metrics_are_refused_unless_there_are_own_ones():
    gates = {"test": {"profit": (">=", 1)}}
    with pytest.raises(DeclarationError, match="names the metric 'profit'"):
        _ = spec_of(quality_gates=gates).gates
    own = {"compute_trainsets_model_metrics_profit": lambda self, XY, Y_pred: {"profit": 2}}
    assert len(spec_of(quality_gates=gates, **own).gates) == 1


def test_only_checks_that_apply_are_planned():
    assert "batch_parity" in spec_of().checks
    assert "batch_parity" not in spec_of(batch_predict_dataset_sources={}).checks
    assert "quality_gates" not in spec_of().checks
    gated = spec_of(quality_gates={"test": {"R2": [(">=", 0.5), ("not worse by", 0.1)]}})
    assert {"quality_gates", "not_worse_than_current"} <= set(gated.checks)
