"""Keys, groups, kinds, tags and owners come from the translator, which users may subclass."""

import dagster as dg
import pytest

from tests.support.graphs import translated
from tests.support.project import Project
from tests.support.toys import Houses, Taxes
from xingu.names import key_part
from xingu.provider.state import PreparedSplits
from xingu_dagster.factory import build_provider_assets
from xingu_dagster.translator import XinguTranslator


class TeamTranslator(XinguTranslator):
    """Puts everything below the team, and names it in its own way."""

    def get_asset_key(self, dp_id, path):
        return super().get_asset_key(dp_id, path).with_prefix(["team", "pricing"])

    def get_source_key(self, dp_id, path):
        return dg.AssetKey(("warehouse", key_part(dp_id), *path))

    def get_group_name(self, provider):
        return "pricing"

    def get_description(self, props):
        return f"Made by the team: {super().get_description(props)}"

    def get_kinds(self, props):
        return {*super().get_kinds(props), "python"}

    def get_tags(self, props):
        return {**super().get_tags(props), "layer": props.path[0]}

    def get_owners(self, props):
        return ["team:pricing"]


class Tagged(Houses):
    owners = ("ana@example.org",)
    tags = {"domain": "houses"}


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """Houses and Taxes, materialized below the keys of the team."""
    project = Project(tmp_path_factory.mktemp("team"), [Houses, Taxes])
    translated(project, TeamTranslator()).run("team/pricing/*")
    return project


def spec_of(cls, translator, *path):
    """Return the spec of an asset of `cls`."""
    key = dg.AssetKey(path)
    assets = build_provider_assets(cls, translator=translator)
    return next(one for asset in assets for one in asset.specs if one.key == key)


def test_a_graph_with_other_keys_is_materialized_and_its_values_are_found(team):
    splits = team.load("team/pricing/houses/splits")
    assert isinstance(splits, PreparedSplits)
    assert len(team.load("team/pricing/houses/batch/estimations").frame) == 50
    assert team.values.find(("houses", "splits")) is None
    assert team.values.find(("team", "pricing", "houses", "cleaned", "replay_sample"))


def test_edges_follow_the_keys_also_those_between_data_providers(team):
    graph = team.definitions.resolve_asset_graph()
    parents = graph.get(dg.AssetKey(["team", "pricing", "taxes", "cleaned"])).parent_keys
    assert dg.AssetKey(["team", "pricing", "houses", "model"]) in parents
    raw = graph.get(dg.AssetKey(["team", "pricing", "houses", "raw", "houses"]))
    assert raw.parent_keys == {dg.AssetKey(["warehouse", "houses", "houses"])}


def test_an_asset_downstream_reads_a_model_by_its_key(team):
    @dg.asset(ins={"model": dg.AssetIn(dg.AssetKey(["team", "pricing", "houses", "model"]))})
    def price(model) -> float:
        rows = team.load("team/pricing/houses/splits").frames["test"]
        return float(model.predict(rows)["estimation"].mean())

    definitions = dg.Definitions.merge(team.definitions, dg.Definitions([price]))
    job = definitions.resolve_implicit_global_asset_job_def()
    run = job.execute_in_process(instance=team.instance, asset_selection=[price.key])
    assert run.asset_value(price.key) > 100


def test_later_runs_use_the_values_of_earlier_ones_below_other_keys(team):
    first = team.values.record(("team", "pricing", "houses", "splits")).value_id
    team.run("team/pricing/houses/trainset_metrics")
    assert team.values.record(("team", "pricing", "houses", "splits")).value_id == first


def test_checks_are_on_the_keys_of_the_translator(team):
    keys = team.definitions.resolve_asset_graph().asset_check_keys
    wanted = dg.AssetCheckKey(dg.AssetKey(["team", "pricing", "houses", "splits"]), "leakage")
    assert wanted in keys


def test_group_kinds_tags_owners_and_descriptions_come_from_the_translator():
    spec = spec_of(Tagged, TeamTranslator(), "team", "pricing", "houses", "model")
    assert spec.group_name == "pricing"
    assert spec.kinds == {"lightgbm", "python"}
    assert spec.tags.items() >= {"domain": "houses", "layer": "model"}.items()
    assert list(spec.owners) == ["team:pricing"]
    assert spec.description.startswith("Made by the team: ")
    source = spec_of(Tagged, TeamTranslator(), "warehouse", "houses", "houses")
    assert source.group_name == "pricing"


def test_the_default_takes_group_tags_and_owners_from_the_data_provider():
    spec = spec_of(Tagged, None, "houses", "batch", "features")
    assert (spec.group_name, list(spec.owners)) == ("houses", ["ana@example.org"])
    assert spec.tags["domain"] == "houses"
    assert spec.kinds == {"batch", "dataframe"}
    assert "feature_engineering_for_batch_predict" in spec.description


def test_every_asset_has_a_description():
    for asset in build_provider_assets(Houses):
        assert all(spec.description for spec in asset.specs)
