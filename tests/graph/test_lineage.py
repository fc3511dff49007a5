"""The tables of queries in the graph: assets that make them, tables and columns in metadata."""

import dagster as dg
import pytest

from tests.support.project import Project
from tests.support.toys import Houses, query
from xingu_dagster.project import XinguProject
from xingu_dagster.translator import XinguTranslator

GROUPED = {
    "made": {
        "source": "db",
        "query": "create temp table big as select id, price, size from main.houses where size > 1",
        "group": "one",
    },
    "houses": {"source": "db", "query": "select id, price * 2 as double from big", "group": "one"},
}


class Mapping(XinguTranslator):
    """Maps the tables of one database to the models of dbt."""

    def table_asset_key(self, nickname, table):
        known = nickname == "db" and table.name == "houses"
        return dg.AssetKey(["dbt", table.schema or "main", table.name]) if known else None


def graph_of(project, translator=None) -> dict[str, set[str]]:
    """Return the keys upstream of each asset."""
    classes = {str(cls.id): cls for cls in project.providers}
    made = XinguProject(classes, settings=project.config, translator=translator).definitions()
    graph = made.resolve_asset_graph()
    return {
        key.to_user_string(): {one.to_user_string() for one in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }


def project_of(tmp_path, declared, batch=None) -> Project:
    made = type("Declared", (Houses,), {
        "train_dataset_sources": declared, "batch_predict_dataset_sources": batch or {}
    })  # fmt: skip
    return Project(tmp_path, [made])


@pytest.mark.parametrize(
    ("sql", "upstream"),
    [
        ("with h as (select * from houses) select * from h", {"dbt/main/houses"}),
        ("select * from sales.houses", {"dbt/sales/houses"}),
        ("select * from towns", {"sources/houses/houses"}),
        ("select * from houses join towns", {"sources/houses/houses", "dbt/main/houses"}),
        ("select ((", {"sources/houses/houses"}),
    ],
)
def test_a_mapped_table_connects_the_asset_that_makes_it(tmp_path, sql, upstream):
    project = project_of(tmp_path, query(sql), query(sql))
    graph = graph_of(project, Mapping())
    assert graph["houses/raw/houses"] == upstream
    batch = {name.replace("sources/houses", "sources/houses/batch") for name in upstream}
    assert graph["houses/batch/raw/houses"] == batch
    assert ("sources/houses/houses" in graph) == ("sources/houses/houses" in upstream)


def test_a_temporary_table_of_a_group_stands_for_its_tables(tmp_path):
    graph = graph_of(project_of(tmp_path, GROUPED), Mapping())
    assert graph["houses/raw/houses"] == graph["houses/raw/made"] == {"dbt/main/houses"}


def test_no_sql_is_parsed_unless_tables_are_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "xingu_dagster.upstream.trace_source", lambda *_, **__: pytest.fail("parsed")
    )
    graph = graph_of(project_of(tmp_path, query("select * from houses")))
    assert graph["houses/raw/houses"] == {"sources/houses/houses"}


def lineage_of(project) -> dict[str, set[str]]:
    found = project.metadata("houses/raw/houses")["dagster/column_lineage"].deps_by_column
    return {
        name: {f"{one.asset_key.to_user_string()} {one.column_name}" for one in deps}
        for name, deps in found.items()
    }


def test_a_raw_asset_shows_its_tables_and_the_origin_of_each_column(tmp_path):
    project = project_of(tmp_path, GROUPED)
    project.run("houses/raw/houses")
    shown = project.metadata("houses/raw/houses")
    assert shown["dagster/table_name"] == shown["tables"] == "main.houses"
    assert lineage_of(project) == {
        "id": {"sources/houses/houses main.houses.id"},
        "double": {"sources/houses/houses main.houses.price"},
    }


def test_the_origin_of_a_column_is_a_column_of_the_asset_that_makes_the_table(tmp_path):
    sql = "select h.id, h.PRICE from houses as h"
    declared = {"source": "db", "query": sql, "depends_on": ["dbt/main/houses"]}
    project = project_of(tmp_path, {"houses": declared})
    project.run("houses/raw/houses")
    assert lineage_of(project) == {"id": {"dbt/main/houses id"}, "price": {"dbt/main/houses price"}}


def test_a_star_is_said_to_be_unknown_and_what_cannot_be_parsed_is_no_error(tmp_path):
    project = project_of(tmp_path, query("select * from houses"))
    project.run("houses/raw/houses")
    shown = project.metadata("houses/raw/houses")
    assert shown["dagster/table_name"] == "houses"
    assert "dagster/column_lineage" not in shown
    assert shown["column lineage"].startswith("not known; name the columns")
    other = tmp_path / "other"
    other.mkdir()
    odd = project_of(other, query("values (1)"))
    odd.run("houses/raw/houses")
    assert "tables" not in odd.metadata("houses/raw/houses")
