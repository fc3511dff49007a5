"""The chain of the ledger: what is committed stays, whoever writes slowly or at the same time."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from tests.support.processes import at_once
from xingu.errors import StorageError
from xingu.files.sealed import seal, unseal
from xingu.registry.deployment import Deployment
from xingu.registry.ledger import Ledger

SESSION = "session"


@pytest.fixture(params=["local", "s3"])
def folder(request, tmp_path):
    if request.param == "local":
        return UPath(tmp_path) / "houses"
    path = UPath(request.getfixturevalue("s3_url")) / f"chain-{tmp_path.name}"
    return UPath(str(path), use_listings_cache=False)


def add(folder, train_id, action="train", change=None):
    return Ledger(folder).append(train_id, SESSION, action, change)


def entry_file(folder, number):
    return folder / "history" / f"{number:010d}.json"


def rewrite(path, **changed):
    """Change fields of an entry, with a digest that fits."""
    content = json.loads(unseal(path.read_bytes(), path.name)) | changed
    path.write_bytes(seal(json.dumps(content), path.name))


# -- what is committed ----------------------------------------------------------------------------


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(1, 30))
def test_whatever_slow_writers_put_into_the_hint_the_newest_entry_is_read(stale, total):
    folder = UPath("memory://chain") / str(abs(hash((tuple(stale), total))))
    hints = [None]
    for number in range(1, total + 1):
        add(folder, f"t{number}")
        hints.append((folder / "current.json").read_bytes())
    for number in (min(one, total) for one in stale):
        if hints[number] is None:
            (folder / "current.json").unlink(missing_ok=True)
        else:
            (folder / "current.json").write_bytes(hints[number])
        assert Ledger(folder).newest().number == total
    assert add(folder, "last").number == total + 1
    assert list(Ledger(folder).broken_links()) == []


def test_a_writer_that_is_paused_before_it_moves_the_hint_moves_nothing_back(folder, monkeypatch):
    add(folder, "t1")
    slow = Ledger(folder)
    point = slow._point_to

    def others_first(entry):
        for number in (3, 4, 5):
            add(folder, f"t{number}")
        point(entry)

    monkeypatch.setattr(slow, "_point_to", others_first)
    assert slow.append("t2", SESSION, "train").number == 2
    assert Ledger(folder).newest().train_id == "t5"
    hint = folder / "current.json"
    assert json.loads(unseal(hint.read_bytes(), hint.name))["number"] == 5


def test_an_entry_counts_although_the_hint_could_not_be_moved(tmp_path, monkeypatch, caplog):
    folder = UPath(tmp_path)
    add(folder, "t1")

    def refuse(path, *data):
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("xingu.registry.ledger.write_atomically", refuse)
        assert add(folder, "t2").current == "t2"
    assert "was not moved to entry 2: the disk is full" in caplog.text
    assert Ledger(folder).newest().current == "t2"


def test_a_request_that_was_sent_twice_adds_one_entry(tmp_path, monkeypatch):
    folder = UPath(tmp_path)
    add(folder, "t1")
    from xingu.registry import ledger

    write, calls = ledger.write_once, []

    def twice(path, data):  # the first answer is lost, the second says that it exists
        return write(path, data) and write(path, data)

    def change(before):
        calls.append(before.number)
        return {"current": "t2", "pinned": False}

    monkeypatch.setattr(ledger, "write_once", twice)
    assert add(folder, "t2", "deploy", change).number == 2
    assert (calls, [one.number for one in Ledger(folder).entries()]) == ([1], [2, 1])


def test_a_change_that_raises_because_another_process_was_faster_adds_nothing(folder):
    add(folder, "t1")

    def fenced(before):
        if before.number > 1:
            raise RuntimeError(f"entry {before.number} was added meanwhile")
        add(folder, "t3", "deploy")  # another process, between reading and writing
        return {"current": "t2", "pinned": False}

    with pytest.raises(RuntimeError, match="entry 2 was added meanwhile"):
        add(folder, "t2", "deploy", fenced)
    assert Ledger(folder).newest().current == "t3"
    assert list(Ledger(folder).broken_links()) == []


def add_five(folder, writer):
    return [add(folder, f"t{writer}-{number}").number for number in range(5)]


def test_processes_that_append_at_once_make_one_chain(tmp_path):
    at_once(add_five, [(UPath(tmp_path), writer) for writer in range(3)], processes=3)
    require_one_chain(UPath(tmp_path), 15)


def test_threads_that_append_to_s3_at_once_make_one_chain(s3_url):
    folder = UPath(f"{s3_url}/chain-threads", use_listings_cache=False)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(add_five, [folder] * 3, range(3)))
    require_one_chain(folder, 15)


def require_one_chain(folder, count):
    ledger = Ledger(folder)
    entries = list(ledger.entries())
    assert [one.number for one in entries] == list(range(count, 0, -1))
    assert set(Counter(one.train_id for one in entries).values()) == {1}
    assert list(ledger.broken_links()) == []
    assert ledger.newest().train_id == entries[0].train_id


# -- the chain ------------------------------------------------------------------------------------


def test_an_entry_that_was_changed_is_found_although_its_digest_fits(tmp_path):
    folder = UPath(tmp_path)
    for train in range(1, 5):
        add(folder, f"t{train}")
    for number in (1, 2, 3):
        good = entry_file(folder, number).read_bytes()
        rewrite(entry_file(folder, number), current="other")
        [fault] = Ledger(folder).broken_links()
        assert fault.startswith(f"{entry_file(folder, number + 1)} does not follow the entry")
        entry_file(folder, number).write_bytes(good)


def test_an_entry_that_is_missing_damaged_or_differs_from_the_hint_is_found(folder):
    for train in range(1, 4):
        add(folder, f"t{train}")
    good = [entry_file(folder, number).read_bytes() for number in (1, 2, 3)]
    entry_file(folder, 2).unlink()
    assert [*Ledger(folder).broken_links()] == [f"{entry_file(folder, 2)} is missing: restore it."]
    entry_file(folder, 2).write_bytes(good[1][:-9])
    [fault] = Ledger(folder).broken_links()
    assert fault.startswith(f"{entry_file(folder, 2)} is damaged")
    entry_file(folder, 2).write_bytes(good[1])
    rewrite(entry_file(folder, 3), current="other")
    [fault] = Ledger(folder).broken_links()
    assert fault == f"{folder / 'current.json'} differs from {entry_file(folder, 3)}."
    (folder / "current.json").write_bytes(b"{")
    assert "current.json is damaged" in next(Ledger(folder).broken_links())


def test_entries_of_earlier_versions_have_no_link_and_are_continued(tmp_path):
    folder = UPath(tmp_path)
    for number in (1, 2):
        add(folder, f"t{number}")
        content = json.loads(unseal(entry_file(folder, number).read_bytes(), f"{number:010d}.json"))
        for name in ("previous", "deployment", "replaced"):
            del content[name]
        entry_file(folder, number).write_text(json.dumps(content))
    (folder / "current.json").write_bytes(entry_file(folder, 2).read_bytes())
    add(folder, "t3")
    add(folder, "t4")
    assert [*Ledger(folder).broken_links()] == []
    assert [one.train_id for one in Ledger(folder).entries()] == ["t4", "t3", "t2", "t1"]
    rewrite(entry_file(folder, 2), current="other")
    assert "0000000003.json does not follow" in next(Ledger(folder).broken_links())


def test_a_link_that_was_taken_away_is_found(tmp_path):
    folder = UPath(tmp_path)
    for train in range(1, 4):
        add(folder, f"t{train}")
    rewrite(entry_file(folder, 3), previous="")
    (folder / "current.json").unlink()
    assert "0000000003.json does not follow" in next(Ledger(folder).broken_links())


# -- deploys --------------------------------------------------------------------------------------


def test_approvals_change_nothing_and_deploys_and_rollbacks_do(folder):
    add(folder, "t1", "deploy")
    add(folder, "t2", "approve")
    assert Ledger(folder).newest().current == "t1"
    add(folder, "t2", "deploy")
    between = datetime.now(UTC) + timedelta(microseconds=1)
    add(folder, "t3", "approve")
    entry = add(folder, "t1", "rollback", lambda before: {
        "current": "t1", "pinned": False, "rolled_back": ("t2",),
    })  # fmt: skip
    assert (entry.current, entry.replaced) == ("t1", "t2")
    ledger = Ledger(folder)
    assert list(ledger.standing()) == ["t1"]
    assert ledger.verdict("t2", None).action == "rollback"
    assert ledger.verdict("t3", None) is None
    assert ledger.at(between).current == "t2"


def test_an_approval_in_an_empty_ledger_makes_nothing_current(tmp_path):
    add(UPath(tmp_path), "t1", "approve")
    assert Ledger(UPath(tmp_path)).newest().current is None
    assert list(Ledger(UPath(tmp_path)).standing()) == []


def test_the_train_that_a_deploy_replaced_is_known_until_the_next_one(tmp_path):
    folder = UPath(tmp_path)
    replaced = [
        add(folder, train_id, action).replaced
        for train_id, action in [
            ("t1", "deploy"), ("t2", "deploy"), ("t2", "deploy"), ("t3", "approve"), ("t2", "pin"),
            ("t3", "deploy"), ("t2", "unpin"), ("t3", "deploy"),
        ]
    ]  # fmt: skip
    assert replaced == [None, "t1", "t1", "t1", "t1", "t1", "t1", "t2"]


def test_a_deployment_is_read_as_it_was_written_without_secrets(folder):
    made = Deployment(
        user="ana",
        source="s3://key:secret-word@bucket/models",
        gates={"test R2": 0.83, "verdict": "passed", "missing": None},
        approvals=("bo", "cy"),
        replaced="t0",
        expires=datetime(2027, 1, 1, tzinfo=UTC),
    )
    add(folder, "t1", "deploy", lambda _: {"current": "t1", "pinned": False, "deployment": made})
    assert Ledger(folder).newest().deployment == made
    assert b"secret-word" not in entry_file(folder, 1).read_bytes()


def test_finding_what_is_current_is_two_requests(s3_url, monkeypatch):
    folder = UPath(f"{s3_url}/chain-requests", use_listings_cache=False)
    add(folder, "t1")
    call, requests = type(folder.fs)._call_s3, []

    async def counted(self, method, *args, **options):
        requests.append(method)
        return await call(self, method, *args, **options)

    monkeypatch.setattr(type(folder.fs), "_call_s3", counted)
    assert Ledger(folder).newest().current == "t1"
    assert requests == ["get_object", "get_object"]
