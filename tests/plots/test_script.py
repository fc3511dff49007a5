"""plotly.js in the folder of a train."""

import base64
import re
import zlib
from pathlib import Path

from plotly.offline import get_plotlyjs
from upath import UPath

from xingu.plots.script import SCRIPT, packed_script, put_script


def shared_file(folder: Path) -> Path:
    [file] = folder.glob("plotly-*.js")
    return file


def test_the_packed_script_holds_plotly():
    [packed] = re.findall(rb'xinguPacked = "(.*?)"', packed_script())
    assert zlib.decompress(base64.b64decode(packed)).decode() == get_plotlyjs()


def test_the_packed_script_can_stand_in_a_script_element():
    assert b"<" not in packed_script()
    assert packed_script().isascii()


def test_trains_on_a_local_disk_share_one_file(tmp_path):
    for name in ("a", "b", "a"):
        put_script(UPath(tmp_path / name), tmp_path / "shared")
    files = [tmp_path / "a" / SCRIPT, tmp_path / "b" / SCRIPT]
    assert all(file.samefile(shared_file(tmp_path / "shared")) for file in files)
    assert [path.name for path in (tmp_path / "a").iterdir()] == [SCRIPT]


def test_without_hard_links_the_script_is_copied(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError("no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    put_script(UPath(tmp_path / "a"), tmp_path / "shared")
    assert (tmp_path / "a" / SCRIPT).read_bytes() == packed_script()


def test_object_storage_gets_a_copy(tmp_path):
    folder = UPath("memory://bucket-of-scripts/train")
    put_script(folder, tmp_path / "shared")
    assert (folder / SCRIPT).read_bytes() == shared_file(tmp_path / "shared").read_bytes()


def test_a_folder_that_shares_nothing_gets_the_script(tmp_path):
    put_script(UPath(tmp_path / "a"), None)
    assert (tmp_path / "a" / SCRIPT).read_bytes() == packed_script()
