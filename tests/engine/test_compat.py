"""Where Dagster lacks what the engine needs, stock Dagster takes its place, with one warning."""

import logging
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from tests.support.shop import open_shop
from tests.support.toys import houses
from xingu_dagster.engine import compat, storage
from xingu_dagster.engine.compute_logs import ComputeLogManager
from xingu_dagster.engine.sqlite import SqliteStorage

PARTS = list(compat.NEEDED)
ABSENT = {"dagster:no_such_name": "", "no_such_module:name": "", "dagster:asset": "no_such_option"}


@pytest.fixture(autouse=True)
def forget():
    """Let each test ask for the first time."""
    compat.usable.cache_clear()
    yield
    compat.usable.cache_clear()


@pytest.mark.parametrize("part", PARTS)
def test_this_dagster_has_what_the_engine_needs(part):
    assert compat.find_missing(part) is None


@pytest.mark.parametrize("absent", ABSENT)
@pytest.mark.parametrize("part", PARTS)
def test_a_name_or_a_parameter_that_is_gone_refuses_the_part(part, absent, monkeypatch):
    monkeypatch.setitem(compat.NEEDED, part, {absent: ABSENT[absent]})
    assert "no_such" in (compat.find_missing(part) or "")
    assert not compat.usable(part)


def test_the_storages_are_ours_or_those_of_dagster(monkeypatch):
    assert issubclass(storage.SqliteStorage, SqliteStorage)
    assert issubclass(storage.ComputeLogManager, ComputeLogManager)
    compat.usable.cache_clear()
    monkeypatch.setenv("XINGU_ENGINE", "stock")
    for made, stock, ours in (
        (storage.SqliteStorage, DagsterSqliteStorage, SqliteStorage),
        (storage.ComputeLogManager, LocalComputeLogManager, ComputeLogManager),
    ):
        assert issubclass(made, stock)
        assert not issubclass(made, ours)


def test_importing_the_engine_looks_for_nothing():
    code = (
        "import sys\nfrom xingu_dagster.engine import compat\n"
        "compat.find_missing = lambda part: sys.exit(f'looked for {part}')\n"
        "from xingu_dagster.engine import executor, storage\n"
        "executor.build_executor('pool')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_one_warning_is_logged_for_all_parts(monkeypatch, caplog):
    monkeypatch.setenv("XINGU_ENGINE", "stock")
    monkeypatch.setattr(compat, "_told", [])
    with caplog.at_level(logging.WARNING):
        assert not any(compat.usable(part) for part in PARTS)
    assert [record.name for record in caplog.records] == [compat.__name__]
    assert "XINGU_ENGINE=stock" in caplog.text


def test_a_project_trains_with_stock_dagster_when_every_probe_fails(tmp_path):
    shop = open_shop(tmp_path, XINGU_ENGINE="stock")
    code, output = shop.materialize('key:"houses/*"')
    assert code == 0, output
    assert output.count("falls back to stock Dagster") == 1, output
    processes = shop.processes()
    assert len(set(processes.values())) == len(processes), "stock: a process for each step"
    estimations = shop.model().predict(houses(5))["estimation"]
    assert estimations.tolist() == pytest.approx(houses(5)["price"].tolist(), abs=100)


def test_a_project_trains_with_the_pool_and_dagster_s_own_storage(tmp_path):
    shop = open_shop(tmp_path)
    (tmp_path / "dagster.yaml").write_text("storage: {sqlite: {base_dir: .dagster}}\n")
    code, output = shop.materialize('key:"houses/*"')
    assert code == 0, output
    assert "falls back" not in output
    processes = shop.processes()
    assert len(set(processes.values())) < len(processes)


def test_a_command_without_the_engine_reads_what_one_with_it_stored(tmp_path):
    shop = open_shop(tmp_path)
    assert shop.materialize('key:"houses/raw/houses"')[0] == 0
    assert shop.materialize('key:"houses/cleaned"', XINGU_ENGINE="stock")[0] == 0
    with dg.DagsterInstance.local_temp(str(tmp_path / ".dagster")) as instance:
        assert len(instance.get_runs()) == 2
        assert all(run.status is dg.DagsterRunStatus.SUCCESS for run in instance.get_runs())
