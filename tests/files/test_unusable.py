"""Storages that cannot be written: one error that names the place and the settings."""

import os
import subprocess
import sys

import pytest
from upath import UPath

from xingu.config import Settings
from xingu.errors import SettingsError, StorageError
from xingu.files.atomic import new_folder, storage_root, write_atomically, write_once
from xingu.workspace import Workspace


@pytest.mark.parametrize("below", [".", "deep/models"])
def test_a_folder_below_a_file_is_refused(tmp_path, below):
    (tmp_path / "notes").write_text("")
    with pytest.raises(StorageError, match="because .*/notes is a file; name another folder"):
        storage_root(UPath(tmp_path / "notes" / below))


@pytest.mark.parametrize(
    ("store", "setting"), [("models", "TRAINED_MODELS_PATH"), ("values", "XINGU_VALUES_PATH")]
)
@pytest.mark.parametrize("path", ["notes/models", "a" * 400])
def test_the_error_names_the_setting(tmp_path, store, setting, path):
    (tmp_path / "notes").write_text("")
    place = Workspace(Settings.load(project_home=tmp_path, **{store: path}))
    with pytest.raises(SettingsError, match=f"^{setting}: .*; name another folder"):
        getattr(place, store)


def test_a_session_id_that_is_too_long_is_refused_by_its_setting():
    with pytest.raises(SettingsError, match="TRAIN_SESSION_ID: .*at most 200 characters"):
        Settings.load(train_session_id="a" * 400)


WRITES = {
    "write_atomically": lambda root: write_atomically(root / "sub" / "file", b"1"),
    "write_once": lambda root: write_once(root / "sub" / "file", b"1"),
    "new_folder": lambda root: new_folder(root / "sub", "value").__enter__(),
}


@pytest.mark.parametrize("write", WRITES)
def test_what_cannot_be_written_is_one_error(tmp_path, write):
    (tmp_path / "sub").write_text("")
    with pytest.raises(StorageError, match="sub cannot be written .*or set the path of this"):
        WRITES[write](UPath(tmp_path))


def test_a_folder_that_the_user_may_not_write_is_one_error(tmp_path):
    (tmp_path / "models").mkdir(mode=0o555)
    code = (
        "import os, platform, pyarrow, sys; from upath import UPath\n"
        "from xingu.files.atomic import write_atomically\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: write_atomically(UPath(sys.argv[1], 'models', 'sub', 'file'), b'1')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("StorageError writing file: ")
    assert "Permission denied" in done.stdout
    assert "TRAINED_MODELS_PATH" in done.stdout
