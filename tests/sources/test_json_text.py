"""JSON and JSON lines: every value is what the file says."""

import json

import pandas as pd
import pytest

from tests.support.files import read
from xingu.errors import SourceError

BIG = 305184080441754001
ROWS = [
    {"zip": "01234", "phone": "+491", "grade": "1e5", "day": "2024-01-02", "created_at": 17},
    {"zip": "04567", "phone": "+492", "grade": "2E3", "day": "2024-01-03", "created_at": 18},
]


def write(home, rows, name, encoding="utf-8"):
    lines = name.startswith("f.jsonl")
    text = "\n".join(map(json.dumps, rows)) + "\n" if lines else json.dumps(rows)
    (home / name).write_bytes(text.encode(encoding))
    return name


@pytest.fixture(params=["f.json", "f.jsonl"])
def name(request) -> str:
    return request.param


def test_texts_stay_texts_and_numbers_stay_numbers(tmp_path, name):
    frame = read(tmp_path, write(tmp_path, ROWS, name))
    assert frame.to_dict("records") == ROWS
    assert frame["created_at"].dtype == "int64"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_the_encoding_is_detected(tmp_path, name, encoding):
    assert read(tmp_path, write(tmp_path, ROWS, name, encoding)).to_dict("records") == ROWS


def test_an_encoding_may_be_declared(tmp_path, name):
    rows = [{"a": "größe"}]
    text = json.dumps(rows if name == "f.json" else rows[0], ensure_ascii=False)
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    assert read(tmp_path, name, encoding="latin-1").to_dict("records") == rows


def test_numbers_are_exact(tmp_path, name):
    rows = [{"a": BIG, "b": BIG, "c": 2**64, "d": 0.1 + 0.2}, {"a": BIG + 1, "c": 1, "d": 1e-300}]
    frame = read(tmp_path, write(tmp_path, rows, name))
    assert frame["a"].tolist() == [BIG, BIG + 1]
    assert (frame["b"].dtype, frame["b"][0]) == ("Int64", BIG)
    assert frame["c"].tolist() == [2**64, 1]
    assert frame["d"].tolist() == [0.1 + 0.2, 1e-300]


def test_a_wide_integer_among_fractions_is_not_rounded(tmp_path, name):
    rows = [{"a": 2**53 + 1}, {"a": 0.5}]
    assert read(tmp_path, write(tmp_path, rows, name))["a"].tolist() == [2**53 + 1, 0.5]


def test_missing_cells_are_missing(tmp_path, name):
    rows = [{"n": 1, "t": "x", "f": True, "z": None}, {"n": None, "t": None, "f": None}]
    frame = read(tmp_path, write(tmp_path, rows, name))
    assert frame.isna().to_numpy().tolist() == [[False, False, False, True], [True] * 4]
    assert frame["n"].dtype == frame["z"].dtype == "float64"


def test_nested_values_are_kept(tmp_path, name):
    rows = [{"a": {"b": ["01", 2]}}, {"a": {"b": []}}]
    assert read(tmp_path, write(tmp_path, rows, name))["a"].tolist() == [row["a"] for row in rows]


def test_a_line_break_of_unicode_ends_no_line(tmp_path):
    (tmp_path / "f.jsonl").write_text('{"a": "x\u2028y"}\r\n\r\n{"a": "z"}', encoding="utf-8")
    assert read(tmp_path, "f.jsonl")["a"].tolist() == ["x\u2028y", "z"]


@pytest.mark.parametrize("orient", ["columns", "records", "index", "split", "values", "table"])
def test_every_orient_of_pandas_is_read(tmp_path, orient):
    frame = pd.DataFrame({"a": [1, 2], "b": ["01", "x"]}, index=[5, 7])
    frame.to_json(tmp_path / "f.json", orient=orient)
    found = read(tmp_path, "f.json", orient=orient)
    if orient in ("records", "values"):
        frame = frame.reset_index(drop=True)
    if orient == "values":
        frame.columns = [0, 1]
    pd.testing.assert_frame_equal(found, frame, check_names=False)


def test_a_split_may_have_no_index(tmp_path):
    frame = pd.DataFrame({"a": [1], "b": ["01"]}, index=[5])
    frame.to_json(tmp_path / "f.json", orient="split", index=False)
    found = read(tmp_path, "f.json", orient="split")
    pd.testing.assert_frame_equal(found, frame.reset_index(drop=True))


def test_lists_by_column_are_columns(tmp_path):
    (tmp_path / "f.json").write_text('{"zip": ["01", "02"], "2020": [1, 2]}')
    assert read(tmp_path, "f.json").to_dict("list") == {"zip": ["01", "02"], "2020": [1, 2]}


def test_row_labels_are_numbers_only_if_they_are_written_so(tmp_path):
    (tmp_path / "f.json").write_text('{"a": {"007": 1, "8": 2}}')
    assert read(tmp_path, "f.json")["a"].to_dict() == {"007": 1, "8": 2}
    (tmp_path / "f.json").write_text('{"a": {"7": 1, "8": 2}}')
    assert read(tmp_path, "f.json")["a"].to_dict() == {7: 1, 8: 2}


def test_params_may_ask_for_conversions(tmp_path, name):
    write(tmp_path, ROWS, name)
    frame = read(tmp_path, name, dtype={"grade": float}, convert_dates=["day"])
    assert frame["grade"].tolist() == [1e5, 2e3]
    assert frame["day"].tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03")]
    assert frame["zip"].tolist() == ["01234", "04567"]
    assert read(tmp_path, name, dtype=True)["zip"].tolist() == [1234, 4567]
    assert read(tmp_path, name, dtype=str)["created_at"].tolist() == ["17", "18"]


@pytest.mark.parametrize("size", [1, 10**3, 10**6, 10**9])
def test_declared_times_may_be_numbers_of_any_unit(tmp_path, name, size):
    write(tmp_path, [{"t": 1_700_000_000 * size, "u": 3}], name)
    frame = read(tmp_path, name, convert_dates=["t"])
    assert frame["t"].tolist() == [pd.Timestamp("2023-11-14 22:13:20")]
    frame = read(tmp_path, name, convert_dates=["u"], date_unit="ms")
    assert frame["u"].tolist() == [pd.Timestamp("1970-01-01 00:00:00.003")]


def test_the_number_of_lines_may_be_limited(tmp_path):
    write(tmp_path, ROWS, "f.jsonl")
    assert len(read(tmp_path, "f.jsonl", nrows=1)) == 1
    assert len(read(tmp_path, "f.jsonl", chunksize=1)) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1}', "it holds one object; a list of objects is needed"),
        ("3", "it holds a int; a list of objects is needed"),
        ('{"a": [1], "b": [1, 2]}', "its columns have different lengths"),
        ("[1, 2", "JSONDecodeError"),
        ('{"a": "x"}', "it holds one object"),
    ],
)
def test_another_form_is_an_error(tmp_path, text, words):
    (tmp_path / "f.json").write_text(text)
    with pytest.raises(SourceError, match=words):
        read(tmp_path, "f.json")


@pytest.mark.parametrize("text", ['{"a": 1\n"b": 2}', '{"a": 1}, {"a": 2}', '{"a": 1} {"a": 2}'])
def test_a_line_that_is_not_one_value_is_an_error(tmp_path, text):
    (tmp_path / "f.jsonl").write_text(text)
    with pytest.raises(SourceError, match="a line is not one JSON value|JSONDecodeError"):
        read(tmp_path, "f.jsonl")
