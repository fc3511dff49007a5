"""Wheels and sdists hold what they should, and an sdist builds the same wheel."""

import tarfile
import zipfile
from email.parser import Parser

import pytest

from tests.support.distributions import BOTH, CORE, DAGSTER, ROOT, build
from xingu import __version__

each = pytest.mark.parametrize("distribution", BOTH, ids=lambda one: one.name)


def files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(wheel):
    [content] = [data for name, data in files(wheel).items() if name.endswith("/METADATA")]
    return Parser().parsestr(content.decode())


def needed_by(wheel):
    return metadata(wheel).get_all("Requires-Dist", [])


@each
def test_a_wheel_holds_its_package_and_nothing_else(archives, distribution):
    found = files(archives.wheels[distribution.name])
    package = [path for path in (ROOT / distribution.package).rglob("*") if path.is_file()]
    expected = {str(path.relative_to(ROOT)) for path in package if path.suffix != ".pyc"}
    assert {name for name in found if ".dist-info/" not in name} == expected
    assert f"{distribution.package}/py.typed" in expected


@each
def test_a_wheel_has_licence_readme_and_version(archives, distribution):
    wheel = archives.wheels[distribution.name]
    [licence] = [data for name, data in files(wheel).items() if name.endswith("licenses/LICENSE")]
    assert licence == (ROOT / "LICENSE").read_bytes()
    found = metadata(wheel)
    assert (found["Name"], found["Version"]) == (distribution.name, __version__)
    assert found["License-Expression"] == "Apache-2.0"
    assert str(found.get_payload()).startswith("# ")


def test_xingu_needs_the_core_of_its_own_version(archives):
    needed = needed_by(archives.wheels[DAGSTER.name])
    assert f"xingu-core[train]=={__version__}" in needed
    assert {str(one) for one in DAGSTER.dependencies} <= set(needed)


def test_the_core_needs_neither_dagster_nor_databases(archives):
    needed = needed_by(archives.wheels[CORE.name])
    always = " ".join(one for one in needed if "extra ==" not in one)
    for name in ("dagster", "sqlalchemy", "plotly", "scikit-optimize", "alembic"):
        assert name not in always


@each
def test_an_sdist_builds_the_same_wheel(archives, distribution, tmp_path):
    with tarfile.open(archives.sdists[distribution.name]) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    [source] = (tmp_path / "source").iterdir()
    (tmp_path / "wheel").mkdir()
    again = files(build(source, tmp_path / "wheel", "wheel"))
    assert again == files(archives.wheels[distribution.name])
