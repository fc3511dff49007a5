"""The database of foreign projects."""

import pytest

from tests.support.toys import write_database


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return write_database(tmp_path_factory.mktemp("database") / "houses.db")
