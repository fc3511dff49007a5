"""Addresses: which characters are part of a name, and where it leads."""

import gzip
import zipfile

import fsspec
import pytest

from tests.support.files import read, version
from xingu.sources import Databases, SourceCache, parse_sources, read_sources
from xingu.sources.addresses import local_path, location

NAMES = [
    "report #3.csv",
    "what?.csv",
    "a?b=c&token=d.csv",
    "#new/a.csv",
    "v1.2#final.csv.gz",
    "a::b.csv",
    "dir/::b.csv",
    "zip::b.csv",
    "100%.csv",
    "a%20b.csv",
    "a+b.csv",
    "straße 北京.csv",
    "a*b.csv",
    "[a].csv",
    "{a,b}.csv",
    "a@b:c.csv",
    "~a.csv",
    "'a'.csv",
    "a\\b.csv",
]


def content(name: str, number: int) -> bytes:
    text = f"n\n{number}\n".encode()
    return gzip.compress(text) if name.endswith(".gz") else text


@pytest.mark.parametrize("name", NAMES)
def test_every_character_is_part_of_the_name_of_a_local_file(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content(name, 7))
    if name != "zip::b.csv":  # a chained URL of fsspec
        assert read(tmp_path, name)["n"].tolist() == [7]
    assert read(tmp_path, str(path))["n"].tolist() == [7]
    before = version(tmp_path, str(path))
    path.write_bytes(content(name, 888))
    assert version(tmp_path, str(path)) != before


@pytest.mark.parametrize("name", NAMES)
def test_every_character_is_part_of_a_key_of_object_storage(tmp_path, s3_url, name):
    bucket = s3_url.removeprefix("s3://")
    files = fsspec.filesystem("s3")
    files.pipe_file(f"{bucket}/odd names/{name}", content(name, 7))
    url = f"{s3_url}/odd names/{name}"
    assert read(tmp_path, url)["n"].tolist() == [7]
    before = version(tmp_path, url)
    files.pipe_file(f"{bucket}/odd names/{name}", content(name, 888))
    assert version(tmp_path, url) != before


@pytest.mark.parametrize("name", ["run #7?", "a::b", "50%"])
def test_every_character_is_part_of_the_name_of_a_folder(tmp_path, s3_url, name):
    bucket = s3_url.removeprefix("s3://")
    for number in (1, 2):
        fsspec.filesystem("s3").pipe_file(f"{bucket}/{name}/{number}.csv", content("", number))
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / f"{number}.csv").write_bytes(content("", number))
    for folder in (name, f"{s3_url}/{name}"):
        assert read(tmp_path, f"{folder}/*.csv")["n"].tolist() == [1, 2]
        assert read(tmp_path, folder, format="csv")["n"].tolist() == [1, 2]


def test_a_web_address_has_a_query_and_a_fragment(tmp_path, site):
    site.pages["/f.csv"] = content("", 7)
    assert read(tmp_path, f"{site.url}/f.csv?day=5*#top")["n"].tolist() == [7]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///data/a%20b.csv", "/data/a b.csv"),
        ("file:///data/a b#1.csv", "/data/a b#1.csv"),
        ("file:///data/what?.csv", "/data/what?.csv"),
        ("file://localhost/data/a.csv", "/data/a.csv"),
        ("FILE:/data/a.csv", "/data/a.csv"),
        ("a%20b.csv", "home/a%20b.csv"),
    ],
)
def test_only_a_file_url_is_decoded(tmp_path, url, path):
    assert local_path(url, tmp_path) == tmp_path / path.removeprefix("home/")


def test_a_version_of_an_object_is_no_part_of_its_name():
    (spec,) = parse_sources("m", "a", {"s": {"url": "s3://bucket/a.csv?versionId=x.1"}})
    assert getattr(spec, "format") == "csv"  # noqa: B009 - of a union of types


def test_a_file_in_an_archive_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        archive.writestr("a.csv", "n\n7\n")
    url = f"zip://a.csv::{tmp_path / 'f.zip'}"
    assert read(tmp_path, url, format="csv", compression=None)["n"].tolist() == [7]


def test_keys_that_differ_behind_a_question_mark_are_other_cache_entries(tmp_path, s3_url):
    bucket = s3_url.removeprefix("s3://")
    for number in (1, 2):
        name = f"{bucket}/twins/a?token={number}.csv"
        fsspec.filesystem("s3").pipe_file(name, content("", number))
        declared = {"s": {"url": f"s3://{name}"}}
        (result,) = read_sources(
            "m",
            parse_sources("m", "a", declared),
            Databases({}, tmp_path),
            SourceCache(tmp_path / "cache"),
        )
        assert result.frame["n"].tolist() == [number]


@pytest.mark.parametrize(
    ("url", "without"),
    [
        ("https://ann:pw@host/a.csv?token=x&day=5", "https://host/a.csv?day=5"),
        ("sftp://ann:pw@host/a@b.csv", "sftp://host/a@b.csv"),
        ("s3://bucket/a@b.csv?token=x", "s3://bucket/a@b.csv?token=x"),
    ],
)
def test_a_location_has_no_secrets(url, without):
    assert location(url) == without
