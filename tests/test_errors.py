"""The exception tree."""

import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu import errors
from xingu.errors import StorageError, StorageFullError, XinguError, did_you_mean

CLASSES = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, XinguError) and cls is not XinguError
]


@pytest.mark.parametrize("cls", CLASSES)
def test_errors_keep_text_and_facts_in_another_process(cls):
    error = pickle.loads(pickle.dumps(cls("houses: no column", dataprovider_id="houses")))
    assert type(error) is cls
    assert str(error) == "houses: no column"
    assert error.facts == {"dataprovider_id": "houses"}


@pytest.mark.parametrize("cls", CLASSES)
def test_the_module_docstring_shows_every_error(cls):
    assert cls.__name__ in str(errors.__doc__)


def test_an_error_is_caught_by_the_class_of_its_branch():
    with pytest.raises(StorageError):
        raise StorageFullError("full")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("prise", " Did you mean 'price'?"), ("price", " Did you mean 'price'?"), ("zzz", "")],
)
def test_the_closest_name_is_suggested(name, hint):
    assert did_you_mean(name, ["rooms", "price"]) == hint


@given(st.text())
def test_without_known_names_nothing_is_suggested(name):
    assert did_you_mean(name, []) == ""
