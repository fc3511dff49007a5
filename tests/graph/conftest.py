import pytest

from tests.support.project import Project
from tests.support.toys import Houses, Taxes


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, [Houses, Taxes])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project whose models are trained; tests only look at it."""
    project = Project(tmp_path_factory.mktemp("project"), [Houses, Taxes])
    project.result = project.run("houses/*", "taxes/*")
    return project
