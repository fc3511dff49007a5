"""Dagster's history lies in DAGSTER_HOME, whatever folder a command is started in."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.support.shop import ROOT
from xingu.errors import SettingsError
from xingu_dagster.engine import compat


@pytest.fixture(params=["ours", "stock"])
def home(request, tmp_path, monkeypatch) -> Iterator[Path]:
    """A folder with this repository's `dagster.yaml`; the current folder is another one."""
    monkeypatch.setenv("XINGU_ENGINE", request.param)
    compat.usable.cache_clear()
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.chdir(elsewhere)
    yield home
    compat.usable.cache_clear()


def test_history_artifacts_and_logs_lie_in_dagster_home(home):
    with dg.DagsterInstance.get() as instance:
        assert not instance.get_runs()
        assert Path(instance.storage_directory()).is_relative_to(home)
        logs: Any = instance.compute_log_manager
        log = logs.get_captured_local_path(["run", "step"], "out")
        assert Path(log).is_relative_to(home)
    assert (home / ".dagster" / "history" / "runs.db").exists()
    assert list(Path.cwd().iterdir()) == []


def test_a_history_that_cannot_be_written_is_an_error_that_names_the_folder(home):
    (home / ".dagster").write_text("a file, where a folder should be")
    with pytest.raises(SettingsError, match=r"history cannot be written to .*\.dagster.*base_dir"):
        dg.DagsterInstance.get().get_runs()
