import errno
import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath

from xingu.errors import StorageError, StorageFullError
from xingu.files.atomic import (
    ABANDONED_SECONDS,
    children,
    leftovers,
    new_folder,
    remove_folder,
    remove_leftover,
    sha256_of,
    write_atomically,
    write_once,
)
from xingu.files.write_errors import storage_errors

# A limit on the size of files makes writes fail in the kernel, as a full disk does.
FULL_DISK = """
import resource, signal, sys
from upath import UPath
from xingu.errors import StorageFullError
from xingu.files.atomic import new_folder, write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
root = UPath(sys.argv[1])
try:
    {write}
except StorageFullError as error:
    print(error)
"""


@pytest.fixture
def local(tmp_path):
    return UPath(tmp_path) / "store"


@pytest.fixture
def memory(request):
    root = UPath("memory://") / request.node.name
    yield root
    root.fs.rm(root.path, recursive=True) if root.exists() else None


class WritingContract:
    def test_a_file_is_written_below_folders_that_did_not_exist(self, root):
        write_atomically(root / "a" / "b" / "pointer.json", b"1")
        assert (root / "a" / "b" / "pointer.json").read_bytes() == b"1"

    def test_a_file_is_replaced(self, root):
        write_atomically(root / "pointer.json", b"a long first text")
        write_atomically(root / "pointer.json", b"2")
        assert (root / "pointer.json").read_bytes() == b"2"

    def test_only_the_file_is_left_after_writing(self, root):
        write_atomically(root / "pointer.json", b"1")
        assert _names(root) == ["pointer.json"]

    def test_the_checksum_is_that_of_the_bytes(self, root):
        data = os.urandom(300_000)
        write_atomically(root / "data", data)
        assert sha256_of(root / "data") == hashlib.sha256(data).hexdigest()

    def test_a_new_folder_holds_what_was_written(self, root):
        with new_folder(root, "value") as folder:
            write_atomically(folder / "deep" / "part", b"1")
            (folder / "manifest").write_bytes(b"2")
        assert (root / "value" / "deep" / "part").read_bytes() == b"1"
        assert (root / "value" / "manifest").read_bytes() == b"2"
        assert _names(root) == ["value"]

    def test_nothing_is_left_of_a_folder_whose_writing_failed(self, root):
        write_atomically(root / "other" / "part", b"0")
        with pytest.raises(RuntimeError, match="hook"):
            _fail_in_new_folder(root, RuntimeError("hook"))
        assert _names(root) == ["other"]
        assert (root / "other" / "part").read_bytes() == b"0"

    def test_a_full_storage_is_told_of_while_a_folder_is_written(self, root):
        with pytest.raises(StorageFullError, match="writing value: no space left on"):
            _fail_in_new_folder(root, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        assert not (root / "value" / "deep" / "part").exists()

    def test_chunks_are_written_in_order(self, root):
        write_atomically(root / "data", b"a", b"", b"bc")
        assert (root / "data").read_bytes() == b"abc"

    def test_a_file_is_written_once(self, root):
        assert write_once(root / "a" / "entry", b"1")
        assert not write_once(root / "a" / "entry", b"2")
        assert (root / "a" / "entry").read_bytes() == b"1"
        assert _names(root / "a") == ["entry"]

    def test_entries_of_a_folder_leave_out_hidden_ones(self, root):
        write_atomically(root / "shown", b"1")
        write_atomically(root / ".hidden", b"1")
        assert [child.name for child in children(root)] == ["shown"]

    def test_a_missing_folder_has_no_entries_and_is_removed_without_an_error(self, root):
        remove_folder(root / "missing")
        assert list(children(root / "missing")) == []

    def test_a_removed_folder_has_no_files(self, root):
        write_atomically(root / "value" / "deep" / "part", b"1")
        write_atomically(root / "other", b"1")
        remove_folder(root / "value")
        assert not (root / "value" / "deep" / "part").exists()
        assert (root / "other").exists()


class TestLocalDisk(WritingContract):
    @pytest.fixture
    def root(self, local):
        return local


class TestMemory(WritingContract):
    @pytest.fixture
    def root(self, memory):
        return memory


class TestFileUrl(WritingContract):
    @pytest.fixture
    def root(self, tmp_path):
        return UPath(f"file://{tmp_path}/store")


class TestS3(WritingContract):
    @pytest.fixture
    def root(self, s3_url, request):
        return UPath(s3_url) / "files" / request.node.name


def test_of_several_writers_exactly_one_writes_once(local):
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda n: write_once(local / "entry", b"%d" % n), range(40)))
    assert sum(written) == 1
    assert (local / "entry").read_bytes() == b"%d" % written.index(True)


def test_readers_do_not_see_a_local_folder_before_its_end(local):
    with new_folder(local, "value") as folder:
        (folder / "part").write_bytes(b"1")
        assert not (local / "value").exists()
    assert (local / "value").exists()


def test_others_may_read_what_was_written(local):
    local.mkdir()
    mode = os.umask(0o022)
    try:
        with new_folder(local, "value") as folder:
            write_atomically(folder / "part", b"1")
    finally:
        os.umask(mode)
    assert (local / "value").stat().st_mode & 0o777 == 0o755
    assert (local / "value" / "part").stat().st_mode & 0o777 == 0o644


def test_a_folder_that_exists_is_never_replaced(local):
    with new_folder(local, "value") as folder:
        (folder / "part").write_bytes(b"first")
    with (
        pytest.raises(StorageError, match="value exists, and a stored folder is never replaced"),
        new_folder(local, "value") as folder,
    ):
        (folder / "part").write_bytes(b"second")
    assert (local / "value" / "part").read_bytes() == b"first"
    assert _names(local) == ["value"]


