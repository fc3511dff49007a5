"""Current trains, history, finding trains by name, and pins of the inventory file."""

import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
import yaml
from upath import UPath

from tests.support.trains import START, train_past, undone, write_train
from xingu import Model
from xingu.errors import SettingsError, UntrainedModelError
from xingu.registry import listing
from xingu.registry.ledger import Entry
from xingu.registry.pins import read_inventory
from xingu.registry.store import ModelStore
from xingu.workspace import Workspace


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_past(tmp_path_factory.mktemp("catalog") / "home")


@pytest.fixture
def past(trained):
    with undone(trained.project.home):
        yield trained


@pytest.fixture
def models(tmp_path):
    """A few trains of two DataProviders, one with an id that is no name of a folder."""
    store = ModelStore(tmp_path / "models")
    for number, train_id in enumerate(("old-fox", "calm-cat", "new-owl")):
        write_train(store, "house-prices", train_id, number=number)
    write_train(store, "taxes", "new-owl", pre_reqs={"house-prices": "calm-cat"})
    write_train(store, "taxes", "tall-elk")
    return store


def write_pins(home, **pins):
    content = {"models": {dp: {"train_id": train, "pinned": True} for dp, train in pins.items()}}
    (home / "inventory.yaml").write_text(yaml.safe_dump(content))


def test_the_current_train_of_each_dataprovider_is_listed(past):
    houses, taxes = listing.current_trains(past.project.models)
    assert (houses["dataprovider_id"], houses["train_id"]) == ("houses", past.houses[-1])
    assert (taxes["train_id"], taxes["pre_reqs"]) == (past.taxes[-1], {"houses": past.houses[-1]})
    assert taxes["train_session_id"] == houses["train_session_id"]


def test_the_history_is_listed_newest_first(past):
    found = listing.history(past.project.models, "houses")
    assert [entry["train_id"] for entry in found] == past.houses[::-1]


def test_a_train_whose_package_is_gone_stays_in_the_history(models):
    models.remove("house-prices", "calm-cat")
    entries = list(listing.history(models, "house-prices"))
    assert [entry.get("removed", False) for entry in entries] == [False, True, False]


@pytest.mark.parametrize(
    "text",
    ["old-fox", "of-old-fox:old-fox", "house-prices/old-fox", "house-prices/of-old-fox:old-fox"],
)
def test_a_train_is_found_by_each_of_its_names(models, text):
    assert listing.find_manifest(models, text).train_id == "old-fox"


def test_a_name_that_several_dataproviders_have_asks_which(models):
    with pytest.raises(UntrainedModelError, match="write house-prices/new-owl or taxes/new-owl"):
        listing.find_manifest(models, "new-owl")
    assert listing.find_manifest(models, "taxes/new-owl").dataprovider_id == "taxes"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("old-fix", "No train is called 'old-fix'.* Did you mean 'old-fox'?"),
        ("other:old-fox", "No train is called 'other:old-fox'"),
        ("taxes/old-fox", "No train of 'taxes' is called 'old-fox'"),
        ("taxs/new-owl", "No model of 'taxs'.* Did you mean 'taxes'?"),
        ("", "No train is called ''"),
    ],
)
def test_an_unknown_train_is_refused_with_what_may_be_meant(models, text, said):
    with pytest.raises(UntrainedModelError, match=said):
        listing.find_manifest(models, text)


def test_nothing_is_found_where_nothing_was_trained(tmp_path):
    store = ModelStore(tmp_path / "models")
    assert listing.current_trains(store) == []
    with pytest.raises(UntrainedModelError, match="No model was trained yet"):
        listing.find_manifest(store, "old-fox")


def test_a_pin_makes_an_older_train_the_current_one(past):
    listing.pin(past.project.models, "houses", past.houses[0])
    assert past.project.models.find("houses") == past.houses[0]
    loaded = Model.load("houses", path=past.project.config.place("models"))
    assert loaded.train_id == past.houses[0]
    assert next(listing.history(past.project.models, "houses"))["action"] == "pin"


def test_a_pin_names_a_train_of_that_dataprovider(models):
    with pytest.raises(UntrainedModelError, match="No train of 'taxes' is called 'old-fox'"):
        listing.pin(models, "taxes", "old-fox")


def test_what_the_inventory_file_pins_is_what_a_train_takes_as_prerequisite(past):
    write_pins(past.project.home, houses=past.houses[1])
    again = type(past.project)(past.project.home, past.project.providers)
    again.run("taxes/*")
    newest = again.models.current("taxes")
    assert newest not in past.taxes
    assert again.models.manifest("taxes", newest).pre_reqs == {"houses": past.houses[1]}


def test_the_inventory_file_wins_over_a_pin_in_the_storage(past):
    write_pins(past.project.home, houses=past.houses[1])
    models = Workspace(past.project.config).models
    listing.pin(models, "houses", past.houses[0])
    assert models.find("houses") == past.houses[1]


def test_a_pin_of_an_id_that_is_no_name_of_a_folder_counts(models):
    pinned = ModelStore(models.root, {"house-prices": "old-fox"})
    assert pinned.find("house-prices") == "old-fox"
    assert [one["pinned"] for one in listing.current_trains(pinned)] == [True, False]


