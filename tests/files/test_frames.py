import datetime
import decimal
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import pandas as hp
from upath import UPath

from xingu.errors import StorageError
from xingu.files.digest import digest_of_bytes
from xingu.files.frames import Layout, read_frame, write_frame

pytestmark = pytest.mark.filterwarnings("error")

LAYOUTS: list[Layout] = ["open", "fast"]
BERLIN = "Europe/Berlin"
UNITS = ("s", "ms", "us", "ns")
HOURS = pd.date_range("2024-03-30", periods=3, freq="h", tz=BERLIN, unit="us")

# What a column may be, by name: each makes a column of three rows.
COLUMNS = {
    **{dtype: pd.array([1, 0, 1], dtype=dtype) for dtype in ("int8", "uint64", "Int64", "Float32")},
    "missing Int64": pd.array([2**62 + 1, None, 0], dtype="Int64"),
    "missing Float64": pd.array([0.5, None, -0.0], dtype="Float64"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "bool": np.array([True, False, True]),
    "floats": np.array([np.nan, -np.inf, 5e-324]),
    "float16": np.array([np.nan, 1, 2], dtype="float16"),
    "str": pd.array(["ä", None, ""], dtype="str"),
    "string": pd.array(["ä", pd.NA, ""], dtype="string"),
    "string of python": pd.array(["ä", pd.NA, ""], dtype="string[python]"),
    "arrow ints": pd.array([1, None, 3], dtype="int32[pyarrow]"),
    "arrow NaN is no null": pd.arrays.ArrowExtensionArray(pa.array([np.nan, None, 1.0])),
    "arrow lists": pd.array([[1], None, []], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
    "arrow seconds": pd.array([1, None, 3], dtype=pd.ArrowDtype(pa.timestamp("s"))),
    **{f"times in {unit}": HOURS.tz_localize(None).as_unit(unit) for unit in UNITS},
    **{f"durations in {unit}": (HOURS - HOURS[0]).as_unit(unit) for unit in UNITS},
    "times in a zone": HOURS,
    "times with an offset": HOURS.tz_convert("+05:30"),
    "missing times": pd.to_datetime(["2024-01-01", None, "1700-01-01"]),
    "categories": pd.Categorical(["b", None, "a"], categories=["c", "b", "a"]),
    "ordered categories": pd.Categorical(["b", "b", "a"], categories=["b", "a"], ordered=True),
    "no category in use": pd.Categorical([None] * 3, categories=["b", "a"]),
    "numbers as categories": pd.Categorical([3, None, 1], categories=[3, 2, 1]),
    "times as categories": pd.Categorical(HOURS[[2, 0, 0]]),
    "bins": pd.cut([1, 5, 9], [0, 3, 6, 10]),
    "periods": pd.period_range("2024-01", periods=3, freq="M"),
    "intervals": pd.interval_range(0, 3, closed="left"),
    "sparse": pd.arrays.SparseArray([0, 0, 1]),
    "complex": np.array([1 + 2j, np.nan, 0]),
    "strings as objects": np.array(["a", None, np.nan], dtype=object),
    "numbers as objects": np.array([1, 2.5, True], dtype=object),
    "lists, tuples, sets": pd.Series([[1], (2,), {3}], dtype=object),
    "dicts": pd.Series([{"b": 1, "a": None}, {}, {"c": {}}], dtype=object),
    "decimals": np.array([decimal.Decimal("1.10"), None, decimal.Decimal(2)], dtype=object),
}
NOT_ASSIGNABLE = ("sparse", "arrow lists", "lists, tuples, sets", "dicts")
INDEXES = {
    "range": pd.RangeIndex(3),
    "range with step and name": pd.RangeIndex(10, 4, -2, name="row"),
    "int": pd.Index([7, 7, -1]),
    "named str": pd.Index(["x", "y", None], name="id"),
    "name of a column": pd.Index([3, 2, 1], name="x"),
    "name of a number": pd.Index([3, 2, 1], name=5),
    "float": pd.Index([0.5, np.nan, 1]),
    "bool": pd.Index([True, False, True]),
    "times": pd.DatetimeIndex(["2024-01-01", "2023-01-01", None], name="t"),
    "hours in a zone": HOURS,
    "days": pd.date_range("2024-01-01", periods=3, freq="D", unit="s"),
    "durations": pd.timedelta_range("1h", periods=3, freq="h"),
    "categories": pd.CategoricalIndex(["b", "a", "b"], categories=["c", "b", "a"], ordered=True),
    "periods": pd.period_range("2024Q1", periods=3, freq="Q"),
    "intervals": pd.interval_range(0, 3),
    "objects": pd.Index([1, "a", None], dtype=object),
    "multi": pd.MultiIndex.from_tuples([("a", 1), ("b", None), ("a", 2)], names=["k", None]),
    "multi of categories": pd.MultiIndex.from_arrays(
        [pd.Categorical(["b", "a", "b"], categories=["c", "b", "a"]), HOURS], names=["k", "t"]
    ),
}
LABELS = {
    "strings": pd.Index(["x", "b.c"], name=None),
    "strings as objects": pd.Index(["x", "y"], dtype=object),
    "ints": pd.Index([1, 0]),
    "range": pd.RangeIndex(2),
    "mixed": pd.Index(["x", 1], dtype=object),
    "None": pd.Index(["x", None], dtype=object),
    "tuples": pd.Index([("x", 1), ("y", 2)], tupleize_cols=False),
    "multi": pd.MultiIndex.from_tuples([("x", 1), ("x", 2)], names=["a", "b"]),
    "doubles": pd.Index(["x", "x"]),
    "times": HOURS[:2],
    "categories": pd.CategoricalIndex(["y", "x"]),
    "named": pd.Index(["x", "y"], name="feature"),
    "named by a number": pd.Index(["x", "y"], name=5),
    "what Arrow calls indexes": pd.Index(["__index_level_0__", "index"]),
}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


class Readings(pd.DataFrame):
    """A frame of somebody's own."""


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return request.param


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("rows", [3, 1, 0])
def test_every_kind_of_column_comes_back(tmp_path, layout, column, rows):
    frame = pd.DataFrame({"before": [1.5, np.nan, 0], column: COLUMNS[column]}).iloc[:rows]
    _assert_comes_back(frame, tmp_path, layout)


@pytest.mark.parametrize("index", INDEXES)
def test_every_kind_of_index_comes_back(tmp_path, layout, index):
    _assert_comes_back(pd.DataFrame({"x": [1, 2, 3]}, index=INDEXES[index]), tmp_path, layout)


@pytest.mark.parametrize("labels", LABELS)
def test_every_kind_of_column_name_comes_back(tmp_path, layout, labels):
    frame = pd.DataFrame([[1, 2.5], [3, 4.5]], index=[5, 6])
    frame.columns = LABELS[labels]
    _assert_comes_back(frame, tmp_path, layout)


@pytest.mark.parametrize(
    "attrs",
    [{"unit": "min", "limits": [1, None, 2.5]}, {"pair": (1, 2)}, {1: "a"}, {"when": HOURS[0]}],
)
def test_attributes_come_back(tmp_path, layout, attrs):
    frame = pd.DataFrame({"x": [1, 2]})
    frame.attrs = attrs
    back = _assert_comes_back(frame, tmp_path, layout)
    assert repr(back.attrs) == repr(attrs)


@pytest.mark.parametrize("rows", [0, 3])
def test_a_frame_without_columns_comes_back(tmp_path, layout, rows):
    _assert_comes_back(pd.DataFrame(index=pd.RangeIndex(rows)), tmp_path, layout)
    _assert_comes_back(pd.DataFrame(index=pd.Index([9] * rows)), tmp_path, layout)


def test_more_categories_than_a_parquet_dictionary_holds_come_back(tmp_path):
    names = [f"{'x' * 20}{number}" for number in reversed(range(100_000))]
    codes = np.arange(1_050_000) % 99_999  # more than one row group
    frame = pd.DataFrame({"c": pd.Categorical.from_codes(codes, names)})
    back = _read_back(frame, tmp_path, "open")
    assert back["c"].dtype.categories.equals(frame["c"].dtype.categories)
    assert (back["c"].cat.codes == codes).all()


def columns_of_any_kind(index):
    """Columns whose first row tells nothing of the others."""
    size = len(index)
    texts, moments = st.none() | TEXTS, st.none() | st.datetimes()
    durations = st.timedeltas(datetime.timedelta(days=-(10**5)), datetime.timedelta(days=10**5))

    def of(cells, dtype):
        return st.lists(cells, min_size=size, max_size=size).map(
            lambda values: pd.Series(pd.array(values, dtype=dtype), index=index)
        )

    def categories(names):
        names = st.lists(names, min_size=1, max_size=4, unique=True)
        return names.flatmap(lambda some: of(st.none() | st.sampled_from(some), _category(some)))

    return st.one_of(
        hp.series(dtype=float, index=st.just(index)),
        hp.series(dtype="float32", index=st.just(index)),
        hp.series(dtype="int64", index=st.just(index)),
        hp.series(dtype=bool, index=st.just(index)),
        of(texts, "str"),
        of(texts, "string"),
        of(st.none() | st.integers(-(2**63), 2**63 - 1), "Int64"),
        of(st.none() | st.booleans(), "boolean"),
        of(moments, "datetime64[us]"),
        of(moments, "datetime64[us, Europe/Berlin]"),
        of(st.none() | durations, "timedelta64[us]"),
        of(st.none() | st.floats() | st.text(max_size=2) | st.tuples(st.booleans()), object),
        categories(TEXTS),
        categories(st.integers(-5, 5)),
    )


def indexes_of_any_kind():
    few, names = st.integers(0, 8), st.none() | st.sampled_from(["id", "x", ""])
    freqs = st.sampled_from(["h", "D", "MS"])
    pairs = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), min_size=1, max_size=8)
    letters = st.lists(st.sampled_from("abc"), max_size=8)
    return st.one_of(
        st.builds(lambda size, name: pd.RangeIndex(3, 3 + 2 * size, 2, name=name), few, names),
        st.builds(_times, few, freqs, names),
        hp.indexes(dtype=int, max_size=8, unique=False),
        hp.indexes(dtype=float, max_size=8, unique=False),
        letters.map(lambda rows: pd.Index(rows, dtype="str")),
        letters.map(lambda rows: pd.CategoricalIndex(rows, categories=list("cba"))),
        pairs.map(lambda rows: pd.MultiIndex.from_tuples(rows, names=["n", None])),
    )


