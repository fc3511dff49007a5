"""Kinds of sources and sinks follow the database or the file."""

import pytest

from tests.support.toys import Houses
from xingu_dagster import XinguProject, XinguResource, build_xingu_assets
from xingu_dagster.kinds import source_kinds

BACKENDS = {"shop": "postgresql", "lake": "duckdb"}


@pytest.mark.parametrize(
    ("declared", "kinds"),
    [
        ({"source": "shop", "query": "select 1"}, ["postgres"]),
        ({"source": "lake", "query": "select 1"}, ["duckdb"]),
        ({"source": "unknown", "query": "select 1"}, []),
        ({"url": "s3://bucket/sales/*.parquet"}, ["parquet"]),
        ({"url": "sales.csv.gz"}, ["csv"]),
        ({"url": "sales", "params": {"format": "json"}}, ["json"]),
        ({"url": "https://host/report?id=1"}, []),
        ({"asset": "a/b"}, []),
        (None, []),
    ],
)
def test_a_source_has_the_kind_of_its_database_or_file(declared, kinds):
    assert source_kinds(declared, lambda name: BACKENDS.get(name, "")) == kinds


def test_assets_of_a_project_have_the_kinds_of_its_databases():
    sinks = {"out": {"database": "db", "table": "prices"}}
    resource = XinguResource(databases={"db": "postgresql+psycopg2://host/shop"})
    cls = type("Written", (Houses,), {"batch_predict_sinks": sinks})
    project = XinguProject([cls], settings=resource)
    for assets in (project.assets(), build_xingu_assets(cls, settings=resource)):
        kinds = {spec.key.to_user_string(): spec.kinds for one in assets for spec in one.specs}
        assert kinds["sources/houses/houses"] == {"source", "postgres"}
        assert kinds["houses/batch/sinks/out"] == {"batch", "table", "postgres"}
