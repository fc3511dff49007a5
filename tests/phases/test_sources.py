"""Raw assets: read with what the hook declares at run time, and described by it."""

import dagster as dg
import pytest

from tests.support.project import Project
from tests.support.toys import Houses, query
from xingu.errors import DeclarationError, EmptySourceError
from xingu.records import SourceRecord
from xingu.values import Facts, Record
from xingu_dagster.phases.sources import source_records

ALL = query("select * from houses")


class Changing(Houses):
    """Declares other sources at run time than when the graph was built."""

    declared = ALL

    def get_dataset_sources_for_train(self, model=None):
        return self.declared


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, [Changing], {"datasource_cache": "cache"})


@pytest.mark.parametrize("declared", [{}, {**ALL, "more": ALL["houses"]}, {"homes": ALL["houses"]}])
def test_sources_of_other_names_than_in_the_graph_are_refused(project, monkeypatch, declared):
    project.run("houses/raw/houses", "houses/cleaned")
    monkeypatch.setattr(Changing, "declared", declared)
    with pytest.raises(DeclarationError, match="built with houses; return the same names in every"):
        project.run("houses/raw/houses", "houses/cleaned")


def test_another_query_of_the_same_name_is_read(project, monkeypatch):
    project.run("houses/raw/houses")
    monkeypatch.setattr(Changing, "declared", query("select * from houses where id < 10"))
    project.run("houses/raw/houses")
    assert len(project.load("houses/raw/houses")) == 10


def test_a_train_source_without_rows_is_refused_and_nothing_is_stored(project, monkeypatch):
    assert project.definitions
    monkeypatch.setattr(Changing, "declared", query("select * from houses where id < 0"))
    with pytest.raises(EmptySourceError, match=r"\['houses'\] gave no rows; look at its filters"):
        project.run("houses/raw/houses")
    assert project.values.find(("houses", "raw", "houses")) is None


def test_a_raw_asset_shows_its_database_query_rows_and_whether_the_cache_had_it(project):
    for cached in (False, True):
        project.run("houses/raw/houses")
        shown = project.metadata("houses/raw/houses")
        assert shown["dagster/row_count"] == 400
        assert "select * from houses" in shown["query"]
        assert shown["from cache"] is cached


def test_external_data_shows_its_query_before_a_look_and_its_database_after(project):
    key = dg.AssetKey(["sources", "houses", "houses"])
    spec = project.definitions.resolve_asset_graph().get(key)
    assert "select * from houses" in spec.description
    project.run("sources/houses/houses")
    (record,) = project.instance.fetch_observations(key, limit=1).records
    shown = record.asset_observation.metadata
    assert "houses.db" in shown["xingu/database"].value
    assert "select * from houses" in shown["xingu/query"].value


def test_a_refresh_reads_again(project):
    project.run("houses/raw/houses")
    config = {"ops": {"houses__prepare": {"config": {"refresh_sources": True}}}}
    project.run("houses/raw/houses", config=config)
    assert project.metadata("houses/raw/houses")["from cache"] is False


def test_the_sources_of_a_train_have_the_data_version_of_the_raw_values(project):
    project.run("houses/raw/houses", "houses/cleaned", "houses/features", "houses/splits")
    raw = project.values.record(("houses", "raw", "houses"))
    (source,) = project.values.record(("houses", "splits")).facts.sources
    assert (source.source, source.rows) == ("houses", 400)
    assert source.data_version == raw.data_version
    assert raw.facts.sources[0].data_version == ""
    assert list(source_records([raw])) == [source]


def test_records_without_sources_give_none():
    record = Record.model_construct(data_version="v1", facts=Facts())
    assert source_records([record]) == ()
    source = SourceRecord("a", "a.csv", "", 1, cached=False)
    made = source_records(
        [Record.model_construct(data_version="v1", facts=Facts(sources=[source]))]
    )
    assert [one.data_version for one in made] == ["v1"]


# -- observation ----------------------------------------------------------------------------------


class NeedsModel(Houses):
    """Its batch sources depend on the Model; the attribute has their names."""

    def get_dataset_sources_for_batch_predict(self, model=None):
        return query(f"select * from houses where id < {len(model.train_id)}")


@pytest.mark.parametrize("cls", [Houses, NeedsModel])
@pytest.mark.parametrize("path", [("houses",), ("batch", "houses")])
def test_external_data_is_observed_with_its_version(tmp_path, cls, path):
    project = Project(tmp_path, [cls])
    assert project.config
    key = dg.AssetKey(["sources", "houses", *path])
    job = project.definitions.resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=project.instance, asset_selection=[key]).success
    (record,) = project.instance.fetch_observations(key, limit=1).records
    assert record.asset_observation.data_version
