"""A saved classifier keeps its classes, and the class that its estimation is of."""

import json

import pandas as pd
import pytest

from tests.support.classifiers import Binary, Flag, Grade, Three, Yes
from tests.support.stages import Stages
from tests.support.toys import houses
from xingu.registry.store import ModelStore


def saved(tmp_path, model):
    store = ModelStore(tmp_path / "models")
    return store, store.save(model)


def rows_of(model):
    return model.dp.feature_engineering_for_batch_predict(houses(20, seed=2).set_index("id"))


@pytest.mark.parametrize("cls", [Binary, Flag, Grade, Yes])
def test_a_loaded_model_estimates_the_same_class(tmp_path, cls):
    model = Stages(cls).fitted().model
    store, _ = saved(tmp_path, model)
    loaded = store.load(model.id, model.train_id)
    assert loaded.estimated_class() == model.estimated_class()
    assert loaded.signature().classes == model.signature().classes
    estimated = loaded.estimate(rows_of(loaded))
    pd.testing.assert_series_equal(
        loaded.estimation_of(estimated), model.estimation_of(model.estimate(rows_of(model)))
    )


def test_a_loaded_model_of_three_classes_estimates_labels(tmp_path):
    model = Stages(Three).fitted().model
    store, _ = saved(tmp_path, model)
    loaded = store.load(model.id, model.train_id)
    assert loaded.estimated_class() is None
    labels = set(loaded.estimation_of(loaded.estimate(rows_of(loaded))))
    assert {"cheap", "posh"} <= labels <= {"cheap", "fair", "posh"}


def test_the_manifest_names_the_classes(tmp_path):
    model = Stages(Flag).fitted().model
    _, package = saved(tmp_path, model)
    manifest = json.loads((package / "manifest.json").read_text())
    assert (manifest["classes"], manifest["estimated_class"]) == ([False, True], 1)


def test_a_package_without_classes_keeps_the_first_class(tmp_path):
    model = Stages(Yes).fitted().model
    _, package = saved(tmp_path, model)
    manifest = json.loads((package / "manifest.json").read_text())
    del manifest["classes"], manifest["estimated_class"], manifest["digest"]
    (package / "manifest.json").write_text(json.dumps(manifest))
    loaded = ModelStore(tmp_path / "models").load(model.id, model.train_id)
    assert loaded.estimated_class().label == "no"
    assert loaded.signature().classes == ("no", "yes")
