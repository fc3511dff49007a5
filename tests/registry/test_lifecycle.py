"""Which train is current: accepted, refused, pinned, unpinned, and in which order."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from tests.support.trains import save_train
from xingu.errors import UntrainedModelError
from xingu.files.sealed import unseal
from xingu.registry import lifecycle, listing
from xingu.registry.ledger import Ledger
from xingu.registry.store import ModelStore

DP = "houses"


class Trains:
    """Trains of one DataProvider, by number; the higher, the newer."""

    def __init__(self, root):
        self.models = ModelStore(root)

    def saved(self, *numbers):
        """Packages of trains that no check has been computed of."""
        for number in numbers:
            save_train(self.models, DP, f"t{number}", number=number)

    def manifest(self, number):
        return self.models.manifest(DP, f"t{number}")

    def accept(self, *numbers):
        self.saved(*(one for one in numbers if not self.models.has(DP, f"t{one}")))
        for number in numbers:
            lifecycle.accept(self.models, self.manifest(number))

    def refuse(self, number, reason="quality_gates"):
        if not self.models.has(DP, f"t{number}"):
            self.saved(number)
        lifecycle.refuse(self.models, self.manifest(number), reason)

    def pin(self, number):
        lifecycle.pin(self.models, self.manifest(number))

    def unpin(self):
        lifecycle.unpin(self.models, DP)

    @property
    def current(self):
        found = self.models.current(DP)
        return found and int(found[1:])

    def actions(self):
        return [(one.action, int(one.train_id[1:])) for one in self.models.ledger(DP).entries()]

    def status(self, number):
        return lifecycle.status(self.models, self.manifest(number))

    def disqualified(self, number):
        train = self.manifest(number)
        ledger = self.models.ledger(DP)
        return lifecycle.disqualified(self.models, ledger, train.train_id, train.trained)


@pytest.fixture
def trains(tmp_path):
    return Trains(tmp_path / "models")


# -- accepted and refused -------------------------------------------------------------------------


def test_a_saved_train_is_not_current_before_it_is_accepted(trains):
    trains.saved(1)
    assert (trains.current, trains.status(1)) == (None, "waiting for its checks")
    with pytest.raises(
        UntrainedModelError, match=r"has to pass its blocking checks.*train_id \(t1"
    ):
        trains.models.find(DP)
    assert trains.models.find(DP, train_id="t1") == "t1"
    assert trains.models.find(DP, session_id="of-t1") == "t1"
    trains.accept(1)
    assert (trains.current, trains.status(1)) == (1, "current")


def test_a_refused_train_leaves_the_one_before_current_and_is_listed_with_the_reason(trains):
    trains.accept(1)
    trains.refuse(2)
    assert (trains.current, trains.status(2)) == (1, "refused")
    refused = next(listing.history(trains.models, DP))
    assert (refused["action"], refused["train_id"], refused["reason"]) == (
        "refuse", "t2", "quality_gates",
    )  # fmt: skip
    assert trains.models.find(DP, train_id="t2") == "t2"


def test_a_dataprovider_without_an_accepted_train_is_listed_without_a_current_one(trains):
    trains.refuse(1)
    assert listing.current_trains(trains.models) == [
        {"dataprovider_id": DP, "train_id": None, "pinned": False, "pinned_by": None}
    ]


def test_a_refused_train_that_passes_later_becomes_current(trains):
    trains.accept(1)
    trains.refuse(2)
    trains.accept(2)
    assert trains.current == 2


def test_accepting_an_older_train_does_not_make_it_current_again(trains):
    trains.accept(1, 2)
    trains.saved(0)
    trains.accept(1, 0)
    assert trains.current == 2
    assert trains.actions() == [("pass", 0), ("train", 2), ("train", 1)]
    assert trains.status(0) == "accepted"


def test_accepting_and_refusing_again_changes_nothing(trains):
    trains.accept(1)
    trains.refuse(2)
    before = trains.actions()
    trains.accept(1)
    trains.refuse(2)
    assert trains.actions() == before


def test_a_current_train_that_is_refused_gives_way_to_the_one_before_that_was_not(trains):
    trains.accept(1)
    trains.refuse(2)
    trains.accept(3, 4)
    trains.models.remove(DP, "t3")
    trains.refuse(4)
    assert trains.current == 1


def test_what_was_current_at_a_time_is_the_state_and_not_the_event(trains):
    trains.accept(1)
    trains.refuse(2)
    assert trains.models.find(DP, as_of=datetime.now(UTC)) == "t1"


def test_an_accept_that_was_killed_before_the_pointer_moved_counts(trains):
    trains.accept(1)
    pointer = trains.models.folder(DP) / "current.json"
    before = pointer.read_bytes()
    trains.accept(2)
    pointer.write_bytes(before)
    assert trains.current == 2
    trains.accept(2)
    assert trains.actions() == [("train", 2), ("train", 1)]


# -- pins -----------------------------------------------------------------------------------------


def test_a_pin_holds_while_other_trains_are_accepted_and_until_it_is_taken_away(trains):
    trains.accept(1, 2)
    trains.pin(1)
    trains.accept(3)
    trains.accept(4)
    assert trains.current == 1
    assert str(trains.models.pin_of(DP)) == "t1 (pinned by xingu inventory pin)"
    trains.unpin()
    assert trains.current == 4
    assert trains.models.pin_of(DP) is None


def test_what_was_rolled_back_does_not_come_back_by_unpinning(trains):
    trains.accept(1, 2)
    trains.pin(1)
    trains.unpin()
    assert (trains.current, trains.status(2)) == (1, "rolled back")
    trains.accept(2)
    assert trains.current == 1
    trains.accept(3)
    assert trains.current == 3


def test_a_rolled_back_train_can_be_pinned_again(trains):
    trains.accept(1, 2)
    trains.pin(1)
    trains.pin(2)
    assert (trains.current, trains.disqualified(2), trains.disqualified(1)) == (2, None, None)


def test_a_refused_or_waiting_train_can_be_pinned(trains):
    trains.accept(1)
    trains.refuse(2)
    trains.pin(2)
    assert trains.current == 2
    trains.saved(3)
    trains.pin(3)
    assert trains.current == 3


def test_a_pinned_train_that_is_refused_stays_pinned(trains):
    trains.accept(1, 2)
    trains.pin(2)
    trains.refuse(2)
    assert trains.current == 2


def test_pinning_the_pinned_train_again_changes_nothing(trains):
    trains.accept(1, 2)
    trains.pin(1)
    trains.accept(3)
    before = trains.actions()
    trains.pin(1)
    assert trains.actions() == before
    assert trains.disqualified(3) is None


def test_only_refused_and_rolled_back_trains_are_no_example_for_later_ones(trains):
    trains.accept(1, 2, 3)
    trains.pin(2)
    trains.refuse(4)
    trains.accept(5)
    found = {number: trains.disqualified(number) for number in range(1, 6)}
    assert found == {
        1: None, 2: None, 3: "it was rolled back to t2", 4: "it was refused (quality_gates)",
        5: None,
    }  # fmt: skip
    trains.unpin()
    assert trains.disqualified(3) == "it was rolled back to t2"


def test_while_the_inventory_file_pins_a_train_newer_ones_are_no_example(trains):
    trains.accept(1, 2, 3)
    trains.models.pins[DP] = "t2"
    assert trains.current == 2
    assert [trains.disqualified(number) for number in (1, 2)] == [None, None]
    assert trains.disqualified(3) == "inventory.yaml pins t2, which is older"


def test_nothing_can_be_unpinned_that_is_not_pinned(trains):
    trains.accept(1)
    with pytest.raises(UntrainedModelError, match="No train of 'houses' is pinned"):
        trains.unpin()


# -- any history ----------------------------------------------------------------------------------

events = st.lists(
    st.tuples(st.sampled_from(["accept", "refuse", "pin", "unpin"]), st.integers(0, 5))
)


@given(events)
def test_any_history_leads_to_what_a_plain_list_says(history):
    """`line`: trains that stand, oldest first; `pinned`: number of the pinned one."""
    trains = Trains(UPath("memory://lifecycle") / str(abs(hash(tuple(history)))))
    line, pinned, current, rolled_back = [], None, None, set()
    number = 0
    for event, choice in history:
        if event in ("accept", "refuse"):
            number += 1
            getattr(trains, event)(number)
            if event == "accept":
                line.append(number)
                current = current if pinned else number
        elif event == "pin" and line:
            wanted = line[choice % len(line)]
            trains.pin(wanted)
            if wanted != pinned:
                rolled_back |= {one for one in line if one > wanted}
                line = [one for one in line if one <= wanted]
            pinned = current = wanted
        elif event == "unpin" and pinned:
            trains.unpin()
            pinned, current = None, line[-1]
        assert trains.current == current
    for one in rolled_back:
        assert trains.status(one) == "rolled back"


def test_a_ledger_of_an_earlier_version_is_read(trains):
    trains.accept(1, 2)
    folder = trains.models.folder(DP)
    for path in [*(folder / "history").iterdir(), folder / "current.json"]:
        old = unseal(path.read_bytes(), path.name).decode()
        path.write_text(old[: old.index(',"current"')] + "}")
    assert trains.current == 2
    trains.accept(3)
    assert trains.current == 3
    assert [entry.number for entry in Ledger(folder).entries()] == [3, 2, 1]
