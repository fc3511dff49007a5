import pandas as pd
import pytest

from xingu import DataProvider
from xingu.errors import HookError
from xingu.provider.hooks import call_hook


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
