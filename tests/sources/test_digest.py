"""The content hash of frames."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xingu.sources import frame_digest

MAKE = """
import datetime as dt, numpy as np, pandas as pd
FRAME = pd.DataFrame({
    "i": [1, 2, 3], "f": [0.5, None, -1.0], "b": [True, False, True], "s": ["x", None, "ção"],
    "c": pd.Categorical(["u", "v", "u"]), "t": pd.to_datetime(["2024-01-01", None, "2024-01-03"]),
    "z": pd.to_datetime(["2024-01-01", None, "2024-01-03"], utc=True),
    "n": pd.array([1, None, 3], dtype="Int64"), "d": [dt.date(2024, 1, 2), None, None],
    "set": [{"a", "b", "c", "d"}, None, set()], "json": [{"k": [1, {"l": "ü"}]}, [], 5],
    "mixed": [1, "1", 1.0], "array": [np.arange(3), np.arange(2), np.array(["x"], dtype=object)],
}, index=pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (2, "a")], names=["p", "q"]))
"""


def make_frame() -> pd.DataFrame:
    place: dict[str, pd.DataFrame] = {}
    exec(MAKE, place)
    return place["FRAME"]


def test_equal_frames_have_equal_digests():
    assert frame_digest(make_frame()) == frame_digest(make_frame())


def test_the_digest_is_the_same_in_every_process():
    code = MAKE + "\nfrom xingu.sources import frame_digest; print(frame_digest(FRAME))"
    home = Path(__file__).parents[2]
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            *(),
            cwd=home,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {frame_digest(make_frame())}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": [1, 2]}, {"b": [1, 2]}),
        ({"a": [1, 2]}, {"a": [1.0, 2.0]}),
        ({"a": pd.array([0, None], "Int64")}, {"a": pd.array([0, 0], "Int64")}),
        ({"a": pd.array([2**53, None], "Int64")}, {"a": pd.array([2**53 + 1, None], "Int64")}),
        ({"a": ["ab", "c"]}, {"a": ["a", "bc"]}),
        ({"a": ["", None]}, {"a": [None, ""]}),
        ({"a": [1, "1"]}, {"a": ["1", 1]}),
        ({"a": [True, 1, None]}, {"a": [1, True, None]}),
        ({"a": [(1, 2), 0]}, {"a": [[1, 2], 0]}),
        ({"a": [{"k": 1}, 0]}, {"a": [{"k": 2}, 0]}),
        ({"a": [b"ab", b"c"]}, {"a": [b"a", b"bc"]}),
        ({"a": [1], "b": [2]}, {"b": [2], "a": [1]}),
        ({"a": pd.Categorical(["x", "y"])}, {"a": pd.Categorical(["y", "x"])}),
        ({"a": pd.Categorical(["x"], ["x", "y"])}, {"a": pd.Categorical(["x"], ["x", "z"])}),
        ({"a": pd.to_datetime(["2024"])}, {"a": pd.to_datetime(["2024"], utc=True)}),
        ({"a": [dt.date(2024, 1, 1)]}, {"a": [dt.date(2024, 1, 2)]}),
    ],
)
def test_another_value_type_name_or_order_is_another_digest(one, other):
    assert frame_digest(pd.DataFrame(one)) != frame_digest(pd.DataFrame(other))


def test_the_index_and_its_name_count():
    frame = pd.DataFrame({"a": [1, 2]})
    digests = {
        frame_digest(frame.set_axis(index))
        for index in (pd.Index([0, 1]), pd.Index([1, 0]), pd.Index([0, 1], name="id"))
    }
    assert len(digests) == 3


def test_a_range_and_the_same_numbers_are_the_same_index():
    frame = pd.DataFrame({"a": [1, 2]})
    assert frame_digest(frame) == frame_digest(frame.set_axis(pd.Index([0, 1])))


def test_memory_layout_and_kinds_of_nan_do_not_count():
    table = np.arange(12.0).reshape(4, 3)
    table[1, 1] = np.nan
    other = table.copy()
    other.view(np.uint64)[1, 1] ^= np.uint64(1 << 63)
    assert np.isnan(other[1, 1])
    names = list("abc")
    by_rows = pd.DataFrame(np.ascontiguousarray(table), columns=names)
    by_columns = pd.DataFrame(np.asfortranarray(other), columns=names)
    assert frame_digest(by_rows) == frame_digest(by_columns)


def test_part_of_a_frame_is_hashed_as_that_part():
    frame = pd.DataFrame({"s": ["a", "bb", None, "dd"], "i": range(4)})
    part = frame.iloc[1:3].reset_index(drop=True)
    assert frame_digest(part) == frame_digest(pd.DataFrame({"s": ["bb", None], "i": [1, 2]}))


def test_empty_frames_have_digests():
    frames = [pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame({"a": []}, dtype=object)]
    assert len({frame_digest(frame) for frame in frames}) == 3


def test_halves_of_surrogates_can_be_hashed():
    assert frame_digest(pd.DataFrame({"a": pd.Series(["\ud800"], dtype=object)}))
