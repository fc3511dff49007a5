"""History of the current train: against a plain list, and with several writers."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from tests.support.processes import at_once
from xingu.files.sealed import unseal
from xingu.registry import ledger as module
from xingu.registry.ledger import Ledger

START = datetime(2026, 1, 1, tzinfo=UTC)
seconds = st.integers(0, 1_000)


class Clock(datetime):
    """A clock with given times."""

    moments: list = []

    @classmethod
    def now(cls, tz=None):
        return cls.moments.pop(0)


def written(folder, moments) -> Ledger:
    ledger = Ledger(folder)
    Clock.moments = [START + timedelta(seconds=moment) for moment in moments]
    with patch.object(module, "datetime", Clock):
        for number in range(len(moments)):
            ledger.append(f"train-{number}", "session", "train")
    return ledger


@given(st.lists(seconds, max_size=30), st.lists(seconds, max_size=10))
def test_a_moment_gives_what_was_current_then(moments, asked):
    folder = UPath("memory://ledger") / str(abs(hash((tuple(moments), tuple(asked)))))
    ledger = written(folder, moments)
    high, clock = 0, []
    for moment in moments:  # clocks that go back are not believed
        high = max(high, moment)
        clock.append(high)
    for moment in asked:
        known = [n for n, time in enumerate(clock) if time <= moment]
        found = ledger.at(START + timedelta(seconds=moment))
        assert (found and found.train_id) == (f"train-{known[-1]}" if known else None)


class LedgerContract:
    def test_the_newest_is_current_and_the_history_is_in_order(self, folder):
        ledger = written(folder, [1, 2, 3])
        assert ledger.newest().train_id == "train-2"
        assert [entry.train_id for entry in ledger.entries()] == ["train-2", "train-1", "train-0"]
        assert [entry.train_id for entry in ledger.entries(2)] == ["train-2", "train-1"]

    def test_an_entry_of_a_killed_process_does_no_harm(self, folder):
        ledger = written(folder, [1, 2])
        second = folder / "history" / "0000000002.json"
        third = unseal(second.read_bytes(), second.name).replace(b'r":2', b'r":3')
        (folder / "history" / "0000000003.json").write_bytes(third)
        assert ledger.append("train-9", "session", "train").number == 4
        assert ledger.newest().train_id == "train-9"
        assert ledger.at(START + timedelta(seconds=1.5)).train_id == "train-0"

    def test_what_was_never_trained_has_no_entry(self, folder):
        assert Ledger(folder).newest() is None
        assert Ledger(folder).at(START) is None
        assert list(Ledger(folder).entries()) == []


class TestLocal(LedgerContract):
    @pytest.fixture
    def folder(self, tmp_path):
        return UPath(tmp_path) / "houses"


class TestS3(LedgerContract):
    @pytest.fixture
    def folder(self, s3_url, request):
        return UPath(s3_url) / request.node.name


def append_some(folder, number):
    for train in range(10):
        Ledger(folder).append(f"train-{number}-{train}", "session", "train")


def test_writers_at_the_same_time_lose_no_entry(tmp_path):
    at_once(append_some, [(UPath(tmp_path), number) for number in range(4)], processes=4)
    numbers = {int(path.stem) for path in (tmp_path / "history").glob("*.json")}
    assert numbers == set(range(1, 41))
    assert len({entry.train_id for entry in Ledger(UPath(tmp_path)).entries(40)}) >= 38
