"""The real daemon: it trains models after rows are added to a table."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from tests.support.toys import houses, write_database
from xingu.config import Settings
from xingu.registry.store import ModelStore

PROVIDERS = """
from xingu import DataProvider
from xingu.provider.methods import BUILTIN_PLOTS

from tests.support.toys import MeanEstimator


class Light(DataProvider):
    train_dataset_sources = {
        "houses": {
            "source": "db",
            "query": "select * from houses",
            "watermark": "select max(id), count(*) from houses",
        }
    }
    x_features = ["size"]
    y = "price"
    estimator_class = MeanEstimator
    builtin_plots_off = BUILTIN_PLOTS

    def clean_data_for_train(self, datasets):
        return datasets["houses"].set_index("id")


class Houses(Light):
    id = "houses"
    retrain = "on_new_data"


class Taxes(Light):
    id = "taxes"
    pre_req = {"houses"}
    retrain = "with_pre_reqs"


class Idle(Light):
    id = "idle"
"""
INSTANCE = """
telemetry: {enabled: false}
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
"""
ROOT = Path(__file__).parents[2]
MODELS = ("houses", "taxes", "idle")


class Home:
    """A project on disk."""

    def __init__(self, folder, patch):
        self.folder = folder
        (folder / "dataproviders").mkdir()
        (folder / "dataproviders" / "models.py").write_text(PROVIDERS)
        (folder / "dagster.yaml").write_text(INSTANCE)
        url = write_database(folder / "houses.db")
        for name, value in {
            "PROJECT_HOME": str(folder),
            "DAGSTER_HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "DATABASES": f"db|{url}",
            "XINGU_EXECUTOR": "in_process",
            "XINGU_SENSORS_RUNNING": "true",
            "XINGU_SENSOR_SECONDS": "1",
        }.items():
            patch.setenv(name, value)
        settings = Settings.load()
        self.models = ModelStore(settings.place(settings.models))

    @property
    def instance(self):
        return dg.DagsterInstance.from_config(str(self.folder))

    def add_rows(self, number=10):
        with sqlite3.connect(self.folder / "houses.db") as db:
            begin = db.execute("select count(*) from houses").fetchone()[0]
            rows = houses(number, seed=begin).assign(id=range(begin, begin + number))
            rows.to_sql("houses", db, index=False, if_exists="append")

    def trains(self):
        return {name: len(self.models.trains(name)) for name in MODELS}

    def runs(self):
        return self.instance.get_runs()

    def wait(self, runs, seconds=120):
        """Wait until there are so many runs, all at their end; gives their states."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.runs()
            if len(found) >= runs and all(run.is_finished for run in found):
                break
            time.sleep(0.2)
        return [run.status.value for run in self.runs()]

    @contextmanager
    def daemon(self):
        """The daemon of Dagster, with its code server; killed at the end as by a power cut."""
        command = [
            sys.executable,
            "-m",
            "dagster._daemon",
            "run",
            "-m",
            "xingu_dagster.definitions",
        ]
        with (self.folder / "daemon.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def home(tmp_path, monkeypatch):
    return Home(tmp_path, monkeypatch)


def test_models_are_trained_once_for_each_change_also_if_the_daemon_is_killed_meanwhile(home):
    with home.daemon():
        assert home.wait(runs=1) == ["SUCCESS"]
    assert home.trains() == {"houses": 1, "taxes": 1, "idle": 0}
    home.add_rows()
    home.add_rows()
    with home.daemon():
        assert home.wait(runs=2) == ["SUCCESS", "SUCCESS"]
        time.sleep(6)  # another tick
    assert [run.tags["xingu/trigger"] for run in home.runs()] == ["sensor", "sensor"]
    assert home.trains() == {"houses": 2, "taxes": 2, "idle": 0}
    taxes = home.models.manifest("taxes", home.models.current("taxes"))
    assert taxes.pre_reqs == {"houses": home.models.current("houses")}
    assert taxes.scores["test"]["RMSE"] > 0
