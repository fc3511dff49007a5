"""Tests of the code in a package if files are edited between their import and the train."""

import importlib
import sys

import pytest

from tests.support.projects import SHARED, CodeFolder, save
from xingu import Model
from xingu.provider.code_version import code_version
from xingu.provider.discovery import DataProviderFactory
from xingu.registry.store import ModelStore

ONE = "\nclass One(Shared):\n    id = 'one'\n    hollow = True\n"
FILES = {"dps_s/_shared.py": SHARED, "dps_s/one.py": f"from ._shared import Shared\n{ONE}"}
FOUND = {
    "in a folder": lambda project: DataProviderFactory(providers_folder=project.root / "dps_s"),
    "as a class": lambda project: DataProviderFactory([project.cls("dps_s.one.One")]),
    "without a graph": lambda project: Model(project.cls("dps_s.one.One")()),
}


@pytest.fixture
def project(tmp_path):
    folder = CodeFolder(tmp_path / "project")
    folder.write(FILES)
    yield folder
    folder.leave()


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


def edit(project, path):
    """Add a line to the class that a file ends with."""
    file = project.root / path
    file.write_text(file.read_text() + "    y = 'other'\n")
    return file


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("find", FOUND.values(), ids=FOUND)
def test_a_package_holds_the_code_that_was_imported(project, store, caplog, find, path):
    find(project)
    file = edit(project, path)
    cls = project.cls("dps_s.one.One")
    save(store, cls)
    assert f"{file} was changed after its import" in caplog.text
    project.leave()
    loaded = store.load("one", "first").dp
    assert loaded.y == "price"
    assert code_version(type(loaded)) == code_version(cls)


def test_a_module_that_is_imported_again_is_stored_as_it_is_now(project, store, caplog):
    DataProviderFactory([project.cls("dps_s.one.One")])
    edit(project, "dps_s/one.py")
    importlib.reload(sys.modules["dps_s.one"])
    save(store, project.cls("dps_s.one.One"))
    assert "was changed after its import" not in caplog.text
    project.leave()
    assert store.load("one", "first").dp.y == "other"
