"""Files of every format, compression and place."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.files import read
from xingu.errors import MissingFileError, SourceError

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 2.5], "c": ["x", "ção", "z"]})


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inside.any", content)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    "parquet": parquet,
    "csv": lambda frame: frame.to_csv(index=False).encode(),
    "txt": lambda frame: frame.to_csv(index=False, sep="\t").encode(),
    "json": lambda frame: frame.to_json().encode(),
    "jsonl": lambda frame: frame.to_json(orient="records", lines=True).encode(),
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pa.compress(content, "zstd", asbytes=True),
    ".zip": zipped,
}


def assert_same(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(frame, FRAME)


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("format_", WRITERS)
def test_every_format_is_read_compressed_or_not(tmp_path, format_, packing):
    (tmp_path / f"f.{format_}{packing}").write_bytes(PACKERS[packing](WRITERS[format_](FRAME)))
    assert_same(read(tmp_path, f"f.{format_}{packing}"))


@pytest.mark.parametrize("form", ["{path}", "file:{path}", "file://{path}", "file:sub dir/f.csv"])
def test_a_local_file_may_be_addressed_in_several_ways(tmp_path, form):
    path = tmp_path / "sub dir" / "f.csv"
    path.parent.mkdir()
    path.write_bytes(WRITERS["csv"](FRAME))
    assert_same(read(tmp_path, form.format(path=path)))


@pytest.mark.parametrize("name", ["f.parquet", "f.csv", "f.json.gz"])
def test_a_web_server_has_files(tmp_path, site, name):
    _, format_, *packing = name.split(".")
    pack = PACKERS["." + packing[0] if packing else ""]
    site.pages[f"/{name}"] = pack(WRITERS[format_](FRAME))
    assert_same(read(tmp_path, f"{site.url}/{name}?day=5"))


def test_a_web_server_may_unpack_what_it_sends(tmp_path, site):
    site.pages["/f.csv.gz"] = gzip.compress(WRITERS["csv"](FRAME))
    site.headers["Content-Encoding"] = "gzip"
    assert_same(read(tmp_path, f"{site.url}/f.csv.gz"))


def test_user_and_password_of_an_address_reach_the_server(tmp_path, site):
    site.pages["/f.csv"] = WRITERS["csv"](FRAME)
    assert_same(read(tmp_path, f"{site.url}/f.csv".replace("//", "//ann:s3cret@")))
    assert site.authorizations == ["Basic YW5uOnMzY3JldA=="]


@pytest.mark.parametrize("name", ["f.parquet", "f.csv.zst"])
def test_object_storage_has_files(tmp_path, s3_url, name):
    _, format_, *packing = name.split(".")
    pack = PACKERS["." + packing[0] if packing else ""]
    with fsspec.open(f"{s3_url}/files/{name}", "wb") as file:
        file.write(pack(WRITERS[format_](FRAME)))  # type: ignore[attr-defined]
    assert_same(read(tmp_path, f"{s3_url}/files/{name}"))


def test_any_file_system_of_fsspec_has_files(tmp_path):
    with fsspec.open("memory://test_files/f.csv", "wb") as file:
        file.write(WRITERS["csv"](FRAME))  # type: ignore[attr-defined]
    assert_same(read(tmp_path, "memory://test_files/f.csv"))


def test_params_go_to_the_reader_of_pandas(tmp_path):
    (tmp_path / "f.txt").write_text("1;x\n2;y\n")
    frame = read(tmp_path, "f.txt", sep=";", names=["n", "t"], index_col="n")
    assert frame["t"].to_dict() == {1: "x", 2: "y"}


def test_a_format_overrides_the_suffix(tmp_path):
    (tmp_path / "f.data").write_bytes(WRITERS["csv"](FRAME))
    assert_same(read(tmp_path, "f.data", format="csv"))


def test_a_compression_of_the_user_goes_to_the_reader(tmp_path):
    (tmp_path / "f.csv").write_bytes(gzip.compress(WRITERS["csv"](FRAME)))
    assert_same(read(tmp_path, "f.csv", compression="gzip"))


@pytest.mark.parametrize("place", ["", "{site}/", "{s3}/", "memory://nowhere/", "s3://nobucket/"])
def test_a_missing_file_is_an_error_that_says_where(tmp_path, site, s3_url, place):
    url = place.format(site=site.url, s3=s3_url) + "gone.csv"
    with pytest.raises(MissingFileError) as caught:
        read(tmp_path, url)
    message = str(caught.value)
    assert message.startswith(f"delay: source 's': {url} does not exist; correct the URL")
    assert caught.value.facts["source"] == "s"


@pytest.mark.parametrize(
    ("name", "content", "params", "words"),
    [
        ("f.parquet", b"no parquet", {}, "cannot be read as parquet: ArrowInvalid"),
        ("f.csv.gz", b"no gzip", {}, "cannot be read as csv: BadGzipFile"),
        ("f.csv", b"\xff\xfe\xff", {}, "cannot be read as csv: UnicodeDecodeError"),
        ("f.csv", b"", {}, "EmptyDataError"),
        ("f.json", b"{", {}, "cannot be read as json"),
        ("f.csv", b"a,b", {"usecolumns": []}, "usecolumns"),
        ("f.csv", b"a,b", {"usecols": ["z"]}, "do not match columns"),
        ("f.csv.zip", b"", {}, "BadZipFile"),
    ],
)
def test_an_unreadable_file_is_an_error_with_the_words_of_the_reader(
    tmp_path, name, content, params, words
):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read(tmp_path, name, **params)
    message = str(caught.value)
    assert message.startswith(f"delay: source 's': {name} cannot be read as ")
    assert words in message
    assert message.endswith("Check the file, and `params` of the source.")


def test_an_archive_of_two_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "f.csv.zip", "w") as archive:
        archive.writestr("a.csv", "a")
        archive.writestr("b.csv", "b")
    with pytest.raises(SourceError, match="has 2 files; it must have one"):
        read(tmp_path, "f.csv.zip")


def test_secrets_of_an_address_are_in_no_message(tmp_path, site):
    site.before = lambda path: site.pages.pop(path, None)  # type: ignore[assignment]
    base = f"{site.url}/f.csv".replace("//", "//ann:s3cret1@")
    address = f"{base}?access_token=s3%20cret2&day=s3cret3&format=csv#jwt=s3cret4"
    for url, storage in ((address, {}), (address.replace(site.url[7:], "127.0.0.1:1"), {})):
        with pytest.raises(SourceError) as caught:
            read(tmp_path, url, storage_options=storage)
        everything = f"{caught.value} {caught.value!r} {caught.value.facts}"
        assert "cret" not in everything
        assert "/f.csv?access_token=***&day=***&format=csv#***" in everything
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", ["f.parquet", "f.csv.gz", "f.txt"])
def test_integers_that_a_float_would_round_are_exact(tmp_path, name):
    key = 2**53 + 1
    wide = FRAME.assign(key=pd.array([key, None, -key], "Int64"), real=[1e300, None, 0.5])
    arrow = pa.Table.from_pandas(wide).replace_schema_metadata()  # as other programs write it
    buffer = io.BytesIO()
    pq.write_table(arrow, buffer)
    content = buffer.getvalue() if name == "f.parquet" else WRITERS[name.split(".")[1]](wide)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    frame = read(tmp_path, name)
    assert frame["key"].tolist() == [key, pd.NA, -key]
    pd.testing.assert_frame_equal(frame.drop(columns="key"), wide.drop(columns="key"))
