"""Attributes and methods that nearly have one of our names are found when a class is loaded."""

import pytest

from xingu import DataProvider, DataProviderFactory
from xingu.errors import DeclarationError
from xingu.provider.misspelt import OUR_NAMES, misspelt_names


def provider(**attributes) -> type[DataProvider]:
    return type("Flights", (DataProvider,), {"id": "flights", **attributes})


def method(self, *arguments):
    return arguments


@pytest.mark.parametrize(
    ("wrong", "value", "right"),
    [
        ("clean_data_for_training", method, "clean_data_for_train"),
        ("clean_data_for_tran", method, "clean_data_for_train"),
        ("feature_enginering_for_train", method, "feature_engineering_for_train"),
        ("features_engineering_for_batch_predict", method, "feature_engineering_for_batch_predict"),
        ("last_preprocess_for_train", method, "last_pre_process_for_train"),
        ("pre_process_for_prediction", method, "pre_process_for_predict"),
        ("postprocess_after_train", method, "post_process_after_train"),
        ("data_split_for_training", method, "data_split_for_train"),
        ("get_datasets_sources_for_train", method, "get_dataset_sources_for_train"),
        ("get_estimator_parameters", method, "get_estimator_params"),
        ("get_feature_list", classmethod(method), "get_features_list"),
        ("Clean_Data_For_Train", method, "clean_data_for_train"),
        ("x_feature", ["size"], "x_features"),
        ("x_estimator_feature", ("size",), "x_estimator_features"),
        ("train_dataset_source", {}, "train_dataset_sources"),
        ("batch_predict_datasets_sources", {}, "batch_predict_dataset_sources"),
        ("estimator_parameters", {}, "estimator_params"),
        ("estimator_hyperparameters", {}, "estimator_hyperparams"),
        ("estimator_hyperparams_searchspace", {}, "estimator_hyperparams_search_space"),
        ("estimator_clas", "a.B", "estimator_class"),
        ("validation_size", 0.2, "val_size"),
        ("test_sise", 0.2, "test_size"),
        ("vla_size", 0.2, "val_size"),
        ("test_sizes", 0.2, "test_size"),
        ("pre_reqs", {"houses"}, "pre_req"),
        ("quality_gate", {"test": {}}, "quality_gates"),
        ("check", {"leakage": "off"}, "checks"),
        ("random_sate", 7, "random_state"),
    ],
)
def test_a_name_that_nearly_is_ours_is_an_error_with_a_suggestion(wrong, value, right):
    with pytest.raises(
        DeclarationError, match=rf"flights\.{wrong} is no .* Did you mean '{right}'"
    ) as error:
        DataProviderFactory([provider(**{wrong: value})])
    assert error.value.facts["methods"] == {wrong: right}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(one, ["a"]) for one in ("x_features_extra", "features", "x_features2", "targets",
                                   "all_features", "x_names", "segments", "sources")],
        ("test_sizes", [0.1, 0.2]), ("train_size", 0.7), ("seed", 7), ("random_seed", 7),
        ("size", 0.3), ("sizes", {"test": 0.1}), ("owner", "ana"), ("weight", "w"),
        ("params", {}), ("hyperparams", {}), ("estimator", None), ("classes", ["a", "b"]),
        *[(one, method) for one in (
            "clean_data", "clean", "clean_data_for_test", "clean_data_for_train_and_batch",
            "feature_engineering", "feature_engineering_for_test", "features_of", "split",
            "data_split", "get_features", "get_data", "get_target_name", "pre_process", "predict",
            "post_process", "encode", "log_rows", "check", "make_model", "train_sources",
        )],
        ("_x_feature", ["size"]), ("_clean_data_for_training", method),
    ],
)  # fmt: skip
def test_a_name_of_ones_own_is_left_alone(name, value):
    DataProviderFactory([provider(**{name: value})])


def test_a_helper_that_the_class_uses_is_left_alone():
    class Flights(DataProvider):
        id = "flights"
        x_feature = ("size",)
        pre_reqs = ("houses",)

        def clean_data_for_training(self, datasets):
            return datasets["a"]

        def clean_data_for_train(self, datasets):
            return self.clean_data_for_training(datasets)[[*self.x_feature]]

        @property
        def needed(self):
            return getattr(self, "pre_reqs", ())

    DataProviderFactory([Flights])


def test_a_method_that_only_calls_itself_is_not_used():
    class Base(DataProvider):
        def clean_data_for_training(self, datasets):
            return datasets

    class Flights(Base):
        id = "flights"

        def clean_data_for_training(self, datasets):
            return super().clean_data_for_training(datasets)

    assert dict(misspelt_names(Flights)) == {"clean_data_for_training": "clean_data_for_train"}


def test_names_of_mixins_and_base_classes_count_and_all_are_named_at_once():
    class Cleaning:
        clean_data_for_training = method

    class Base(DataProvider):
        x_feature = ("size",)

    with pytest.raises(DeclarationError, match="'clean_data_for_train'.*'x_features'"):
        DataProviderFactory([type("Flights", (Cleaning, Base), {"id": "flights"})])


def test_none_of_our_names_is_taken_for_another():
    assert [*misspelt_names(provider(**dict.fromkeys(OUR_NAMES - {"id"}, method)))] == []
