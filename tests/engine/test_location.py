"""Name of the code location of a run that the UI did not launch."""

from types import SimpleNamespace

import pytest

from xingu_dagster.engine.location import code_location

PYPROJECT = '[tool.dagster]\nmodule_name = "{}"\ncode_location_name = "of the project"\n'
TWO = """
load_from:
  - grpc_server: {host: localhost, port: 4266, location_name: elsewhere}
  - python_file: {relative_path: defs.py, location_name: of the file}
  - python_module: {module_name: homes.defs, location_name: of the module}
"""


def of_run(home, **pointer):
    code = SimpleNamespace(
        repository_origin=SimpleNamespace(code_pointer=SimpleNamespace(**pointer))
    )
    run = SimpleNamespace(remote_job_origin=None, job_code_origin=code if pointer else None)
    return code_location(SimpleNamespace(run=run), home)  # type: ignore[arg-type]


def test_it_is_the_location_that_loads_the_same_code(tmp_path):
    (tmp_path / "workspace.yaml").write_text(TWO)
    assert of_run(tmp_path, module="homes.defs") == "of the module"
    assert of_run(tmp_path, python_file=str(tmp_path / "defs.py")) == "of the file"


@pytest.mark.parametrize("module", ["xingu_dagster.definitions", "homes.defs"])
def test_it_is_the_only_location_whatever_it_loads(tmp_path, module):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.format(module))
    assert of_run(tmp_path) == "of the project"


def test_without_a_workspace_it_is_what_dagster_dev_calls_the_code(tmp_path):
    assert of_run(tmp_path) == "xingu_dagster.definitions"
    assert of_run(tmp_path, module="homes.defs") == "homes.defs"
    assert of_run(tmp_path, python_file="folder/defs.py") == "defs.py"


def test_a_workspace_that_cannot_be_read_fails_no_train(tmp_path, caplog):
    (tmp_path / "workspace.yaml").write_text("load_from: [{python: 1}]")
    assert of_run(tmp_path, module="homes.defs") == "homes.defs"
    assert "code locations of" in caplog.text
