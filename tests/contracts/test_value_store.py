import os
import pickle
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from xingu.errors import MissingValueError
from xingu.provider.state import PreparedFrame, PreparedSplits, ProviderState
from xingu.records import ModelRef, SourceRecord
from xingu.values import Facts, Label, ValueStore

KEY = ("dp", "features")
FRAME = pd.DataFrame({"a": [1, 2]}, index=["x", "y"])
LABEL = Label("v1", Facts(train_id="t"))


class ValueStoreContract:
    @pytest.fixture
    def root(self):
        raise NotImplementedError

    @pytest.fixture
    def store(self, root):
        return ValueStore(root, keep=2)

    @pytest.mark.parametrize(
        "value",
        [
            FRAME,
            {"train": FRAME, "a/b": FRAME},
            PreparedFrame(FRAME, ProviderState(b"state", {"pre": "t"})),
            PreparedSplits({"train": FRAME}, ProviderState(b"state")),
            {"anything": [1, {2}]},
            None,
            {},
            ModelRef("houses", "calm-fox", {"houses/splits": "1"}),
        ],
        ids=[
            "frame",
            "frames",
            "prepared frame",
            "prepared splits",
            "object",
            "nothing",
            "no frames",
            "model",
        ],
    )
    @pytest.mark.parametrize("layout", ["open", "fast"])
    def test_a_value_comes_back_as_it_was(self, store, value, layout):
        store.write(KEY, "run", value, LABEL, layout)
        assert_same(store.read(KEY).value, value)

    def test_a_record_says_what_was_recorded(self, store):
        store.write(KEY, "run", FRAME, LABEL)
        record = store.record(KEY)
        assert (record.data_version, record.facts, record.run_id) == (
            "v1",
            Facts(train_id="t"),
            "run",
        )

    def test_facts_of_every_kind_come_back(self, store):
        source = SourceRecord("houses", "select 1", "v7", 400, cached=True)
        facts = Facts(train_id="t", sources=(source,), replay_sample="1")
        store.write(KEY, "run", FRAME, Label("v1", facts))
        assert store.record(KEY).facts == facts
        assert store.read(KEY).record.facts == facts

    def test_frames_under_names_that_are_no_texts_come_back(self, store):
        store.write(KEY, "run", {1: FRAME, None: FRAME + 1}, LABEL)
        found = store.read(KEY).value
        assert list(found) == [1, None]
        assert_same(found[None], FRAME + 1)

    def test_names_that_differ_in_letters_of_no_file_name_stay_apart(self, store):
        frames = {"train": FRAME, "a/b": FRAME + 1, "a?b": FRAME + 2, "": FRAME + 3}
        store.write(KEY, "run", frames, LABEL)
        assert_same(store.read(KEY).value, frames)

    def test_a_value_that_cannot_be_pickled_leaves_the_one_before(self, store):
        store.write(KEY, "run", 1, LABEL)
        with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
            store.write(KEY, "run", threading.Lock(), LABEL)
        assert store.read(KEY, ["run"]).value == 1

    def test_a_record_of_nothing_is_none(self, store):
        assert store.record(KEY) is None
        assert store.find(KEY, ["run"]) is None
        assert store.prune(KEY) == []

    def test_keys_do_not_mix(self, store):
        store.write(("dp", "features"), "run", 1, LABEL)
        store.write(("dp", "features", "part"), "run", 2, LABEL)
        assert store.read(("dp", "features")).value == 1
        assert store.read(("dp", "features", "part")).value == 2

    def test_only_values_among_the_given_ones_are_removed(self, store):
        ids = [store.write(KEY, f"run-{n}", n, LABEL).value_id for n in range(4)]
        assert store.prune(KEY, among={ids[1], ids[3]}) == [ids[1]]
        assert store.read(KEY, value_id=ids[0]).value == 0

    def test_a_run_whose_value_was_removed_reads_the_latest(self, store):
        for number in range(4):
            store.write(KEY, f"run-{number}", number, LABEL)
        store.prune(KEY)
        assert store.read(KEY, ["run-0"]).value == 3

    def test_a_run_reads_what_it_wrote_and_others_the_latest(self, store):
        store.write(KEY, "run-1", 1, LABEL)
        store.write(KEY, "run-2", 2, LABEL)
        found = [store.read(KEY, runs).value for runs in (["run-1"], ["run-2"], [], ["run-3"])]
        assert found == [1, 2, 2, 2]

    def test_a_re_executed_run_reads_what_its_parent_wrote(self, store):
        store.write(KEY, "parent", 1, LABEL)
        store.write(KEY, "other", 2, LABEL)
        assert store.read(KEY, ["child", "parent"]).value == 1

    def test_a_value_is_read_by_its_id(self, store):
        first = store.write(KEY, "run-1", 1, LABEL)
        store.write(KEY, "run-2", 2, LABEL)
        assert store.read(KEY, value_id=first.value_id).value == 1

    def test_the_content_gives_the_data_version_where_none_is_given(self, store):
        versions = [
            store.write(KEY, "run", frame, Label(), "open").data_version
            for frame in (FRAME, FRAME.copy(), FRAME + 1)
        ]
        assert versions[0] == versions[1] != versions[2]

    def test_a_value_that_was_never_made_is_named_with_what_to_do(self, store):
        with pytest.raises(
            MissingValueError, match="dp/features was never materialized.*in the same"
        ):
            store.read(KEY)

    def test_old_values_are_removed(self, store):
        ids = [store.write(KEY, f"run-{n}", n, LABEL).value_id for n in range(4)]
        assert store.prune(KEY) == ids[:2]
        assert store.read(KEY).value == 3
        with pytest.raises(MissingValueError, match="was removed"):
            store.read(KEY, value_id=ids[0])

    def test_a_value_that_a_saved_model_refers_to_stays_until_the_model_is_gone(self, store, root):
        ids = [store.write(KEY, f"run-{n}", n, LABEL).value_id for n in range(4)]
        package = root / "packages" / "train-1"
        (package / "manifest.json").parent.mkdir(parents=True)
        (package / "manifest.json").write_text("{}")
        store.pin(KEY, ids[0], package)
        assert store.prune(KEY) == [ids[1]]
        (package / "manifest.json").unlink()
        assert store.prune(KEY) == [ids[0]]

    def test_values_of_unfinished_runs_stay(self, store):
        ids = [store.write(KEY, f"run-{n}", n, LABEL).value_id for n in range(4)]
        assert store.prune(KEY, lambda: ["run-0"]) == [ids[1]]
        assert store.read(KEY, ["run-0"]).value == 0

    def test_runs_at_the_same_time_never_mix(self, store):
        def write_and_read(number):
            store.write(KEY, f"run-{number}", number, LABEL)
            return store.read(KEY, [f"run-{number}"]).value

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(write_and_read, range(16))) == list(range(16))