def test_a_pinned_train_without_a_package_is_an_error_that_names_the_file(models):
    pinned = ModelStore(models.root, {"taxes": "lost"})
    with pytest.raises(UntrainedModelError, match="train_id lost .* the inventory file pins it"):
        pinned.find("taxes")


def test_the_exported_file_says_where_each_current_train_comes_from(models, tmp_path):
    listing.export(models, tmp_path / "inventory.yaml")
    exported = read_inventory(tmp_path / "inventory.yaml")
    assert list(exported) == ["house-prices", "taxes"]
    houses = exported["house-prices"]
    assert (houses["train_id"], houses["pinned"]) == ("new-owl", False)
    assert houses["git_commit"].endswith("2")
    assert houses["hyperparameters_from"] == "dp"
    assert [entry["train_id"] for entry in houses["history"]] == ["new-owl", "calm-cat", "old-fox"]


def test_an_export_keeps_what_is_pinned(models, tmp_path):
    write_pins(tmp_path, **{"house-prices": "old-fox"})
    listing.export(models, tmp_path / "inventory.yaml")
    exported = read_inventory(tmp_path / "inventory.yaml")
    assert (exported["house-prices"]["train_id"], exported["house-prices"]["pinned"]) == (
        "old-fox",
        True,
    )
    assert (exported["taxes"]["train_id"], exported["taxes"]["pinned"]) == ("tall-elk", False)


@pytest.mark.parametrize("dp_id", ["house-prices", "never-trained"])
def test_an_export_keeps_a_pin_whose_package_is_not_here(models, tmp_path, dp_id):
    write_pins(tmp_path, **{dp_id: "of-tomorrow"})
    listing.export(models, tmp_path / "inventory.yaml")
    exported = read_inventory(tmp_path / "inventory.yaml")
    assert exported[dp_id] == {"train_id": "of-tomorrow", "pinned": True}
    assert "taxes" in exported


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"<<<<<<< HEAD\nmodels: {}\n=======\n", "cannot be read"),
        (b"\xff\xfe\xfa", "cannot be read"),
        (b"", "has no `models`"),
        (b"models: [houses]", "has no `models`"),
        (b"models: {houses: calm-cat}", "has no `models`"),
        (b"models: {houses: {pinned: true}}", "houses is pinned, but has no train_id"),
        (b"models: {houses: {pinned: 'yes', train_id: a}}", "houses: pinned is 'yes'"),
    ],
)
def test_a_damaged_inventory_file_stops_whoever_asks_what_is_current(past, text, said):
    (past.project.home / "inventory.yaml").write_bytes(text)
    with pytest.raises(SettingsError, match=said):
        _ = Workspace(past.project.config).models


# -- among ten thousand trains --------------------------------------------------------------------

TRAINS = 10_000
FEW_READS = 20
LISTINGS = ("os.listdir", "os.scandir", "glob.glob", "pathlib.Path.glob", "pathlib.Path.rglob")


class Watch:
    """Counts opened files and listings; audit hooks cannot be removed, only switched off."""

    def __init__(self) -> None:
        self.events: Counter | None = None
        sys.addaudithook(self.note)

    def note(self, event, _) -> None:
        if self.events is not None and event in (*LISTINGS, "open"):
            self.events[event] += 1

    def during(self, ask: Callable[[], str]) -> tuple[str, Counter]:
        self.events = Counter()
        try:
            return ask(), self.events
        finally:
            self.events = None


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Ten thousand entries, one a minute; only the trains that are asked for have packages."""
    store = ModelStore(UPath(tmp_path_factory.mktemp("many")))
    folder = store.folder("houses")
    for number in (1, 7_000, TRAINS):
        write_train(store, "houses", f"train-{number}", number=number)
    for number in range(1, TRAINS + 1):
        entry = Entry(
            number=number,
            time=START + timedelta(minutes=number),
            train_id=f"train-{number}",
            train_session_id=f"of-train-{number}",
            action="train",
            current=f"train-{number}",
            pinned=False,
        ).model_dump_json()
        (folder / "history" / f"{number:010d}.json").write_text(entry)
    (folder / "current.json").write_text(entry)
    return store


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ({}, TRAINS),
        ({"train_id": "train-7000"}, 7_000),
        ({"session_id": "of-train-7000"}, 7_000),
        ({"as_of": START + timedelta(minutes=7_000.5)}, 7_000),
        ({"as_of": START + timedelta(minutes=1)}, 1),
        ({"preferred": ["nobody", "of-train-7000"]}, 7_000),
    ],
)
def test_a_train_among_10_000_is_found_by_few_reads_and_no_listing(many, watch, wanted, number):
    found, events = watch.during(lambda: many.find("houses", **wanted))
    assert found == f"train-{number}"
    assert events.pop("open", 0) <= FEW_READS
    assert not events


@pytest.mark.parametrize(
    ("text", "listings"),
    [("houses/of-train-7000:train-7000", 0), ("of-train-7000:train-7000", 1)],
)
def test_a_train_is_shown_without_a_listing_but_that_of_dataproviders(many, watch, text, listings):
    found, events = watch.during(lambda: listing.find_manifest(many, text).train_id)
    assert (found, sum(events[name] for name in LISTINGS)) == ("train-7000", listings)


def test_the_watch_sees_listings(many, watch):
    _, events = watch.during(lambda: str(many.trains("houses")))
    assert set(events) & set(LISTINGS)
