"""The real command, in a process of its own, in a project folder of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest

from tests.toys import houses, write_database
from xingu import Model

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "dagster", "asset", "materialize", "-m")

PROVIDERS = '''
"""DataProviders of a user."""

import os
import time
from pathlib import Path

from tests import toys


class Houses(toys.Houses):
    id = "houses"

    def post_process_after_hyperparam_optimize(self, model):
        if marker := os.environ.get("STOP_AT"):
            Path(marker).touch()
            time.sleep(600)


class Taxes(toys.Taxes):
    id = "taxes"


class Broken(toys.Houses):
    id = "broken"

    def feature_engineering_for_train(self, data):
        raise ValueError("no such town")
'''


@dataclass
class Shop:
    """A project folder, and how commands are started in it."""

    home: Path
    environment: dict = field(default_factory=dict)

    def start(self, selection: str, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [*COMMAND, "xingu_dagster.definitions", "--select", selection],
            cwd=self.home,
            env={**os.environ, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def materialize(self, selection: str, **environment: str) -> tuple[int, str]:
        """Return the exit code and the output of a command."""
        process = self.start(selection, **environment)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def processes(self) -> dict[str, str]:
        """Process ids of the last run by step; of the run itself as an empty text."""
        with dg.DagsterInstance.local_temp(str(self.home / ".dagster")) as instance:
            logs = instance.all_logs(instance.get_runs(limit=1)[0].run_id)
        found = {}
        for event in (entry.dagster_event for entry in logs if entry.dagster_event):
            pid = getattr(event.event_specific_data, "metadata", {}).get("pid")
            if pid is not None:
                found[event.step_key or ""] = pid.value
        return found

    def model(self) -> Model:
        return Model.load("houses", path=self.home / "models")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A project whose model `houses` was trained by one command."""
    home = tmp_path_factory.mktemp("shop")
    package = f"shop_{uuid4().hex}"
    (home / package).mkdir()
    (home / package / "models.py").write_text(PROVIDERS)
    shutil.copyfile(ROOT / "dagster.yaml", home / "dagster.yaml")
    shop = Shop(
        home,
        {
            "PROJECT_HOME": str(home),
            "DATAPROVIDER_FOLDER": package,
            "DATABASES": f"db|{write_database(home / 'houses.db')}",
            "DAGSTER_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        },
    )
    shop.code, shop.output = shop.materialize('key:"houses/*"')
    shop.first_processes = shop.processes()
    return shop


def test_a_command_trains_a_model_that_predicts(shop):
    assert shop.code == 0, shop.output
    estimations = shop.model().predict(houses(5))["estimation"]
    assert estimations.tolist() == pytest.approx(houses(5)["price"].tolist(), abs=100)


def test_each_phase_runs_in_a_process_of_its_own(shop):
    phases = ("prepare", "tune", "fit", "evaluate", "batch")
    assert set(shop.first_processes) >= {f"houses__{phase}" for phase in phases}
    assert len(set(shop.first_processes.values())) == len(shop.first_processes)


def test_progress_is_in_the_output(shop):
    for line in ("houses: raw/houses in", "houses: model in", "houses: batch/estimations in"):
        assert line in shop.output


def test_a_failing_hook_ends_the_command_with_code_1_and_its_name(shop):
    code, output = shop.materialize('key:"broken/*"')
    assert code == 1
    assert "broken.feature_engineering_for_train raised ValueError: no such town" in output


def test_a_command_loads_what_it_was_not_asked_to_make(shop):
    code, output = shop.materialize('key:"houses/trainset_metrics"')
    assert code == 0, output
    assert set(shop.processes()) - {""} == {"houses__evaluate"}
    assert "houses: loaded splits" in output
    assert "houses: trainset_metrics in" in output


def test_a_run_that_is_killed_while_it_fits_leaves_the_model_before_and_a_new_run_trains(shop):
    before = shop.model().train_id
    marker = shop.home / "fitting"
    process = shop.start('key:"houses/model"', STOP_AT=str(marker))
    until = time.monotonic() + 60
    while not marker.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)  # its own session: the command and its steps
    process.communicate()
    assert marker.exists()
    assert shop.model().train_id == before
    assert len(shop.model().predict(houses(5))) == 5
    code, output = shop.materialize('key:"houses/model"')
    assert code == 0, output
    assert shop.model().train_id != before
