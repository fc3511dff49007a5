"""Both wheels, installed into empty virtual environments, do what their descriptions promise.

The environments are made once, at the locked versions. pip needs the package index for that; with a
warm cache both take about a minute on two cores.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.support.distributions import CORE, ROOT, rooms_with_an_extra
from tests.support.toys import houses
from xingu import __version__

pytestmark = pytest.mark.packaging

PROVIDER = '''
from pathlib import Path

import plotly.express as px
from dataproviders._towns import sorted_towns

from xingu import DataProvider


class Houses(DataProvider):
    """Prices of houses, from a file beside this one."""

    id = "houses"
    train_dataset_sources = {"houses": {"url": str(Path(__file__).with_name("houses.csv"))}}
    x_features = x_estimator_features = ("size", "town")
    y = "price"
    estimator_class = "xingu.estimators.LightGBMRegressor"
    estimator_params = {"n_estimators": 20, "min_child_samples": 5}

    def clean_data_for_train(self, datasets):
        self.towns = sorted_towns(datasets["houses"])
        return datasets["houses"].set_index("id")

    def draw(self, rows):
        return px.histogram(rows["size"])
'''

HELPER = """
def sorted_towns(houses):
    return sorted(houses["town"].unique())
"""

PREDICT = """
import sys
import pandas as pd
from xingu import Model

model = Model.load("houses", path=sys.argv[1])
print(model.predict(pd.read_csv(sys.argv[2]).set_index("id"))["estimation"].to_json())
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment outside of the repository."""

    home: Path

    def run(self, command: str, *arguments: str, cwd: Path, **variables: str) -> str:
        """Return the output of a command that is installed in the environment."""
        kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
        done = subprocess.run(
            [str(self.home / "bin" / command), *arguments],
            cwd=cwd,
            env={**kept, "DAGSTER_DISABLE_TELEMETRY": "1", **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def python(self, code: str, *arguments: str, cwd: Path) -> str:
        """Return what a script prints."""
        return self.run("python", "-c", code, *arguments, cwd=cwd)

    def installed(self, cwd: Path) -> dict[str, str]:
        """Return versions by name of the distributions that are installed."""
        code = (
            "import importlib.metadata as m, json;"
            "print(json.dumps({one.name.lower(): one.version for one in m.distributions()}))"
        )
        return json.loads(self.python(code, cwd=cwd))


def install(home: Path, *wheels: Path) -> Environment:
    """Make an environment that holds `wheels` and what they depend on."""
    venv.create(home, with_pip=False)
    environment = Environment(home)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install"]
    locked = ["--quiet", "--no-compile", "--constraint", str(ROOT / "constraints.txt")]
    done = subprocess.run(
        [*pip, *locked, *map(str, wheels)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return environment


@pytest.fixture(scope="session")
def core(archives, tmp_path_factory):
    """An environment with the wheel of `xingu-core` alone."""
    return install(tmp_path_factory.mktemp("core-env"), archives.wheels[CORE.name])


@pytest.fixture(scope="session")
def full(archives, tmp_path_factory):
    """An environment with both wheels."""
    return install(tmp_path_factory.mktemp("full-env"), *archives.wheels.values())


@pytest.fixture(scope="session")
def rows(tmp_path_factory):
    """A file with houses to estimate."""
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    houses(5, seed=1).drop(columns="price").to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def trained(full, tmp_path_factory):
    """A project of a user whose model was trained by one command."""
    home = tmp_path_factory.mktemp("project")
    (home / "dataproviders").mkdir()
    (home / "dataproviders" / "houses.py").write_text(PROVIDER)
    (home / "dataproviders" / "_towns.py").write_text(HELPER)
    houses().to_csv(home / "dataproviders" / "houses.csv", index=False)
    command = ("asset", "materialize", "-m", "xingu_dagster.definitions")
    full.run("dagster", *command, "--select", 'key:"houses/*"', cwd=home, DAGSTER_HOME=str(home))
    return home


def estimations(environment, trained, rows, cwd):
    printed = environment.python(PREDICT, str(trained / "models"), str(rows), cwd=cwd)
    return pd.Series(json.loads(printed))


def test_both_wheels_are_all_that_a_project_needs_to_train_and_predict(
    full, trained, rows, tmp_path
):
    found = estimations(full, trained, rows, tmp_path)
    assert found.tolist() == pytest.approx(houses(5, seed=1)["price"].tolist(), abs=100)


def test_the_command_is_installed(full, trained):
    assert "inventory" in full.run("xingu", "--help", cwd=trained)
    assert "houses" in full.run("xingu", "inventory", cwd=trained)


def test_the_core_predicts_what_the_environment_of_training_does(
    core, full, trained, rows, tmp_path
):
    expected = estimations(full, trained, rows, tmp_path)
    pd.testing.assert_series_equal(estimations(core, trained, rows, tmp_path), expected)


def test_the_core_brings_neither_dagster_nor_what_training_needs(core, tmp_path):
    installed = core.installed(tmp_path)
    assert installed["xingu-core"] == __version__
    heavy = {"alembic", "dagster", "plotly", "scikit-learn", "scikit-optimize", "sqlalchemy"}
    assert heavy & set(installed) == set()
    assert not [name for name in installed if name.startswith("dagster")]


ROOMS = sorted(rooms_with_an_extra())


@pytest.mark.parametrize(
    ("module", "extra"), [*((name, name) for name in ROOMS), ("estimators.sklearn", "sklearn")]
)
def test_what_needs_an_extra_names_it_when_it_is_missing(core, tmp_path, module, extra):
    code = f"""