def test_a_failed_rewrite_in_object_storage_keeps_the_files_of_before(memory):
    write_atomically(memory / "value" / "old", b"0")
    with pytest.raises(RuntimeError, match="hook"):
        _fail_in_new_folder(memory, RuntimeError("hook"))
    assert not (memory / "value" / "deep" / "part").exists()
    assert (memory / "value" / "old").read_bytes() == b"0"


@pytest.fixture
def left(tmp_path):
    """What a writer of the folder `value` leaves that is really killed."""
    program = (
        "import sys, time; from upath import UPath; from xingu.files.atomic import new_folder\n"
        "with new_folder(UPath(sys.argv[1]), 'value') as folder:\n"
        "    (folder / 'part').write_bytes(b'1'); print('written', flush=True); time.sleep(60)"
    )
    with _python(program, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()
    (left,) = tmp_path.iterdir()
    return left


def test_readers_never_see_the_folder_of_a_killed_writer(left, tmp_path):
    assert left.name.startswith(".value.")
    with new_folder(UPath(tmp_path), "value") as folder:
        (folder / "part").write_bytes(b"2")
    assert (tmp_path / "value" / "part").read_bytes() == b"2"


def _grown_old(*paths: Path) -> None:
    then = time.time() - ABANDONED_SECONDS - 9
    for path in paths:
        os.utime(path, (then, then))


def test_what_a_killed_writer_left_is_found_and_removed_after_a_day(left, tmp_path):
    assert leftovers(UPath(tmp_path)) == []
    _grown_old(left / "part", left)
    assert leftovers(UPath(tmp_path)) == [UPath(left)]
    remove_leftover(UPath(left))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_one_file_is_young_is_no_leftover(left, tmp_path):
    _grown_old(left)
    assert leftovers(UPath(tmp_path)) == []


def test_a_file_that_was_half_written_is_a_leftover_too(tmp_path):
    half = tmp_path / "houses" / ".latest.json.0a1b2c3d.tmp"
    half.parent.mkdir()
    half.write_bytes(b"{")
    _grown_old(half)
    assert leftovers(UPath(tmp_path)) == [UPath(half)]
    remove_leftover(UPath(half))
    assert list(half.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["value", ".value", "value.0a1b2c3d.tmp", ".mine.tmp"])
def test_what_has_another_name_is_no_leftover(tmp_path, name):
    (tmp_path / name).write_bytes(b"1")
    _grown_old(tmp_path / name)
    assert leftovers(UPath(tmp_path)) == []


@pytest.mark.parametrize("place", ["/nowhere/at/all", "memory://leftovers"])
def test_there_are_no_leftovers_where_there_is_no_folder(place):
    assert leftovers(UPath(place)) == []


def test_a_full_disk_leaves_the_file_of_before(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"before")
    message = _on_a_full_disk("write_atomically(root / 'model.bin', bytes(10_000))", tmp_path)
    assert message == (
        f"writing model.bin: no space left on {tmp_path} (File too large): nothing was changed; "
        "free space there, or set the path of this storage elsewhere.\n"
    )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"model.bin": b"before"}


@pytest.mark.parametrize("layout", ["open", "fast"])
def test_a_full_disk_leaves_nothing_of_a_new_folder(tmp_path, layout):
    write = f"""
    import numpy, pandas
    from xingu.files.frames import write_frame
    frame = pandas.DataFrame({{"x": numpy.random.default_rng(0).random(10_000)}})
    with new_folder(root, "value") as folder:
        write_frame(frame, folder, "frame", {layout!r})"""
    message = _on_a_full_disk(write, tmp_path)
    assert message.startswith(f"writing value: no space left on {tmp_path} (File too large): ")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_recognised_in_what_arrow_raises(tmp_path):
    write = """
    import pyarrow
    from xingu.files.atomic import storage_errors
    table = pyarrow.table({"x": list(range(10_000))})
    with storage_errors("exporting", root):
        with pyarrow.OSFile(str(root / "x.arrow"), "wb") as file:
            pyarrow.ipc.new_file(file, table.schema).write_table(table)"""
    message = _on_a_full_disk(write, tmp_path)
    assert message.startswith(f"exporting: no space left on {tmp_path} (File too large): ")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        OSError("Error writing bytes to file. Detail: [errno 28] No space left on device"),
        pa.ArrowInvalid("Failed to write: Disk quota exceeded"),
    ],
)
def test_every_word_for_a_full_storage_is_recognised(error):
    where = UPath("memory://store/value")
    with (
        pytest.raises(StorageFullError, match="nothing was changed") as caught,
        storage_errors("writing value", where),
    ):
        raise error
    assert caught.value.facts == {"where": str(where)}
    assert caught.value.__cause__ is error


def test_other_errors_pass_as_they_are(tmp_path):
    with pytest.raises(FileNotFoundError), storage_errors("reading", UPath(tmp_path)):
        (tmp_path / "missing").read_bytes()
    with pytest.raises(pa.ArrowInvalid), storage_errors("reading", UPath(tmp_path)):
        pq.ParquetFile(pa.BufferReader(b"not parquet"))


def _fail_in_new_folder(root: UPath, error: Exception) -> None:
    with new_folder(root, "value") as folder:
        write_atomically(folder / "deep" / "part", b"1")
        raise error


def _names(folder: UPath) -> list[str]:
    return sorted(child.name for child in folder.iterdir())


def _python(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def _on_a_full_disk(write: str, folder: Path) -> str:
    with _python(FULL_DISK.replace("{write}", write.strip()), folder) as process:
        return process.communicate()[0]
