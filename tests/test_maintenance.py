"""Pruning: which trains, plots and values are removed, and which are kept."""

from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from tests.support.toys import houses
from tests.support.trains import packages_of, train_past, undone, write_train
from xingu import Model
from xingu.maintenance import prunable_trains, prune
from xingu.names import key_part
from xingu.registry import listing
from xingu.registry.manifest import Manifest
from xingu.registry.store import ModelStore
from xingu.values import Label, ValueStore

FRAME = pd.DataFrame({"a": [1, 2]})
DATAPROVIDERS = ("house-prices", "taxes", "yields")


def prune_to(models: ModelStore, keep: int, values: ValueStore, *plots: UPath) -> set:
    trains = prunable_trains(models, keep)
    prune(models, plots, values, trains)
    return {(train.dataprovider_id, train.train_id) for train in trains}


# -- any history ----------------------------------------------------------------------------------

some = st.integers(0, 9)
histories = st.lists(st.tuples(st.sampled_from((0, 1, 2)), some, some, some), max_size=14)


def written(history, pinned) -> tuple[ModelStore, dict, set]:
    """Write trains with any earlier trains of the DataProviders before as prerequisites.

    Args:
        history: DataProvider, which trains are the prerequisites, and 9 to pin its first train
            afterwards.
        pinned: Which train of each DataProvider the inventory file pins, if it has so many.

    Returns:
        The storage; the prerequisites of each train, oldest first; and what is current or pinned.
    """
    root = UPath("memory://prune") / uuid4().hex
    models, trains, current, held = ModelStore(root), {}, {}, set()
    for number, (dp, first, second, again) in enumerate(history):
        dp_id = DATAPROVIDERS[dp]
        pre_reqs = {}
        for other, choice in zip(DATAPROVIDERS[:dp], (first, second), strict=False):
            earlier = [train for one, train in trains if one == other]
            if earlier:
                pre_reqs[other] = earlier[choice % len(earlier)]
        train_id = f"train-{number}"
        write_train(models, dp_id, train_id, number=number, pre_reqs=pre_reqs)
        trains[dp_id, train_id] = pre_reqs
        if again == 9:
            train_id = next(train for one, train in trains if one == dp_id)
            listing.pin(models, dp_id, train_id)
            held.add(dp_id)
        if again == 9 or dp_id not in held:
            current[dp_id] = train_id
    pins = {}
    for dp_id, number in zip(DATAPROVIDERS, pinned, strict=True):
        own = [train for one, train in trains if one == dp_id]
        pins |= {dp_id: own[number]} if number < len(own) else {}
    return ModelStore(root, pins), trains, {*current.items(), *pins.items()}


@given(histories, st.tuples(some, some, some), st.integers(1, 4))
def test_what_stays_is_the_newest_the_current_the_pinned_and_their_prerequisites(
    history, pinned, keep
):
    models, trains, stay = written(history, pinned)
    for dp_id in DATAPROVIDERS:
        stay |= set([train for train in trains if train[0] == dp_id][-keep:])
    while more := {need for train in stay for need in trains[train].items()} - stay:
        stay |= more
    removed = prune_to(models, keep, ValueStore(models.root / "values"), models.root / "plots")
    assert removed == set(trains) - stay
    assert packages_of(models) == {(dp_id.replace("-", "_"), train) for dp_id, train in stay}


def test_object_storage_is_pruned_by_the_same_rules(s3_url):
    root = UPath(s3_url) / uuid4().hex
    models, values = ModelStore(root / "models"), ValueStore(root / "values")
    for number in range(3):
        write_train(models, "houses", f"h{number}", number=number)
    write_train(models, "taxes", "t0", pre_reqs={"houses": "h0"})
    assert prune_to(models, 1, values, root / "plots") == {("houses", "h1")}
    assert packages_of(models) == {("houses", "h0"), ("houses", "h2"), ("taxes", "t0")}
    assert [one["train_id"] for one in listing.current_trains(models)] == ["h2", "t0"]


def test_the_prerequisite_of_a_prerequisite_stays(tmp_path):
    models = ModelStore(tmp_path)
    for number in range(3):
        write_train(models, "houses", f"h{number}", number=number)
    write_train(models, "taxes", "t0", pre_reqs={"houses": "h0"})
    write_train(models, "taxes", "t1", number=1, pre_reqs={"houses": "h2"})
    write_train(models, "yields", "y0", pre_reqs={"taxes": "t0"})
    assert [one.train_id for one in prunable_trains(models, 1)] == ["h1"]


# -- values ---------------------------------------------------------------------------------------


