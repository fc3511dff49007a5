"""Observable sources: what an observation shows, and that trains record the same version."""

import sqlite3

import dagster as dg
import pytest

from tests.support.project import Project
from tests.support.toys import Houses, query

KEY = dg.AssetKey(["sources", "houses", "houses"])
MARK = "select max(id) as last, count(*) from houses"


class Watching(Houses):
    """Its source has a watermark; the batch has not."""

    train_dataset_sources = query("select * from houses")
    seconds = 0.0

    def get_dataset_sources_for_train(self, model=None):
        entry = self.train_dataset_sources["houses"]
        return {"houses": {**entry, "watermark": MARK, "observe_seconds": self.seconds}}


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path, [Watching])
    assert made.config  # makes the database
    return made


def observation(project, key=KEY):
    (record,) = project.instance.fetch_observations(key, limit=1).records
    event = record.asset_observation
    values = {name.removeprefix("xingu/"): one.value for name, one in event.metadata.items()}
    return event.tags["dagster/data_version"], values


def add_house(project) -> None:
    with sqlite3.connect(project.home / "houses.db") as db:
        columns = [row[1] for row in db.execute("pragma table_info(houses)") if row[1] != "id"]
        names = ", ".join(f'"{name}"' for name in columns)
        db.execute(f"insert into houses (id, {names}) select 9999, {names} from houses limit 1")
    db.close()


def test_an_observation_shows_rows_watermark_and_whether_history_was_rewritten(project):
    project.run("sources/houses/houses")
    first, shown = observation(project)
    assert (shown["dagster/row_count"], shown["watermark"]) == (400, "399")
    assert shown["version found by"] == "watermark query"
    assert "rewritten" not in shown
    add_house(project)
    project.run("sources/houses/houses")
    second, shown = observation(project)
    assert second != first
    assert (shown["dagster/row_count"], shown["rewritten"]) == (401, False)
    with sqlite3.connect(project.home / "houses.db") as db:
        db.execute("delete from houses where id < 10")
    db.close()
    project.run("sources/houses/houses")
    assert observation(project)[1]["rewritten"] is True


def test_a_train_records_the_version_that_an_observation_sees(project):
    project.run("sources/houses/houses", "sources/houses/batch/houses", "houses/raw/houses")
    (source,) = project.values.record(("houses", "raw", "houses")).facts.sources
    version, shown = observation(project)
    assert (source.observed, source.observed_rows) == (version, shown["dagster/row_count"])
    assert source.watermark == shown["watermark"]


def test_an_observation_is_repeated_until_the_declared_seconds_have_passed(project, monkeypatch):
    monkeypatch.setattr(Watching, "seconds", 3600.0)
    project.run("sources/houses/houses")
    first = observation(project)
    add_house(project)
    project.run("sources/houses/houses")
    assert observation(project) == first
    monkeypatch.setattr(Watching, "seconds", 0.0)
    project.run("sources/houses/houses")
    assert observation(project)[0] != first[0]


def test_a_raw_asset_is_requested_when_an_observation_finds_other_data(project):
    raw = dg.AssetKey(["houses", "raw", "houses"])
    changed = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed())

    def conditioned(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(automation_condition=changed) if spec.key == raw else spec

    definitions = project.definitions.map_asset_specs(func=conditioned)

    def requested(cursor=None):
        project.run("sources/houses/houses")
        return dg.evaluate_automation_conditions(definitions, project.instance, cursor=cursor)

    cursor = requested().cursor
    same = requested(cursor)
    assert same.total_requested == 0
    add_house(project)
    assert requested(same.cursor).get_num_requested(raw) == 1
