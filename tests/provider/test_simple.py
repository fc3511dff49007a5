"""DPSimple: a DataProvider from values."""

import dagster as dg
import pytest

from tests.support.toys import houses
from xingu import Coach, DataProvider, DPSimple, Model
from xingu.compat.factory import factory_of
from xingu.config import Settings
from xingu.errors import DeclarationError

VALUES = {
    "SIMPLEDP_ID": "simple",
    "TRAIN_DATASOURCE": [["one.csv"], ["two.csv"]],
    "TARGET_FEATURE": "price",
    "ESTIMATOR_CLASS": "xingu.estimators.LightGBMRegressor",
    "ESTIMATOR_FEATURES": "size, rooms",
    "ESTIMATOR_PARAMS": '{"n_estimators": 20}',
    "ESTIMATOR_HYPERPARAMS_SEARCH_SPACE": '{"num_leaves": ["int", {"low": 3, "high": 9}]}',
    "DEBUG": False,
}


class Halved(DataProvider):
    """A base class, whose hook is used and whose features are not."""

    x_estimator_features = ("nothing",)

    def feature_engineering_for_train(self, data):
        return data.assign(half=data["size"] / 2)


def test_values_become_declarations():
    provider = DPSimple(**VALUES)
    assert (provider.id, provider.y) == ("simple", "price")
    assert provider.train_dataset_sources == {
        "df0000": {"url": "one.csv"},
        "df0001": {"url": "two.csv"},
    }
    assert provider.x_estimator_features == ["size", "rooms"]
    assert provider.estimator_params == {"n_estimators": 20}
    assert provider.estimator_hyperparams_search_space == {
        "num_leaves": ("int", {"low": 3, "high": 9})
    }
    assert isinstance(type(provider)(), DPSimple)


def test_hooks_come_from_the_base_class_and_values_win():
    provider = DPSimple(**VALUES, BASE_CLASS=f"{__name__}.Halved", PROBA_CLASS_INDEX="1")
    assert isinstance(provider, Halved)
    assert provider.x_estimator_features == ["size", "rooms"]
    assert provider.proba_class_index == 1
    assert provider.feature_engineering_for_train(houses(2))["half"].notna().all()
    later = DPSimple(**VALUES)
    later.add_base_class(Halved)
    assert isinstance(later, Halved)
    assert later.y == "price"


def test_all_that_is_wrong_is_named_at_once():
    wrong = {
        "SIMPLEDP_ID": "simple",
        "ESTIMATOR_PARAMS": "{no",
        "ESTIMATOR_HYPERPARAMS": "[1]",
        "PROBA_CLASS_INDEX": "first",
        "BASE_CLASS": "no.such.Base",
    }
    with pytest.raises(DeclarationError) as caught:
        DPSimple(**wrong)
    for name in ("TRAIN_DATASOURCE is missing", "TARGET_FEATURE is missing",
                 "ESTIMATOR_CLASS is missing", "ESTIMATOR_PARAMS: it is no JSON",
                 "ESTIMATOR_HYPERPARAMS: it must be a JSON object", "PROBA_CLASS_INDEX: ",
                 "BASE_CLASS: 'no.such.Base' cannot be imported"):  # fmt: skip
        assert name in str(caught.value)


def test_the_settings_make_it_part_of_a_project_without_dataproviders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    houses(200).to_csv("one.csv", index=False)
    houses(200, seed=1).assign(id=range(200, 400)).to_csv("two.csv", index=False)
    settings = {
        "simpledp_id": "simple",
        "simpledp_train_datasource": ("one.csv", "two.csv"),
        "simpledp_target_feature": "price",
        "simpledp_estimator_features": ("size",),
        "simpledp_estimator_class": "xingu.estimators.LightGBMRegressor",
        "simpledp_estimator_params": {"n_estimators": 10},
    }
    loaded = Settings.load(project_home=tmp_path, **settings)
    assert list(factory_of(loaded).classes) == ["simple"]
    coach = Coach(
        instance=dg.DagsterInstance.ephemeral(), progress=False, project_home=tmp_path, **settings
    )
    coach.team_train()
    model = Model.load("simple", path=tmp_path / "models")
    assert isinstance(model.dp, DPSimple)
    assert sum(model.signature().set_rows.values()) == 400
    assert len(model.predict(houses(3))) == 3