@st.composite
def frames(draw):
    index = draw(indexes_of_any_kind())
    columns = draw(st.lists(columns_of_any_kind(index), max_size=4))
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=index)
    frame.index = index
    names = TEXTS | st.sampled_from(["x", "id", "__index_level_0__"])
    names |= draw(st.sampled_from([st.nothing(), st.integers(0, 9), st.none()]))
    frame.columns = pd.Index(draw(st.lists(names, min_size=len(columns), max_size=len(columns))))
    frame.columns.name = draw(st.sampled_from([None, "feature", 5]))
    frame.attrs = draw(st.dictionaries(st.text(max_size=2), st.none() | st.booleans(), max_size=2))
    return frame


@settings(
    max_examples=100,  # each is written anew, so sharing the folder does not matter
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(frame=frames())
def test_any_frame_comes_back(tmp_path, frame):
    for layout in LAYOUTS:
        _assert_comes_back(frame, tmp_path, layout)


@pytest.mark.parametrize("column", [name for name in COLUMNS if name not in NOT_ASSIGNABLE])
def test_a_frame_that_was_read_may_be_changed(tmp_path, layout, column):
    frame = pd.DataFrame({column: COLUMNS[column]})
    back = _read_back(frame, tmp_path, layout)
    back.loc[0, column] = frame.loc[2, column]
    expected = frame.iloc[[2, 1, 2]].reset_index(drop=True)
    pd.testing.assert_frame_equal(back, expected)
    pd.testing.assert_frame_equal(read_frame(next(UPath(tmp_path).iterdir())), frame)


def test_a_frame_of_read_only_memory_may_be_changed_once_it_was_stored(tmp_path, layout):
    buffer = pa.py_buffer(np.arange(4.0).tobytes())
    column = pa.Array.from_buffers(pa.float64(), 4, [None, buffer])
    frame = pa.table({"x": column}).to_pandas(split_blocks=True)
    with pytest.raises(ValueError, match="read-only"):
        frame.loc[0, "x"] = 9.0
    back = _read_back(frame, tmp_path, layout)
    back.loc[0, "x"] = 9.0
    assert back["x"].tolist() == [9, 1, 2, 3]


def test_a_plain_frame_in_the_open_layout_is_read_by_other_tools(tmp_path):
    frame = pd.DataFrame(
        {"x": [0.5, np.nan], "n": [1, 2], "city": ["Belém", "Tefé"]}, index=pd.Index([7, 8])
    )
    frame["kind"] = pd.Categorical(["a", "b"])
    written = write_frame(frame, UPath(tmp_path), "rows", "open")
    assert written.file == "rows.parquet"
    rows = duckdb.read_parquet(str(tmp_path / written.file)).fetchall()
    assert [row[:4] for row in rows] == [(0.5, 1, "Belém", "a"), (None, 2, "Tefé", "b")]


def test_a_subclass_of_frames_comes_back(tmp_path, layout):
    assert type(_read_back(Readings({"x": [1, 2]}), tmp_path, layout)) is Readings


def test_the_suffix_tells_a_frame_that_parquet_would_change(tmp_path):
    changed = pd.DataFrame({"x": [1, 2]}, index=HOURS[:2])
    assert write_frame(changed, UPath(tmp_path), "rows", "open").file == "rows.pkl"


def test_part_of_a_column_of_strings_takes_only_the_space_of_that_part(tmp_path, layout):
    frame = pd.DataFrame({"s": [f"name {number}" for number in range(50_000)]})
    assert write_frame(frame.iloc[:10], UPath(tmp_path), "rows", layout).bytes < 10_000


def test_the_size_and_digest_are_those_of_the_file(tmp_path, layout):
    written = write_frame(_mixed(), UPath(tmp_path), "rows", layout)
    data = (tmp_path / written.file).read_bytes()
    assert (written.bytes, written.digest) == (len(data), digest_of_bytes(data))


def test_the_same_frame_has_the_same_digest_in_another_process(tmp_path):
    program = (
        "import sys; from upath import UPath; from tests.files import test_frames\n"
        "print(*test_frames._digests(UPath(sys.argv[1])))"
    )
    there = subprocess.check_output(
        [sys.executable, "-c", program, tmp_path],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        text=True,
    )
    here = _digests(UPath(tmp_path))
    assert there.split() == here
    assert len(set(here)) == 3  # what parquet cannot hold is a pickle in both layouts


def test_the_digest_of_parquet_does_not_depend_on_how_a_frame_was_put_together(tmp_path):
    whole = _mixed()
    parts = pd.concat([whole.iloc[:40], whole.iloc[40:]])
    digests = {
        write_frame(frame, UPath(tmp_path), "rows", "open").digest
        for frame in (whole, parts, whole.copy(), whole[whole.columns])
    }
    assert len(digests) == 1


def test_frames_come_back_from_memory_and_s3(s3_url, layout):
    for root in ("memory://", s3_url):
        _assert_comes_back(_mixed(), UPath(root) / "frames", layout)


def test_a_cell_that_cannot_be_stored_is_said_with_its_column(tmp_path, layout):
    frame = pd.DataFrame({"x": [1], "lock": [threading.Lock()]})
    with pytest.raises(StorageError, match=r"rows.pkl: a cell of the columns \['lock'\] cannot"):
        write_frame(frame, UPath(tmp_path), "rows", layout)


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path, layout, keep):
    path = UPath(tmp_path) / write_frame(_mixed(), UPath(tmp_path), "rows", layout).file
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises(StorageError, match=r"rows\.\w+ is damaged \("):
        read_frame(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    for name in ("rows.parquet", "rows.pkl"):
        with pytest.raises(FileNotFoundError):
            read_frame(UPath(tmp_path) / name)


def _assert_comes_back(frame: pd.DataFrame, folder: Path | UPath, layout: Layout) -> pd.DataFrame:
    before = pickle.loads(pickle.dumps(frame))
    back = _read_back(frame, folder, layout)
    for seen in (back, frame):
        pd.testing.assert_frame_equal(
            seen, before, check_index_type=True, check_column_type=True, check_exact=True
        )
        assert [_kinds(column) for _, column in seen.items()] == [
            _kinds(column) for _, column in before.items()
        ]
        assert seen.attrs == before.attrs
    return back


def _read_back(frame: pd.DataFrame, folder: Path | UPath, layout: Layout) -> pd.DataFrame:
    return read_frame(UPath(folder) / write_frame(frame, UPath(folder), "frame", layout).file)


def _kinds(column: pd.Series) -> list[object]:
    """Tell apart what compares as equal: None from NaN, a list from a tuple, True from 1."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [column.cat.categories.dtype, list(column.cat.codes), column.cat.ordered]
    if column.dtype == object:
        return [type(cell) for cell in column]
    return [column.dtype, list(column.isna())]


def _digests(folder: UPath) -> list[str | None]:
    """Return the digest of a plain frame and of one with objects, in each layout."""
    return [
        write_frame(_mixed(objects=objects), folder, "rows", layout).digest
        for objects in (False, True)
        for layout in LAYOUTS
    ]


def _times(size, freq, name):
    return pd.date_range("2024-03-30", periods=size, freq=freq, tz=BERLIN, unit="us", name=name)


def _category(names):
    return pd.CategoricalDtype(names, ordered=len(names) % 2 == 0)


def _mixed(*, objects: bool = False) -> pd.DataFrame:
    """Return 100 rows of numbers, strings, categories and times, the same ones each time."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=100), "n": random.integers(0, 9, 100)})
    frame["s"] = [f"name {number}" for number in frame["n"]]
    frame["c"] = frame["s"].astype("category")
    frame["t"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["n"], unit="h")
    frame.loc[::7, ["x", "s", "c", "t"]] = None
    if objects:
        frame["o"] = frame["s"].astype(object)
        frame["d"] = [
            {"n": number, "s": text} for number, text in zip(frame.n, frame.s, strict=True)
        ]
    return frame
