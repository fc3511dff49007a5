"""Folders and patterns: the same rows on the local disk and in object storage."""

import gzip
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.files import read, version
from xingu.errors import MissingFileError, SourceError
from xingu.sources import Databases, SourceCache, parse_sources, read_sources


class Storage:
    """A folder of a storage, in which files are written by fsspec."""

    def __init__(self, home: Path, root: str) -> None:
        self.home, self.root = home, root
        self.files, self.path = fsspec.url_to_fs(root or str(home))

    def write(self, name: str, data: dict[str, Any] | str | bytes) -> None:
        if isinstance(data, dict):
            frame = pd.DataFrame(data)
            data = frame.to_csv(index=False) if ".csv" in name else frame.to_parquet(index=False)
        content = data.encode() if isinstance(data, str) else data
        path = f"{self.path}/{name}"
        self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.files.pipe_file(path, gzip.compress(content) if name.endswith(".gz") else content)

    def url(self, name: str) -> str:
        return f"{self.root}/{name}" if self.root else name

    def read(self, name: str, **params: object) -> pd.DataFrame:
        return read(self.home, self.url(name), **params)

    def version(self, name: str, **params: object) -> str:
        return version(self.home, self.url(name), **params)


@pytest.fixture(params=["local", "s3"])
def storage(request, tmp_path) -> Storage:
    s3 = request.param == "s3"
    root = f"{request.getfixturevalue('s3_url')}/{tmp_path.name}" if s3 else ""
    return Storage(tmp_path, root)


@pytest.fixture
def sales(storage) -> Storage:
    for place, name in enumerate(
        ("1", "2", "eu/3", "eu/de/4", "eu/_draft", ".old/5", "_SUCCESS/x")
    ):
        for ending in ("csv", "parquet"):
            storage.write(f"{ending}/{name}.{ending}", {"n": [place], "t": [f"0{place}"]})
    return storage


@pytest.mark.parametrize("format_", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        ("", [0, 1, 2, 3]),
        ("/", [0, 1, 2, 3]),
        ("/*", [0, 1]),
        ("/*.{}", [0, 1]),
        ("/**/*.{}", [0, 1, 2, 3]),
        ("/**", [0, 1, 2, 3]),
        ("/*/*.{}", [2]),
        ("/e*/**/4.{}", [3]),
        ("/[12].{}", None),
        ("/?.{}", None),
        ("/eu/_*.{}", [4]),
        ("/1.{}", [0]),
        ("/no*.{}", None),
        ("/no", None),
    ],
)
def test_a_folder_or_pattern_is_the_rows_of_its_files(sales, format_, pattern, rows):
    url = format_ + pattern.format(format_)
    if rows is None:
        what = "matches no file" if "*" in url else "does not exist"
        with pytest.raises(MissingFileError, match=what):
            sales.read(url, format=format_)
    else:
        frame = sales.read(url, format=format_)
        assert frame["n"].tolist() == rows
        assert frame.index.tolist() == list(range(len(rows)))


def test_folders_of_every_format_may_be_compressed(storage):
    storage.write("a/1.csv.gz", {"n": [1]})
    storage.write("a/2.csv", {"n": [2]})
    storage.write("b/1.jsonl.gz", '{"n": 1}\n')
    storage.write("b/2.jsonl", '{"n": 2}\n')
    assert storage.read("a", format="csv")["n"].tolist() == [1, 2]
    assert storage.read("b/*", format="jsonl")["n"].tolist() == [1, 2]


def test_folders_of_parquet_files_called_key_and_value_are_columns(storage):
    for year in (2023, 2024):
        for part in (1, 2):
            storage.write(f"a=b/sales/year={year}/part={part}/f.parquet", {"n": [year + part]})
    frame = storage.read("a=b/sales", format="parquet")
    assert frame.astype(int).to_dict("list") == {
        "n": [2024, 2025, 2025, 2026],
        "year": [2023, 2023, 2024, 2024],
        "part": [1, 2, 1, 2],
    }
    chosen = storage.read(
        "a=b/sales/**/*.parquet", columns=["n", "part"], filters=[("year", "=", 2024)]
    )
    assert chosen.astype(int).to_dict("list") == {"n": [2025, 2026], "part": [1, 2]}


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_files_with_different_columns_are_refused(storage, format_):
    storage.write(f"a/1.{format_}", {"n": [1], "m": [1]})
    storage.write(f"a/2.{format_}", {"n": [1], "k": [1]})
    with pytest.raises(SourceError, match=r"1\.\w+ has 'm', 2\.\w+ has not"):
        storage.read("a", format=format_)
    choice = {"columns": ["n"]} if format_ == "parquet" else {"usecols": ["n"]}
    assert storage.read("a", format=format_, **choice)["n"].tolist() == [1, 1]


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_columns_are_matched_by_name(storage, format_):
    storage.write(f"a/1.{format_}", {"n": [1], "m": [2]})
    storage.write(f"a/2.{format_}", {"m": [4.5], "n": [3]})
    frame = storage.read("a", format=format_)
    assert frame.to_dict("list") == {"n": [1, 3], "m": [2, 4.5]}


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_column_of_text_here_and_numbers_there_is_refused(storage, format_):
    storage.write(f"a/1.{format_}", {"zip": [1234]})
    storage.write(f"a/2.{format_}", {"zip": ["9A9"]})
    with pytest.raises(SourceError, match="zip"):
        storage.read("a", format=format_)
    if format_ == "csv":
        assert storage.read("a", format="csv", dtype={"zip": "str"})["zip"].tolist() == [
            "1234",
            "9A9",
        ]


