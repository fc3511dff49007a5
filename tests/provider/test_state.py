import copy
import pickle
import threading

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu import DataProvider
from xingu.errors import StateError
from xingu.provider.state import ProviderState


class Learner(DataProvider):
    id = "learner"


class OldStyle(DataProvider):
    """Overrides `__getstate__` as DataProviders of Xingu 2.0 do."""

    id = "old_style"

    def __getstate__(self):
        return dict(**super().__getstate__(), encoders=self.encoders)


def restored(cls, state):
    provider = cls()
    state.restore(provider)
    return provider


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.one_of(
            st.integers(), st.text(), st.sets(st.integers()), st.lists(st.floats(allow_nan=False))
        ),
    )
)
def test_every_attribute_that_a_hook_sets_is_there_in_the_next(attributes):
    provider = Learner()
    for name, value in attributes.items():
        setattr(provider, f"my_{name}", value)
    after = restored(Learner, ProviderState.capture(provider, "hook", {}))
    assert {name: getattr(after, f"my_{name}") for name in attributes} == attributes


def test_what_is_captured_is_not_changed_by_later_hooks():
    provider = Learner()
    provider.means = [1.0]
    state = ProviderState.capture(provider, "hook", {})
    provider.means.append(2.0)
    assert restored(Learner, state).means == [1.0]


def test_a_provider_with_the_getstate_of_xingu_2_works():
    provider = OldStyle()
    provider.encoders = {"a": 1}
    provider.other = 2
    after = restored(OldStyle, ProviderState.capture(provider, "hook", {}))
    assert (after.encoders, after.other) == ({"a": 1}, 2)


def test_the_models_of_prerequisites_do_not_travel_in_the_state():
    provider = Learner()
    provider.pre_req_model = {"other": threading.Lock()}
    state = ProviderState.capture(provider, "hook", {"other": "train-1"})
    assert state.attributes() == {}
    assert state.pre_reqs == {"other": "train-1"}


def test_an_attribute_that_cannot_be_pickled_is_named():
    provider = Learner()
    provider.fine = 1
    provider.connection = threading.Lock()
    with pytest.raises(StateError, match=r"learner\.clean: self\.connection is a lock") as caught:
        ProviderState.capture(provider, "clean", {})
    assert caught.value.facts["attribute"] == "connection"


def test_the_gain_is_what_was_added_or_changed():
    provider = Learner()
    provider.kept, provider.changed = pd.Series([1.0]), [1]
    state = ProviderState.capture(provider, "hook", {})
    later = restored(Learner, state)
    later.changed.append(2)
    later.new = "x"
    assert state.gain_of(later, "tune").attributes() == {"changed": [1, 2], "new": "x"}


def test_a_gain_is_added_to_another_state():
    provider = Learner()
    provider.a, provider.b = 1, 1
    state = ProviderState.capture(provider, "hook", {"pre": "t"})
    provider.b, provider.c = 2, 3
    both = state.with_gain(state.gain_of(provider, "tune"))
    assert both.attributes() == {"a": 1, "b": 2, "c": 3}
    assert both.pre_reqs == {"pre": "t"}


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_a_provider_is_copied_with_its_attributes(clone):
    provider = Learner()
    provider.means = [1.0]
    assert clone(provider).means == [1.0]


class Unloadable:
    """Pickles, but does not unpickle."""

    def __reduce__(self):
        return int, ("no number",)


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Unpicklable:
    def __reduce__(self):
        raise UnspeakableError


def test_an_attribute_that_cannot_be_unpickled_is_named_with_its_hook():
    provider = Learner()
    provider.fine, provider.encoder, provider.last = 1, Unloadable(), 2
    state = ProviderState.capture(provider, "clean", {})
    expected = r"^learner\.clean: self\.encoder was pickled, but cannot be unpickled \(ValueE"
    with pytest.raises(StateError, match=expected) as caught:
        state.restore(Learner())
    assert caught.value.facts["attribute"] == "encoder"
    assert "store what it is made from" in str(caught.value)


def test_an_attribute_of_another_pandas_says_which_version_to_install(monkeypatch):
    provider = Learner()
    provider.encoder = Unloadable()
    with monkeypatch.context() as patch:
        patch.setattr(pd, "__version__", "9.0")
        state = ProviderState.capture(provider, "clean", {})
    with pytest.raises(StateError, match=r"with pandas 9\.0, and .*install pandas 9\.0, or"):
        state.attributes()


def test_an_error_without_a_text_is_reported_all_the_same():
    provider = Learner()
    provider.encoder = Unpicklable()
    with pytest.raises(StateError, match=r"self\.encoder is a Unpicklable, .*__str__ raised Run"):
        ProviderState.capture(provider, "clean", {})


def test_attributes_that_share_an_object_share_it_afterwards():
    provider = Learner()
    provider.first = [1]
    provider.second = {"same": provider.first}
    after = restored(Learner, ProviderState.capture(provider, "hook", {}))
    assert after.second["same"] is after.first


def test_a_state_of_an_earlier_version_is_restored():
    assert restored(Learner, ProviderState(pickle.dumps({"means": [1.0]}))).means == [1.0]
