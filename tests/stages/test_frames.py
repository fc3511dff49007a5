"""Frames whose columns or index cannot be used are refused before anything is fitted."""

import numpy as np
import pandas as pd
import pytest

from tests.support.stages import Stages, variant
from tests.support.toys import houses
from xingu import DataProvider
from xingu.errors import (
    CheckFailedError,
    DataError,
    DeclarationError,
    HookError,
    MissingColumnError,
)
from xingu.stages.batch import clean_batch, engineer_batch, estimate_batch
from xingu.stages.builder import ProviderBuilder
from xingu.stages.train import clean, engineer, split


def twice(frame, name):
    return pd.concat([frame, frame[[name]]], axis=1)


@pytest.mark.parametrize("name", ["price", "size", "town_code"])
@pytest.mark.parametrize(
    "hook",
    ["clean_data_for_train", "feature_engineering_for_train", "last_pre_process_for_train"],
)
@pytest.mark.parametrize("classifier", [False, True])
def test_a_declared_column_that_is_there_twice_is_refused(hook, name, classifier):
    def doubling(self, data):
        frame = getattr(super(cls, self), hook)(data)
        return twice(frame, name) if name in frame else frame

    kind = {"estimator_class": "xingu.estimators.LightGBMClassifier"} if classifier else {}
    cls = variant(**{hook: doubling}, **kind)
    if name == "town_code" and hook == "clean_data_for_train":  # which is made later
        cls = variant(last_pre_process_for_train=lambda self, data: twice(data, name))
    stages = Stages(cls)
    with pytest.raises(
        DataError, match=f"houses/features: the data has two columns called '{name}'"
    ):
        engineer(stages.builder, stages.cleaned())


def test_a_set_with_a_declared_column_twice_is_refused():
    def data_split_for_train(self, data):
        return {"train": data, "test": twice(data.head(5), "price")}

    with pytest.raises(DataError, match="houses/test: the data has two columns called 'price'"):
        Stages(variant(data_split_for_train=data_split_for_train)).splits()


def test_another_column_may_be_there_twice():
    def last_pre_process_for_train(self, data):
        return twice(data.assign(note=1), "note")

    model = Stages(variant(last_pre_process_for_train=last_pre_process_for_train)).fitted().model
    assert model.trained
    assert len(model.predict(twice(houses(5).assign(note=1), "note"))) == 5


def test_a_batch_with_a_feature_twice_is_refused():
    model = Stages().fitted().model
    cleaned = clean_batch(model, {"houses": houses(50)})
    with pytest.raises(DataError, match=r"houses/batch/features: .* two columns called 'size'"):
        engineer_batch(model, twice(cleaned, "size"))
    features = engineer_batch(model, twice(cleaned.assign(note=1), "note"))
    assert len(estimate_batch(model, features)) == 50


def test_an_error_of_a_hook_names_the_columns_that_its_data_has_twice():
    def clean_data_for_train(self, datasets):
        return datasets["houses"].set_index("id")

    stages = Stages(variant(clean_data_for_train=clean_data_for_train))
    with pytest.raises(
        HookError, match=r"'houses' has two columns called 'id'; rename or drop one"
    ):
        clean(stages.builder, {"houses": twice(houses(), "id")}, {})


def test_an_error_of_a_hook_that_doubles_its_index_hints_at_it():
    cls = variant(
        clean_data_for_train=lambda self, data: twice(data["houses"], "id").set_index("id")
    )
    with pytest.raises(HookError, match=r"Is a column in the frame twice\?"):
        Stages(cls).cleaned()


@pytest.mark.parametrize(
    "index",
    [
        [1.0, np.nan, 3.0],
        ["a", None, "c"],
        pd.to_datetime(["2024-01-01", None, "2024-01-03"]),
        pd.array([1, None, 3], dtype="Int64"),
    ],
)
def test_a_missing_index_value_is_refused(index):
    def clean_data_for_train(self, datasets):
        return datasets["houses"].head(3).set_index(pd.Index(index, name="key"))

    with pytest.raises(
        DataError, match="houses/features: the index 'key' is missing in 1 of 3 rows"
    ):
        Stages(variant(clean_data_for_train=clean_data_for_train)).splits()
    model = Stages().fitted().model
    cleaned = clean_batch(model, {"houses": houses(3)}).set_index(pd.Index(index))
    with pytest.raises(
        DataError, match="houses/batch/features: the index is missing in 1 of 3 rows"
    ):
        engineer_batch(model, cleaned)


class Headless(DataProvider):
    id = "headless"
    train_dataset_sources = {"s": {"url": "t.csv", "params": {"header": None}}}
    x_features = [0, 1]
    y = 2
    estimator_class = "xingu.estimators.LightGBMRegressor"


NUMBERED = pd.DataFrame([[row, row % 7, row * 3, row % 2] for row in range(200)])


def prepare(cls):
    builder = ProviderBuilder(cls, lambda *_: None)
    return split(builder, engineer(builder, clean(builder, {"s": NUMBERED}, {})))


@pytest.mark.parametrize("kind", ["Regressor", "Classifier"])
def test_numbers_as_names_are_refused_with_what_to_do(kind):
    members = {"estimator_class": f"xingu.estimators.LightGBM{kind}", "y": 3}
    with pytest.raises(DeclarationError) as caught:
        prepare(type("Numbers", (Headless,), members))
    assert str(caught.value) == (
        "headless.x_features names 0, 1; headless.y names 3: names of columns are texts. The "
        "columns of 's' are numbers if the file has no header: give the source `params` "
        "names=[…], or rename them in clean_data_for_train."
    )


@pytest.mark.parametrize(
    ("kind", "error"), [("Regressor", CheckFailedError), ("Classifier", MissingColumnError)]
)
def test_texts_as_names_of_numbered_columns_are_refused_with_what_to_do(kind, error):
    estimator = f"xingu.estimators.LightGBM{kind}"
    members = {"estimator_class": estimator, "x_features": ["0", "1"], "y": "3"}
    with pytest.raises(
        error, match=r"These columns are numbers, declared names are texts: .*names="
    ):
        prepare(type("Texts", (Headless,), members))


def test_columns_may_be_named_by_a_hook():
    members = {
        "x_features": ["a", "b"],
        "y": "c",
        "clean_data_for_train": lambda self, data: data["s"].set_axis(list("abcd"), axis=1),
    }
    assert list(prepare(type("Named", (Headless,), members)).frames) == ["train", "val", "test"]


def test_features_that_are_known_after_the_split_are_checked_then():
    members = {
        "x_features": (),
        "y": "c",
        "clean_data_for_train": lambda self, data: data["s"].set_axis(list("abcd"), axis=1),
        "data_split_for_train": lambda self, data: setattr(self, "found", [7]) or {"train": data},
        "get_features_list": lambda self: self.found,
    }
    with pytest.raises(DeclarationError, match=r"headless\.x_features names 7; "):
        prepare(type("Late", (Headless,), members))


def test_a_train_set_of_one_row_is_refused():
    for rows in (1, 2):
        stages = Stages(variant(test_size=0.5), {"houses": houses(rows)})
        with pytest.raises(DataError, match="the set 'train' has one row; two or more are needed"):
            stages.splits()
