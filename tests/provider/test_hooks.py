import pandas as pd
import pytest

from xingu import DataProvider
from xingu.errors import EmptySourceError, HookError
from xingu.provider.hooks import HOOKS, call_hook, is_overridden

FRAME = pd.DataFrame({"a": [1]})


class Hooked(DataProvider):
    id = "hooked"
    result: object = None

    def clean_data_for_train(self, datasets):
        if datasets == "raise":
            raise KeyError("colour")
        return self.result

    def data_split_for_train(self, data):
        return self.result


def hooked(result):
    provider = Hooked()
    provider.result = result
    return provider


def test_a_hook_that_returns_nothing_is_told_to_return():
    with pytest.raises(
        HookError,
        match=r"hooked\.clean_data_for_train returned NoneType; it must "
        r"return a DataFrame. Is a `return` missing\?",
    ):
        call_hook(hooked(None), "clean_data_for_train", {})


def test_a_hook_that_returns_the_wrong_type_is_told_which_is_right():
    with pytest.raises(HookError, match="returned list; it must return a DataFrame"):
        call_hook(hooked([1]), "clean_data_for_train", {})


def test_what_a_hook_raises_is_told_with_its_name_and_kept_as_the_cause():
    with pytest.raises(HookError, match="clean_data_for_train raised KeyError: 'colour'") as caught:
        call_hook(hooked(None), "clean_data_for_train", "raise")
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_split_may_be_the_tuple_of_xingu_2():
    frame = pd.DataFrame({"a": [1]})
    sets = call_hook(hooked((frame, None, frame)), "data_split_for_train", frame)
    assert list(sets) == ["train", "test"]


@pytest.mark.parametrize("result", [None, pd.DataFrame(), {"train": 1}, {1: pd.DataFrame()}])
def test_a_split_is_a_dict_of_frames(result):
    with pytest.raises(
        HookError, match="data_split_for_train returned .* dict of DataFrames by set"
    ):
        call_hook(hooked(result), "data_split_for_train", pd.DataFrame())


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_in_the_table_is_a_method_of_a_provider(name):
    assert callable(getattr(DataProvider, name))
    assert not is_overridden(DataProvider(), name)


def test_an_overridden_hook_is_recognized_also_in_a_base_class():
    child = type("Child", (Hooked,), {"id": "child"})
    assert is_overridden(Hooked(), "clean_data_for_train")
    assert is_overridden(child(), "clean_data_for_train")
    assert not is_overridden(child(), "feature_engineering_for_train")


def test_an_error_of_xingu_passes_through_a_hook_unchanged():
    class Checking(DataProvider):
        id = "checking"

        def clean_data_for_train(self, datasets):
            raise EmptySourceError("houses: no rows")

    with pytest.raises(EmptySourceError, match=r"^houses: no rows$"):
        call_hook(Checking(), "clean_data_for_train", {})


def test_facts_of_an_error_name_provider_and_hook():
    with pytest.raises(HookError) as caught:
        call_hook(hooked(None), "clean_data_for_train", "raise")
    assert caught.value.facts == {"dataprovider_id": "hooked", "hook": "clean_data_for_train"}


@pytest.mark.parametrize(
    ("result", "names"),
    [
        ((FRAME, FRAME), ["train", "test"]),
        ((FRAME, FRAME, FRAME), ["train", "val", "test"]),
        ({"train": FRAME, "holdout": FRAME}, ["train", "holdout"]),
    ],
)
def test_a_split_becomes_a_dict_by_set(result, names):
    assert list(call_hook(hooked(result), "data_split_for_train", FRAME)) == names


@pytest.mark.parametrize("result", [(FRAME,), (FRAME,) * 4, (FRAME, 1), [FRAME, FRAME]])
def test_a_tuple_of_another_length_or_type_is_not_a_split(result):
    with pytest.raises(
        HookError, match=r"must return a dict of DataFrames by set name, or a tuple"
    ):
        call_hook(hooked(result), "data_split_for_train", FRAME)


def test_none_is_no_sources():
    provider = type("S", (DataProvider,), {"id": "s", "batch_predict_dataset_sources": None})()
    assert call_hook(provider, "get_dataset_sources_for_batch_predict", None) == {}


@pytest.mark.parametrize("result", [[], "sources"])
def test_sources_are_a_dict(result):
    provider = type("S", (DataProvider,), {"id": "s", "train_dataset_sources": result})()
    with pytest.raises(HookError, match="it must return a dict of source declarations by name"):
        call_hook(provider, "get_dataset_sources_for_train", None)


def test_hooks_without_a_return_type_may_return_anything():
    assert call_hook(Hooked(), "post_process_after_train", None) is None