from xingu.errors import MissingExtraError
try:
    import xingu.{module}
except MissingExtraError as error:
    print(error.facts["extra"], error)
"""
    said = core.python(code, cwd=tmp_path)
    assert said.startswith(f"{extra} not installed: ")
    assert f"pip install 'xingu-core[{extra}]'" in said


def test_coach_without_dagster_says_what_to_install(core, tmp_path):
    code = """
try:
    from xingu import Coach
except ImportError as error:
    print(error)
"""
    assert "pip install xingu" in core.python(code, cwd=tmp_path)


@pytest.fixture(scope="session")
def begun(full, tmp_path_factory):
    """A project of `xingu init`, with one more model of `xingu new`, trained by its Makefile."""
    parent = tmp_path_factory.mktemp("begun")
    full.run("xingu", "init", "my_project", cwd=parent)
    project = parent / "my_project"
    data = ("--from", "data/apartments_sold.csv", "--target", "price")
    full.run("xingu", "new", "flat", *data, cwd=project)
    (project / ".venv").symlink_to(full.home)
    make(project, "check")
    make(project, "train")
    return project


def make(project, target):
    done = subprocess.run(
        ["make", target], cwd=project, env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_an_empty_folder_becomes_a_project_that_trains_and_predicts(full, begun):
    [code] = re.findall(r"```python\n(.*?)```", (begun / "README.md").read_text(), re.DOTALL)
    assert "A0001" in full.python(code, cwd=begun)
    assert len(pd.read_csv(begun / "estimations" / "apartment_price.csv")) == 60
    listed = full.run("xingu", "inventory", "--json", cwd=begun)
    assert {"apartment_price", "flat"} <= {one["dataprovider_id"] for one in json.loads(listed)}


def test_the_webserver_shows_the_assets_of_a_new_project(full, begun):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    query = {"query": "{ assetNodes { assetKey { path } } }"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps(query).encode(),
        {"Content-Type": "application/json"},
    )
    server = subprocess.Popen(
        [str(full.home / "bin" / "dagster-webserver"), "--port", port],
        cwd=begun, env={"PATH": os.environ["PATH"], "DAGSTER_HOME": str(begun)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        answer = answer_of(request, server)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
    keys = {"/".join(node["assetKey"]["path"]) for node in answer["data"]["assetNodes"]}
    assert {"apartment_price/model", "apartment_price/batch/estimations"} <= keys


def answer_of(request, server):
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the webserver does not answer")
