"""Damaged values: other data is never returned, and the error names the asset to materialize."""

import json
import random
import shutil
from contextlib import suppress
from itertools import islice, pairwise

import pandas as pd
import pytest

from xingu.errors import StorageError
from xingu.provider.state import PreparedFrame, PreparedSplits, ProviderState
from xingu.values import Facts, Label, ValueStore

KEY = ("dp", "features")
FLIPS_OF_A_FILE = 4
ROWS = pd.DataFrame({"size": [1.5, 2.5, 3.5], "town": ["a", "b", None], "day": pd.Timestamp(0)})
OBJECTS = pd.DataFrame({"cells": [[1], {2: "x"}, (3,)]})


def values(number: int) -> dict:
    """Return a value of each kind; those of two numbers differ."""
    rows = ROWS.assign(size=ROWS["size"] + number)
    objects = OBJECTS.assign(number=number)
    state = ProviderState(b"state %d" % number, {"pre": f"train-{number}"})
    return {
        "frame": rows,
        "frame of objects": objects,
        "frames": {"train": rows, "test": rows.head(1), "objects": objects},
        "prepared frame": PreparedFrame(rows, state),
        "prepared splits": PreparedSplits({"train": rows, "test": rows.tail(1)}, state),
        "object": {"learning_rate": 0.1 + number, "names": ["a", "b"]},
    }


def plain(value) -> str:
    """Return a text that differs where values differ."""
    if isinstance(value, pd.DataFrame):
        return f"{value.to_dict('list')} {value.dtypes.to_dict()}"
    if isinstance(value, PreparedFrame):
        return f"{plain(value.frame)} {value.state}"
    if isinstance(value, PreparedSplits):
        return f"{plain(dict(value.frames))} {value.state}"
    if isinstance(value, dict):
        return str({name: plain(one) for name, one in value.items()})
    return repr(value)


@pytest.fixture(params=["open", "fast"])
def layout(request):
    return request.param


@pytest.fixture(params=list(values(0)))
def written(request, layout, tmp_path):
    """A store with a value of `run-0` and a later one of `run-1`, and what each reader must get."""
    store, expected = ValueStore(tmp_path / "values"), {}
    for number in (0, 1):
        value = values(number)[request.param]
        label = Label(f"v{number}", Facts(train_id=f"train-{number}"))
        store.write(KEY, f"run-{number}", value, label, layout)
        expected[f"run-{number}",] = (plain(value), label, label)
    expected[()] = expected["run-1",]
    return store, expected


def files_of(store):
    """Return every file of the store."""
    return sorted(path for path in store.root.rglob("*") if path.is_file())


def read(store, runs):
    """Return data and labels that a reader gets; None if it is refused with what to do."""
    try:
        stored, record = store.read(KEY, list(runs)), store.record(KEY, list(runs))
    except StorageError as error:
        asked = "materialize dp/features again", "was never materialized here"
        return None if any(text in str(error) for text in asked) else str(error)
    return plain(stored.value), *(
        Label(one.data_version, one.facts) for one in (stored.record, record)
    )


def is_refused(store, expected):
    """Read as every run; return whether any was refused. No reader gets other data."""
    found = {runs: read(store, runs) for runs in expected}
    assert {runs: one for runs, one in found.items() if one not in (None, expected[runs])} == {}
    return None in found.values()


def damaged(path, data):
    """Yield after `path` was given other bytes, or removed; then restore it."""
    before = path.read_bytes()
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    yield
    path.write_bytes(before)


def flips_of(data, chance):
    for _ in range(FLIPS_OF_A_FILE):
        flipped = bytearray(data)
        for _ in range(chance.choice([1, 1, 1, 3])):
            flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        yield bytes(flipped)


def test_flipped_bits_are_refused(written, request):
    store, expected = written
    chance, refused, tried = random.Random(request.node.name), 0, 0
    for path in files_of(store):
        for flipped in flips_of(path.read_bytes(), chance):
            for _ in damaged(path, flipped):
                refused += is_refused(store, expected)
                tried += 1
    assert tried >= 20
    assert refused > 0.9 * tried


@pytest.mark.parametrize(
    "cut", [lambda data: data[: len(data) // 2], lambda _: b"", lambda _: b"{"]
)
def test_halved_emptied_and_overwritten_files_are_refused(written, cut):
    store, expected = written
    for path in files_of(store):
        for _ in damaged(path, cut(path.read_bytes())):
            assert is_refused(store, expected), path


def test_deleted_files_are_refused(written):
    store, expected = written
    for path in files_of(store):
        if path.name == "run-0.json":  # as if the run had written nothing
            continue
        for _ in damaged(path, None):
            assert is_refused(store, expected) or path.name == "run-1.json", path


def test_swapped_files_are_refused(written):
    store, expected = written
    files = files_of(store)
    for one, other in [*pairwise(files), *zip(files, files[2:], strict=False)]:
        if one.read_bytes() == other.read_bytes():
            continue
        for _ in damaged(one, other.read_bytes()):
            assert is_refused(store, expected), (one, other)


def test_swapped_values_are_refused(written):
    store, expected = written
    one, other = (store.folder(KEY) / store.find(KEY, [f"run-{number}"]) for number in (0, 1))
    one.rename(one.with_name("aside"))
    other.rename(one)
    (one.with_name("aside")).rename(other)
    assert is_refused(store, expected)


def test_files_of_another_asset_are_refused(written):
    store, expected = written
    shutil.copytree(store.folder(KEY), store.folder(("dp", "splits")))
    with pytest.raises(StorageError, match="materialize dp/splits again"):
        store.read(("dp", "splits"))
    assert not is_refused(store, expected)


def test_a_damaged_value_is_replaced_by_materializing_it_again(written):
    store, _ = written
    for path in files_of(store):
        path.write_bytes(b"damaged")
    for number in range(4):
        store.write(KEY, f"again-{number}", number, Label("v"))
        store.prune(KEY)
    assert store.read(KEY, ["again-3"]).value == 3


def test_values_of_earlier_versions_have_no_digests_and_are_read(written):
    """Their records have neither `files` nor a digest, and their pointers a value only."""
    store, expected = written
    for path in files_of(store):
        if path.suffix == ".json":
            content = json.loads(path.read_bytes())
            for name in ("digest", "files", "pandas"):
                content.pop(name, None)
            path.write_text(json.dumps(content))
    assert not is_refused(store, expected)
    chance = random.Random(7)
    for path in files_of(store):
        for flipped in islice(flips_of(path.read_bytes(), chance), 1):
            for _ in damaged(path, flipped):
                with suppress(StorageError):
                    store.read(KEY)
