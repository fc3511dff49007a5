"""A process that loads a Model and predicts imports nothing that only training needs."""

import subprocess
import sys
import textwrap

import pytest

from tests.support.distributions import ROOT
from tests.support.project import Project
from tests.support.toys import Houses

TRAINING_ONLY = ("alembic", "dagster", "git", "plotly", "skopt", "sqlalchemy", "xingu_dagster")

SCRIPT = """
import sys

class Report:
    '''Prints each import of a package that only training needs, and the modules that lead to it.'''

    def find_spec(self, name, path=None, target=None):
        if name in {forbidden}:
            frame, via = sys._getframe(1), []
            while frame is not None:
                module = frame.f_globals.get("__name__", "")
                if module.split(".")[0] == "xingu" and module not in ("xingu.extras", *via):
                    via.append(module)
                frame = frame.f_back
            print(name, "is imported by", " < ".join(via) or "a library")
        return None

sys.meta_path.insert(0, Report())
{action}
"""


def imports_too_much(action, folder):
    """Run `action` in a process of its own; return the lines that Report prints."""
    script = SCRIPT.format(forbidden=TRAINING_ONLY, action=textwrap.dedent(action))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["Model", "DataProvider", "DataProviderFactory", "Estimator"])
def test_importing_xingu_needs_no_package_of_training(name, tmp_path):
    assert imports_too_much(f"from xingu import {name}", tmp_path) == []


def test_the_report_names_who_imports_too_much(tmp_path):
    [first, *_] = imports_too_much("import xingu.plots.theme", tmp_path)
    assert first == "plotly is imported by xingu.plots"


def test_loading_and_predicting_need_no_package_of_training(tmp_path):
    project = Project(tmp_path / "trained", [Houses], {"batch_predict": False})
    project.home.mkdir()
    project.run("houses/*")
    (tmp_path / "empty").mkdir()
    action = f"""
    import pandas as pd
    from xingu import Model
    rows = pd.DataFrame({{"size": [50.0, 90.0], "town": ["north", "south"]}})
    assert len(Model.load("houses", path={str(project.home / "models")!r}).predict(rows)) == 2
    """
    assert imports_too_much(action, tmp_path / "empty") == []
