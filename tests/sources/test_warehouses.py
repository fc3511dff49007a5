"""URLs of Athena and Databricks, as far as they go without the service and its driver."""

import sys

import pytest

from xingu.errors import SourceError
from xingu.sources import Databases

ATHENA = (
    "awsathena+rest://AKIAIOSFODNN7EXAMPL:s3cret%2F@athena.eu-west-1.amazonaws.com:443/sales"
    "?s3_staging_dir=s3://bucket/results/&work_group=primary&role_session_name=s3cret"
)
DATABRICKS = (
    "databricks://token:dapis3cret@dbc-1.cloud.databricks.com"
    "?http_path=/sql/1.0/warehouses/1&catalog=main&schema=sales"
)


@pytest.fixture
def databases(tmp_path) -> Databases:
    return Databases({"athena": ATHENA, "databricks": DATABRICKS}, tmp_path)


def test_the_parts_of_an_athena_url_are_those_that_its_driver_reads(databases):
    url = databases.url("athena")
    assert (url.get_backend_name(), url.get_driver_name()) == ("awsathena", "rest")
    assert (url.password, url.port, url.database) == ("s3cret/", 443, "sales")
    assert url.query["s3_staging_dir"] == "s3://bucket/results/"


def test_the_parts_of_a_databricks_url_are_those_that_its_driver_reads(databases):
    url = databases.url("databricks")
    assert (url.drivername, url.username, url.password) == ("databricks", "token", "dapis3cret")
    assert url.query["http_path"] == "/sql/1.0/warehouses/1"


def test_their_addresses_show_no_key(databases):
    assert databases.address("athena") == (
        "awsathena+rest://***@athena.eu-west-1.amazonaws.com:443/sales"
        "?s3_staging_dir=s3://bucket/results/&work_group=primary&role_session_name=***"
    )
    assert databases.address("databricks") == (
        "databricks://***@dbc-1.cloud.databricks.com"
        "?http_path=/sql/1.0/warehouses/1&catalog=main&schema=sales"
    )


@pytest.mark.parametrize(
    ("nickname", "package"), [("athena", "pyathena"), ("databricks", "databricks")]
)
def test_a_missing_driver_is_told_with_the_extra_that_brings_it(
    databases, monkeypatch, nickname, package
):
    for name in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    expected = rf"{nickname}.*Install the Python driver.*pip install 'xingu\[{nickname}\]'"
    with pytest.raises(SourceError, match=expected) as caught, databases.connect(nickname):
        pass
    assert "s3cret" not in str(caught.value)