def test_a_column_may_be_empty_in_a_file(storage):
    storage.write("a/1.csv", {"t": ["x"], "n": [1], "f": [True]})
    storage.write("a/2.csv", {"t": [None], "n": [None], "f": [None]})
    frame = storage.read("a", format="csv")
    assert frame["t"].dropna().tolist() == ["x"]
    assert frame["n"].dropna().tolist() == [1]


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_integers_are_exact_or_refused(storage, format_):
    key = 305184080441754001
    storage.write(f"a/1.{format_}", {"k": [key]})
    storage.write(f"a/2.{format_}", {"k": [0.5]})
    with pytest.raises(SourceError, match=str(key) if format_ == "parquet" else "would be rounded"):
        storage.read("a", format=format_)
    wide = {"k": pd.array([key, None], dtype="Int64")}
    storage.write(f"b/1.{format_}", wide)
    storage.write(f"b/2.{format_}", wide)
    assert storage.read("b", format=format_)["k"].dropna().tolist() == [key, key]


def test_integers_of_one_parquet_file_are_exact(storage):
    key = 305184080441754001
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"k": [key, None], "x": [1e300, None]}), sink)
    storage.write("f.parquet", sink.getvalue().to_pybytes())
    frame = storage.read("f.parquet")
    assert frame["k"].dropna().tolist() == [key]
    assert frame["x"].dtype == "float64"


def test_an_unreadable_file_of_a_folder_is_named(storage):
    storage.write("a/1.json", '[{"n": 1}]')
    storage.write("a/readme.txt", "no JSON")
    with pytest.raises(
        SourceError, match=r"a: readme\.txt cannot be read as json: JSONDecodeError"
    ):
        storage.read("a", format="json")


def test_declared_row_labels_are_kept(storage):
    for label in ("x", "y"):
        storage.write(f"a/{label}.csv", f"id,n\n{label},1\n")
    assert storage.read("a", format="csv", index_col="id")["n"].to_dict() == {"x": 1, "y": 1}


@pytest.mark.parametrize("url", ["sales", "sales/**/*.parquet"])
def test_the_version_covers_every_file(storage, url):
    def look() -> str:
        return storage.version(url, format="parquet")

    storage.write("sales/eu/2024/1.parquet", {"n": [1]})
    versions = [look()]
    assert look() == versions[0]
    storage.write("sales/eu/2024/1.parquet", {"n": [2]})
    versions.append(look())
    storage.write("sales/eu/2024/2.parquet", {"n": [3]})
    versions.append(look())
    storage.files.mv(f"{storage.path}/sales/eu/2024/2.parquet", f"{storage.path}/sales/3.parquet")
    versions.append(look())
    storage.files.rm(f"{storage.path}/sales/3.parquet")
    versions.append(look())
    assert len({*versions[:4]}) == 4
    assert versions[4] == versions[1]


@pytest.mark.parametrize("url", ["sales", "sales/**/*.csv"])
def test_the_cache_of_a_local_folder_notices_every_change(tmp_path, url):
    declared = {"s": {"url": url, "params": {"format": "csv"}}}
    specs = parse_sources("delay", "a", declared)

    def look() -> tuple[bool, list[int]]:
        (result,) = read_sources(
            "delay", specs, Databases({}, tmp_path), SourceCache(tmp_path / "cache")
        )
        return result.cached, result.frame["n"].tolist()

    deep = tmp_path / "sales/2024/01/a.csv"
    deep.parent.mkdir(parents=True)
    deep.write_text("n\n1\n")
    assert [look(), look()] == [(False, [1]), (True, [1])]
    deep.write_text("n\n2\n")
    assert look() == (False, [2])
    deep.with_name("b.csv").write_text("n\n3\n")
    assert look() == (False, [2, 3])
    deep.unlink()
    assert look() == (False, [3])


def test_a_bucket_is_a_folder_too(tmp_path, s3_url):
    files = fsspec.filesystem("s3")
    files.mkdir(tmp_path.name.replace("_", "-"))
    files.pipe_file(f"{tmp_path.name.replace('_', '-')}/a/1.csv", b"n\n1\n")
    for url in ("", "/", "/**/*.csv"):
        bucket = f"s3://{tmp_path.name.replace('_', '-')}"
        assert read(tmp_path, bucket + url, format="csv")["n"].tolist() == [1]


def test_a_file_that_is_reached_twice_is_read_once(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/1.csv").write_text("n\n1\n")
    (tmp_path / "a/latest.csv").symlink_to("b/1.csv")
    (tmp_path / "a/b/loop").symlink_to(tmp_path / "a")
    assert read(tmp_path, "a", format="csv")["n"].tolist() == [1]


def test_links_to_files_and_folders_are_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/1.csv").write_text("n\n1\n")
    (tmp_path / "2.csv").write_text("n\n2\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "a/linked.csv").symlink_to("../2.csv")
    assert read(tmp_path, "a", format="csv")["n"].tolist() == [2, 1]
    assert read(tmp_path, "a/*/*.csv")["n"].tolist() == [1]
    (tmp_path / "2.csv").unlink()
    with pytest.raises(MissingFileError, match=r"a: linked\.csv does not exist"):
        read(tmp_path, "a", format="csv")


def test_a_linked_file_that_is_rewritten_is_another_version(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "f.csv").write_text("n\n1\n")
    (tmp_path / "a/f.csv").symlink_to(tmp_path / "f.csv")
    before = version(tmp_path, "a", format="csv")
    (tmp_path / "f.csv").write_text("n\n22\n")
    assert version(tmp_path, "a", format="csv") != before
