"""An import of `xingu_dagster` changes nothing in the process that imports it."""

import subprocess
import sys

import pytest

import xingu_dagster

SCRIPT = """
import gc, os, threading, sys, signal, logging
import dagster, pandas, pydantic_settings

def state():
    return (dict(os.environ), gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(),
            threading.active_count(), signal.getsignal(signal.SIGALRM), list(sys.path),
            list(logging.getLogger().handlers), os.getcwd())

before = state()
import xingu_dagster
loaded = {"xingu_dagster.project", "xingu_dagster.component"} & set(sys.modules)
assert not loaded, loaded
for name in xingu_dagster.__all__:
    getattr(xingu_dagster, name)
from xingu import DataProvider

class Houses(DataProvider):
    id = "houses"
    train_dataset_sources = {"rows": {"url": "rows.csv"}}

project = xingu_dagster.XinguProject([Houses])
dagster.Definitions.merge(project.definitions(), dagster.Definitions(executor=project.executor()))
assert state() == before, [
    (one, other) for one, other in zip(before, state()) if one != other
]
print("unchanged")
"""


def test_an_import_and_definitions_change_nothing_in_the_process():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "unchanged\n", done.stderr


def test_all_public_names_are_importable_and_listed():
    assert set(xingu_dagster.__all__) <= set(dir(xingu_dagster))
    assert all(getattr(xingu_dagster, name) is not None for name in xingu_dagster.__all__)
    with pytest.raises(AttributeError, match="no attribute 'XinguProjekt'"):
        _ = xingu_dagster.XinguProjekt