def two_trains(tmp_path, kept_value: bool):
    """An old and a new train; the new one was made of the old one's value, or of its own."""
    models, values = ModelStore(tmp_path / "models"), ValueStore(tmp_path / "values", keep=1)
    key = ("houses", "splits")
    old = values.write(key, "run-0", FRAME, Label()).value_id
    own = values.write(key, "run-1", FRAME, Label()).value_id
    unfinished = values.write(key, "run-2", FRAME, Label()).value_id
    latest = values.write(key, "run-3", FRAME, Label()).value_id
    for number, (train_id, value) in enumerate((("a", old), ("b", old if kept_value else own))):
        write_train(models, "houses", train_id, number=number, values={"houses/splits": value})
        values.pin(key, value, models.package("houses", train_id))
    return models, values, {"old": old, "own": own, "unfinished": unfinished, "latest": latest}


def left(values: ValueStore, ids: dict[str, str]) -> set[str]:
    folder = values.folder(("houses", "splits"))
    return {name for name, value_id in ids.items() if (folder / value_id / "record.json").exists()}


@pytest.mark.parametrize(
    ("kept_value", "stays"),
    [
        (False, {"own", "unfinished", "latest"}),
        (True, {"old", "own", "unfinished", "latest"}),
    ],
)
def test_a_value_goes_with_the_last_package_that_pins_it_and_no_other_value(
    tmp_path, kept_value, stays
):
    models, values, ids = two_trains(tmp_path, kept_value)
    assert prune_to(models, 1, values, UPath(tmp_path / "plots")) == {("houses", "a")}
    assert left(values, ids) == stays


# -- trained models -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_past(tmp_path_factory.mktemp("pruning") / "home")


@pytest.fixture
def past(trained):
    with undone(trained.project.home):
        yield trained


def files_of(home: Path) -> dict[str, bytes]:
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file()
    }


def places_of(train: Manifest) -> list[str]:
    """Return where a project keeps what belongs to a train, and to no other."""
    dp_id = train.dataprovider_id
    values = [f".xingu/values/{key}/{value}/" for key, value in train.values.items()]
    return [
        f"models/{dp_id}/trains/{train.train_id}/",
        f"models/{dp_id}/sessions/{key_part(train.train_session_id)}.json",
        f"plots/{dp_id}/{train.train_id}/",
        f".xingu/plots/{dp_id}/{train.train_id}/",
        *values,
        *(
            f".xingu/values/{key}/pins/{value}.{train.train_id}"
            for key, value in train.values.items()
        ),
        *(f".xingu/values/{key}/runs/{train.run_id}.json" for key in train.values),
    ]


def prune_project(past, keep, pins=None):
    config = past.project.config
    models = ModelStore(config.place(config.models), pins)
    values = ValueStore(config.place(config.values), config.keep_values)
    notebooks = UPath(past.project.home / ".xingu" / "plots")
    return prune_to(models, keep, values, config.place(config.plots), notebooks)


def test_an_old_train_goes_with_its_package_its_session_and_its_plots(past):
    removed = prune_project(past, 1)
    first, second, _ = past.houses
    assert removed == {("houses", first), ("houses", second), ("taxes", past.taxes[0])}
    left = files_of(past.project.home)
    assert not [path for path in left if first in path]
    assert past.project.models.find("houses", preferred=[first]) == past.houses[-1]


def test_the_values_that_only_a_removed_train_kept_go_too(past):
    manifest = past.project.models.manifest("houses", past.houses[0])
    folders = [past.project.values.root / key / value for key, value in manifest.values.items()]
    assert [folder.exists() for folder in folders] == [True, True]
    prune_project(past, 1)
    assert [folder.exists() for folder in folders] == [False, False]


def test_nothing_else_is_touched(past):
    before = files_of(past.project.home)
    places = [
        place for train in prunable_trains(past.project.models, 1) for place in places_of(train)
    ]
    prune_project(past, 1)
    after = files_of(past.project.home)
    assert after.items() <= before.items()
    gone = before.keys() - after.keys()
    assert [path for path in gone if not path.startswith(tuple(places))] == []
    assert [place for place in places if not any(path.startswith(place) for path in gone)] == []


def test_what_stays_can_still_be_loaded_and_predicts(past):
    def estimations():
        taxes = Model.load("taxes", path=past.project.config.place("models"))
        rows = houses(5)
        prices = taxes.dp.pre_req_model["houses"].predict(rows)["estimation"]
        return taxes.predict_proba(rows.assign(estimated_price=prices))

    before = estimations()
    prune_project(past, 1)
    pd.testing.assert_frame_equal(estimations(), before)


def test_what_the_inventory_file_pins_stays_with_its_prerequisite(past):
    assert prune_project(past, 1, {"taxes": past.taxes[0]}) == {("houses", past.houses[1])}


def test_enough_trains_to_keep_leave_nothing_to_remove(past):
    before = files_of(past.project.home)
    assert prune_project(past, 3) == set()
    assert files_of(past.project.home) == before


def test_a_second_prune_finds_nothing_to_remove(past):
    prune_project(past, 1)
    assert prune_project(past, 1) == set()
