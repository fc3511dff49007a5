"""Copies of packages: in every direction, interrupted, repeated, at the same time, refused."""

import os
import signal
from functools import partial
from uuid import uuid4

import boto3
import pytest
from upath import UPath

from tests.support.manifests import manifest
from tests.support.processes import at_once
from tests.support.refusing import refusing_s3
from tests.support.services import BUCKET
from xingu.errors import CorruptPackageError, StorageError
from xingu.files.atomic import CHUNK
from xingu.files.sealed import seal
from xingu.registry.manifest import describe_files, faults, read_manifest, verify
from xingu.registry.store import ModelStore
from xingu.registry.transfer import Transferred, copy_package

FILES = {
    "state.pkl": b"state",
    "empty": b"",
    "estimator/booster.txt": b"trees" * 1_000,
    "pre_reqs/houses/manifest.json": b"{}",
    "large.bin": bytes(range(256)) * (CHUNK // 256) + b"and more",
}
SIZE = sum(map(len, FILES.values()))


def write_package(folder, files):
    for name, content in files.items():
        path = folder.joinpath(*name.split("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    described = manifest(files=describe_files(folder))
    (folder / "manifest.json").write_bytes(seal(described.model_dump_json()))
    return UPath(folder)


def copied(source, target, **options):
    return copy_package(source, target, read_manifest(source), **options)


def content_of(package):
    names = [*FILES, "manifest.json"]
    return {name: package.joinpath(*name.split("/")).read_bytes() for name in names}


def names_below(folder):
    return sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return write_package(tmp_path_factory.mktemp("package"), FILES)


@pytest.fixture
def place(tmp_path, request):
    """Return a new folder of a kind of storage."""

    def new(kind):
        if kind == "disk":
            return UPath(tmp_path) / uuid4().hex
        address = f"{request.getfixturevalue('s3_url')}/{uuid4().hex}"
        return UPath(address, use_listings_cache=False)

    return new


# -- every direction ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["disk disk", "disk s3 s3 disk"])
def test_a_copy_is_the_package_and_copying_again_copies_nothing(package, place, path):
    source = package
    for kind in path.split()[1:]:
        target, told = place(kind), []
        assert copied(source, target, on_bytes=told.append) == Transferred(5, SIZE, 0)
        assert sum(told) == SIZE
        assert copied(source, target) == Transferred(0, 0, 5)
        source = target
    assert content_of(source) == content_of(package)


def test_between_folders_of_one_account_the_storage_copies(package, place, monkeypatch):
    source, target = place("s3"), place("s3")
    copied(package, source)
    call, requests = type(source.fs)._call_s3, []

    async def counted(self, method, *args, **options):
        requests.append(method)
        return await call(self, method, *args, **options)

    monkeypatch.setattr(type(source.fs), "_call_s3", counted)
    copied(source, target)
    assert requests.count("copy_object") == 5


def test_only_files_of_the_manifest_and_the_signature_are_copied(tmp_path):
    package = write_package(tmp_path / "source", {"state.pkl": b"state"})
    (package / "notes.txt").write_text("mine")
    (package / "signature.json").write_text("{}")
    copied(package, UPath(tmp_path / "target"))
    names = ["manifest.json", "signature.json", "state.pkl"]
    assert names_below(tmp_path / "target") == names


# -- interrupted, repeated, at the same time -----------------------------------------------------


@pytest.mark.parametrize("kind", ["disk", "s3"])
def test_only_what_is_missing_or_differs_is_copied_again(package, place, kind):
    target = place(kind)
    copied(package, target)
    (target / "manifest.json").unlink()
    (target / "state.pkl").unlink()
    (target / "estimator" / "booster.txt").write_bytes(b"Trees" * 1_000)
    assert copied(package, target) == Transferred(2, 5_005, 3)
    verify(target, read_manifest(target))


def test_a_copy_that_is_killed_is_no_package_and_is_finished_by_the_next(package, tmp_path):
    target = UPath(tmp_path / "target")
    child = os.fork()
    if not child:  # killed with the first half of the large file written
        die = partial(os.kill, os.getpid(), signal.SIGKILL)
        copied(package, target, workers=1, on_bytes=lambda size: size < CHUNK or die())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    names = names_below(tmp_path / "target")
    assert "estimator/booster.txt" in names
    assert not {"manifest.json", "large.bin"} & set(names)
    assert copied(package, target).skipped >= 2
    assert content_of(target) == content_of(package)


def copy_from(source, target):
    return copied(UPath(source), UPath(target)).files


def test_processes_that_copy_the_same_package_at_once_make_a_correct_one(package, tmp_path):
    target = str(tmp_path / "target")
    at_once(copy_from, [(str(package), target)] * 2, processes=2)
    assert content_of(UPath(target)) == content_of(package)
    assert names_below(tmp_path / "target") == sorted(content_of(package))


# -- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/etc/x", "C:x", "a/C:/x", "a\\x", "", "a//x", "./x", "a/", "a\0x", ".."],
)
def test_names_that_lead_out_of_the_folder_are_refused_before_anything_is_written(tmp_path, name):
    package = write_package(tmp_path / "source", {"good": b"good"})
    good = read_manifest(package)
    record = good.files["good"]
    for changes in (
        {"files": {"good": record, name: record}},
        {"train_id": name},
        {"pre_reqs": {"houses": name}},
    ):
        bad = good.model_copy(update=changes)
        (package / "manifest.json").write_bytes(seal(bad.model_dump_json()))
        for use in (read_manifest, lambda it: copy_package(it, UPath(tmp_path / "target"), good)):
            with pytest.raises(CorruptPackageError, match="leads out of the folder"):
                use(package)
    assert names_below(tmp_path) == ["source/good", "source/manifest.json"]


@pytest.mark.parametrize("name", ["manifest.json", "signature.json"])
def test_a_manifest_does_not_list_itself_or_its_signature(tmp_path, name):
    package = write_package(tmp_path, {"good": b"good"})
    bad = read_manifest(package)
    bad.files[name] = bad.files["good"]
    (package / "manifest.json").write_bytes(seal(bad.model_dump_json()))
    with pytest.raises(CorruptPackageError, match=f"{name} cannot be listed"):
        read_manifest(package)


@pytest.mark.parametrize("kind", ["disk", "s3"])
@pytest.mark.parametrize("name", ["state.pkl", "large.bin"])
def test_a_file_that_differs_never_appears_at_the_target(tmp_path, place, kind, name):
    package, target = write_package(tmp_path / "source", FILES), place(kind)
    for change in (lambda data: data[:-1] + b"?", lambda data: data + b"?", lambda data: data[:-1]):
        (package / name).write_bytes(change(FILES[name]))
        with pytest.raises(CorruptPackageError, match=f"source: {name} is not what was saved"):
            copied(package, target)
        assert not {name, "manifest.json"} & set(names_below(target))
    if kind == "s3":
        assert "Uploads" not in boto3.client("s3").list_multipart_uploads(Bucket=BUCKET)


def test_a_damaged_file_is_not_copied_by_the_storage_itself(package, place):
    source, target = place("s3"), place("s3")
    copied(package, source)
    (source / "state.pkl").write_bytes(b"State")
    with pytest.raises(CorruptPackageError, match=r"state\.pkl is not what was saved"):
        copied(source, target)
    assert not (target / "state.pkl").exists()


def test_another_package_at_the_target_is_refused_and_a_damaged_one_is_repaired(package, tmp_path):
    target = write_package(tmp_path / "target", {"state.pkl": b"other"})
    with pytest.raises(StorageError, match="has another package of the same name"):
        copied(package, target)
    assert (target / "state.pkl").read_bytes() == b"other"
    (target / "manifest.json").write_bytes(b"{")
    copied(package, target)
    verify(target, read_manifest(target))


def test_a_missing_file_is_named(tmp_path):
    package = write_package(tmp_path / "source", {"a": b"a", "b": b"b"})
    (package / "b").unlink()
    with pytest.raises(CorruptPackageError, match="source: b is missing"):
        copied(package, UPath(tmp_path / "target"))


def test_what_the_storage_refuses_is_neither_missing_nor_damaged(package, tmp_path, monkeypatch):
    good = read_manifest(package)
    with refusing_s3(403, "AccessDenied") as options:
        remote = UPath("s3://bucket/package", **options)
        store = ModelStore(remote)
        for use in (
            lambda: read_manifest(remote),
            lambda: verify(remote, good),
            lambda: copied(package, remote),
            lambda: store.find("houses"),
            lambda: store.find("houses", train_id="calm-fox"),
            lambda: store.find("houses", session_id="brave-day"),
        ):
            with pytest.raises(StorageError, match="s3://bucket/package.*refused it") as failure:
                use()
            assert not isinstance(failure.value, CorruptPackageError)
        found = list(faults(remote, good))
        assert {(one.file, one.unreadable) for one in found} == {(name, True) for name in FILES}
    monkeypatch.setattr(type(remote.fs), "retries", 1)
    with refusing_s3(500, "InternalError") as options:
        with pytest.raises(StorageError, match=r"manifest\.json cannot be read") as failure:
            read_manifest(UPath("s3://bucket/package", **options))
        assert not isinstance(failure.value, CorruptPackageError)
