"""A user's project in a folder of its own, and real commands in it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import dagster as dg

from tests.support.toys import write_database
from xingu import Model

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "dagster", "asset", "materialize", "-m")

PROVIDERS = '''
"""DataProviders of a user."""

import os
import time
from pathlib import Path

from tests.support import toys


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
    environment: dict[str, str]

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
        """Return the current model `houses`."""
        default = str(self.home / "models")
        return Model.load("houses", path=self.environment.get("TRAINED_MODELS_PATH", default))


def open_shop(home: Path, **environment: str) -> Shop:
    """Make a project in `home`, where nothing is trained yet.

    Args:
        home: An empty folder.
        environment: Settings beyond those that every project needs.
    """
    package = f"shop_{uuid4().hex}"
    (home / package).mkdir()
    (home / package / "models.py").write_text(PROVIDERS)
    shutil.copyfile(ROOT / "dagster.yaml", home / "dagster.yaml")
    settings = {
        "PROJECT_HOME": str(home),
        "DATAPROVIDER_FOLDER": package,
        "DATABASES": f"db|{write_database(home / 'houses.db')}",
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    return Shop(home, {**settings, **environment})