class TestLocalValues(ValueStoreContract):
    @pytest.fixture
    def root(self, tmp_path):
        return UPath(tmp_path)


@given(
    keep=st.integers(1, 4),
    runs=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    busy=st.sets(st.integers(0, 3)),
)
def test_pruning_keeps_the_newest_and_those_of_unfinished_runs(keep, runs, busy):
    with tempfile.TemporaryDirectory() as folder:
        store = ValueStore(folder, keep)
        written = {}
        for number, run in enumerate(runs):
            record = store.write(KEY, f"run-{run}", number, LABEL)
            written[record.value_id] = number
        newest_of_run = {f"run-{run}": number for number, run in enumerate(runs)}
        needed = {newest_of_run[f"run-{run}"] for run in busy if f"run-{run}" in newest_of_run}
        needed |= set(range(len(runs))[-keep:])
        removed = store.prune(KEY, lambda: [f"run-{run}" for run in busy])
        assert {written[value_id] for value_id in removed} == set(range(len(runs))) - needed
        assert store.read(KEY).value == len(runs) - 1


class TestS3Values(ValueStoreContract):
    @pytest.fixture
    def root(self, s3_url, request):
        return UPath(f"{s3_url}/{abs(hash(request.node.nodeid))}")


def test_a_writer_that_is_killed_leaves_the_value_before(tmp_path):
    store = ValueStore(tmp_path)
    store.write(KEY, "run", {"train": FRAME}, LABEL)
    code = textwrap.dedent(
        f"""
        import os, pandas as pd, sys
        from xingu.values import Label, ValueStore, content
        write = content.write_frame
        def slow(*args, **kwargs):
            write(*args, **kwargs)
            print("half", flush=True)
            sys.stdin.read()
        content.write_frame = slow
        store = ValueStore({str(tmp_path)!r})
        frame = pd.DataFrame({{"a": [1]}})
        store.write({KEY!r}, "killed", {{"train": frame}}, Label("v2"))
        """
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    assert writer.stdout.readline() == b"half\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert store.record(KEY, ["killed"]).data_version == "v1"
    assert_same(store.read(KEY).value, {"train": FRAME})


def assert_same(one, other):
    if isinstance(other, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    elif isinstance(other, PreparedFrame):
        assert_same(one.frame, other.frame)
        assert one.state == other.state
    elif isinstance(other, PreparedSplits):
        assert_same(dict(one.frames), dict(other.frames))
        assert one.state == other.state
    elif isinstance(other, dict) and "train" in other:
        assert list(one) == list(other)
        for name in other:
            assert_same(one[name], other[name])
    else:
        assert one == other


def test_values_of_a_saved_model_stay_when_the_project_moves(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    store = ValueStore(before / "values", keep=1)
    kept = store.write(KEY, "run", 1, Label("v")).value_id
    package = before / "models" / "houses" / "calm-fox"
    package.mkdir(parents=True)
    (package / "manifest.json").touch()
    store.pin(KEY, kept, UPath(package))
    before.rename(after)
    moved = ValueStore(after / "values", keep=1)
    moved.write(KEY, "run", 2, Label("v"))
    assert moved.prune(KEY) == []
