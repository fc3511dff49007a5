"""`inventory.yaml`: which trains it pins, and what is refused."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from xingu.errors import SettingsError
from xingu.registry.pins import FILE, pinned_trains, read_inventory, write_inventory

MODELS = {
    "houses": {"train_id": "calm-fox", "pinned": True},
    "taxes": {"train_id": "tall-elk", "pinned": False},
    "yields": {"train_id": "new-owl"},
}


def test_only_pinned_trains_are_pinned(tmp_path):
    write_inventory(tmp_path / FILE, MODELS)
    assert pinned_trains(tmp_path) == {"houses": "calm-fox"}


def test_without_a_file_nothing_is_pinned(tmp_path):
    assert pinned_trains(tmp_path) == read_inventory(tmp_path / FILE) == {}


def test_a_written_file_is_read_as_it_was_and_keeps_its_order(tmp_path):
    write_inventory(tmp_path / FILE, dict(reversed(MODELS.items())))
    found = read_inventory(tmp_path / FILE)
    assert found == MODELS
    assert list(found) == ["yields", "taxes", "houses"]


def test_the_file_explains_itself(tmp_path):
    write_inventory(tmp_path / FILE, MODELS)
    first = (tmp_path / FILE).read_text().splitlines()[0]
    assert first.startswith("# ")
    assert "`pinned`" in first


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.text(min_size=1), st.fixed_dictionaries({"train_id": st.text(min_size=1)}), max_size=3
    )
)
def test_names_of_any_characters_survive(tmp_path_factory, models):
    path = tmp_path_factory.mktemp("names") / FILE
    pinned = {name: {**model, "pinned": True} for name, model in models.items()}
    write_inventory(path, pinned)
    assert read_inventory(path) == pinned
    assert pinned_trains(path.parent) == {name: one["train_id"] for name, one in models.items()}


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({"houses": {"pinned": True}}, "houses is pinned, but has no train_id"),
        ({"houses": {"pinned": True, "train_id": ""}}, "has no train_id"),
        ({"houses": {"pinned": True, "train_id": 7}}, "has no train_id"),
        ({"houses": {"pinned": "yes", "train_id": "a"}}, "pinned is 'yes'; write true or false"),
        ({"houses": {"pinned": 1, "train_id": "a"}}, "pinned is 1"),
        ({7: {"train_id": "a"}}, "has no `models`"),
        ({"houses": ["a"]}, "has no `models`"),
    ],
)
def test_a_pin_that_cannot_be_understood_is_refused(tmp_path, models, said):
    (tmp_path / FILE).write_text(yaml.safe_dump({"models": models}))
    with pytest.raises(SettingsError, match=said):
        pinned_trains(tmp_path)


@pytest.mark.parametrize("text", ["models: [", "\t", "{a: b: c}"])
def test_a_file_that_is_no_yaml_is_refused(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(
        SettingsError, match=r"(?s)inventory\.yaml cannot be read.*correct or remove"
    ):
        read_inventory(tmp_path / FILE)


def test_a_folder_in_its_place_is_refused(tmp_path):
    (tmp_path / FILE).mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        read_inventory(tmp_path / FILE)


def test_python_objects_are_not_created(tmp_path):
    (tmp_path / FILE).write_text("models: !!python/object/apply:os.getcwd []")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_inventory(tmp_path / FILE)
