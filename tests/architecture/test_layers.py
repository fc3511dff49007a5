"""The import contracts, from which the page on the architecture is generated, have all modules."""

import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import xingu
import xingu_dagster

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.parametrize("package", [xingu, xingu_dagster])
def test_every_module_of_a_package_is_in_a_layer(package):
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    layers = " ".join(layer for one in contracts for layer in one.get("layers", ()))
    modules = {one.name for one in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")}
    assert modules - {*re.findall(r"[\w.]+", layers)} == set()
