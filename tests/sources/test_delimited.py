"""CSV and TXT files: no value moves to another column or changes."""

import gzip

import pandas as pd
import pytest

from tests.support.files import read
from xingu.errors import SourceError

TRAILING = "id,area,price\n0,20,1000,\n1,21,2000,\n"
LABELLED = "area,price\nr1,20,1000\nr2,21,2000\n"
REASON = "the lines have more fields than the header"


def write(home, text, name="f.csv"):
    (home / name).write_bytes(gzip.compress(text.encode()) if ".gz" in name else text.encode())
    return name


@pytest.mark.parametrize("text", [TRAILING, TRAILING.replace(",\n", ",x\n"), LABELLED])
@pytest.mark.parametrize(
    ("name", "delimiter", "params"),
    [
        ("f.csv", ",", {}),
        ("f.csv", ";", {"sep": ";"}),
        ("f.csv", "|", {"delimiter": "|"}),
        ("f.txt", "\t", {}),
        ("f.csv.gz", ",", {}),
        ("f.csv", ",", {"engine": "python"}),
        ("f.csv", ",", {"engine": "pyarrow"}),
        ("f.csv", ",", {"chunksize": 1}),
        ("f.csv", ",", {"iterator": True}),
        ("f.csv", ",", {"dtype": {"area": float}}),
        ("f.csv", ",", {"usecols": ["area"]}),
        ("f.csv", ",", {"usecols": [0, 1]}),
        ("f.csv", ",", {"na_values": ["x", ""]}),
        ("f.csv", ",", {"header": 0, "names": ["a"]}),
        ("f.csv", ",", {"on_bad_lines": "skip"}),
        ("f.csv", ",", {"skipfooter": 1, "engine": "python"}),
    ],
)
def test_lines_with_more_fields_than_the_header_are_refused(
    tmp_path, text, name, delimiter, params
):
    header, _, lines = text.partition("\n")
    text = header.replace(",", delimiter) + "\n" + lines.replace(",", delimiter)
    with pytest.raises(SourceError) as caught:
        read(tmp_path, write(tmp_path, text, name), **params)
    if params.get("engine") != "pyarrow":  # which has words of its own
        assert REASON in str(caught.value)
        assert "'index_col': False if the lines end with a delimiter" in str(caught.value)


def test_a_header_below_other_lines_is_compared_too(tmp_path):
    name = write(tmp_path, f"# made by hand\n\n{TRAILING}")
    with pytest.raises(SourceError, match=REASON):
        read(tmp_path, name, comment="#")
    with pytest.raises(SourceError, match=REASON):
        read(tmp_path, name, skiprows=2)


def test_fewer_names_than_fields_are_refused_unless_the_columns_are_chosen(tmp_path):
    name = write(tmp_path, "1,2,3\n4,5,6\n")
    with pytest.raises(SourceError, match=REASON):
        read(tmp_path, name, names=["a", "b"])
    frame = read(tmp_path, name, names=["a", "b"], usecols=[0, 2])
    assert frame.to_dict("list") == {"a": [1, 4], "b": [3, 6]}


def test_the_index_may_be_declared_for_lines_that_end_with_a_delimiter(tmp_path):
    frame = read(tmp_path, write(tmp_path, TRAILING), index_col=False)
    assert frame.to_dict("list") == {"id": [0, 1], "area": [20, 21], "price": [1000, 2000]}


def test_the_index_may_be_declared_for_lines_with_a_label(tmp_path):
    frame = read(tmp_path, write(tmp_path, LABELLED), index_col=0)
    assert frame.to_dict() == {"area": {"r1": 20, "r2": 21}, "price": {"r1": 1000, "r2": 2000}}


def test_a_declared_index_does_not_hide_that_lines_end_with_a_delimiter(tmp_path):
    for index in (0, [0], "id"):
        with pytest.raises(SourceError, match=REASON):
            read(tmp_path, write(tmp_path, TRAILING), index_col=index)


def test_a_declared_index_does_not_hide_that_two_fields_have_no_name(tmp_path):
    with pytest.raises(SourceError, match=REASON):
        read(tmp_path, write(tmp_path, "area,price\nr1,x,20,1000\n"), index_col=0)


def test_every_field_may_be_named(tmp_path):
    names = ["id", "area", "price", "empty"]
    frame = read(tmp_path, write(tmp_path, TRAILING), header=0, names=names, usecols=names[:3])
    assert frame.to_dict("list") == {"id": [0, 1], "area": [20, 21], "price": [1000, 2000]}


@pytest.mark.parametrize("index", [None, 0, "id", ["id", "area"]])
def test_an_index_of_the_header_is_what_pandas_makes_of_it(tmp_path, index):
    name = write(tmp_path, TRAILING.replace(",\n", "\n"))
    expected = pd.read_csv(tmp_path / name, index_col=index)
    pd.testing.assert_frame_equal(read(tmp_path, name, index_col=index), expected)


@pytest.mark.parametrize("text", ["id,area\n", "id,area", "id,area\n1\n2,3\n", "id\n1\n"])
def test_files_without_rows_or_with_short_lines_are_what_pandas_makes_of_them(tmp_path, text):
    name = write(tmp_path, text)
    pd.testing.assert_frame_equal(read(tmp_path, name), pd.read_csv(tmp_path / name))


def test_a_column_has_one_type_however_long_the_file(tmp_path):
    codes = [*map(str, range(300_000)), "9A9"]
    name = write(tmp_path, "code,b\n" + "".join(f"{code},1\n" for code in codes))
    assert read(tmp_path, name)["code"].tolist() == codes


def test_integers_among_missing_cells_are_not_rounded(tmp_path):
    key = 305184080441754001
    name = write(tmp_path, f"key,share,few\n{key},1e300,1\n,,\n{key + 1},0.5,2\n")
    frame = read(tmp_path, name)
    assert frame["key"].dropna().tolist() == [key, key + 1]
    assert frame["key"].isna().tolist() == [False, True, False]
    assert frame.dtypes.astype(str).tolist() == ["Int64", "float64", "float64"]


def test_all_rows_are_read_whatever_params_say_about_chunks(tmp_path):
    name = write(tmp_path, "a\n1\n2\n3\n")
    assert read(tmp_path, name, chunksize=2)["a"].tolist() == [1, 2, 3]
    assert read(tmp_path, name, iterator=True)["a"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_gives_the_encoding(tmp_path, encoding):
    (tmp_path / "f.txt").write_bytes("größe\tb\n1\t2\n".encode(encoding))
    assert read(tmp_path, "f.txt").to_dict("list") == {"größe": [1], "b": [2]}


def test_a_name_that_the_header_repeats_is_warned_of(tmp_path, caplog):
    name = write(tmp_path, "size,price,size,x.1,x\n1,2,3,4,5\n")
    assert read(tmp_path, name).columns.tolist() == ["size", "price", "size.1", "x.1", "x"]
    assert caplog.messages == [
        "delay: source 's': f.csv: the header has 'size' more than once; pandas calls the others "
        "'size.1'."
    ]
