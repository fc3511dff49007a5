"""Settings of steps that a DataProvider declares: validation, and the steps of the graph."""

from pathlib import Path

import dagster as dg
import pytest

from tests.support.toys import Houses
from xingu import DataProvider
from xingu.config import Settings
from xingu.errors import DeclarationError
from xingu.provider.code_version import code_version
from xingu_dagster import XinguModel
from xingu_dagster.factory import build_provider_assets
from xingu_dagster.project import XinguProject
from xingu_dagster.translator import XinguTranslator


def steps(cls: type[DataProvider] = Houses, translator=None, **declared):
    """Return the steps of a variant of a DataProvider, by phase."""
    assets = build_provider_assets(type("Variant", (cls,), declared), translator)
    return {one.op.name.rpartition("__")[2]: one.op for one in assets}


def refusal(declared) -> str:
    with pytest.raises(DeclarationError) as caught:
        steps(dagster=declared)
    return str(caught.value)


class Flats(Houses):
    """Reads two databases."""

    train_dataset_sources = {
        **Houses.train_dataset_sources,
        "towns": {"source": "lake", "query": "select 1"},
        "notes": {"url": "notes.csv"},
    }
    batch_predict_sinks = {
        "out": {"database": "shop", "table": "prices"},
        "file": {"url": "prices.csv"},
    }


# -- declarations ---------------------------------------------------------------------------------


def test_a_phase_gets_its_pool_retries_and_tags():
    config = {"container_config": {"resources": {"limits": {"nvidia.com/gpu": "1"}}}}
    fit = {
        "pool": "gpu",
        "retry": {"max_retries": 2, "delay": 30, "backoff": "exponential", "jitter": "full"},
        "op_tags": {"dagster-k8s/config": config, "team": "pricing"},
    }
    made = steps(dagster={"fit": fit})
    assert made["fit"].pool == "gpu"
    assert made["fit"].retry_policy == dg.RetryPolicy(
        max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL
    )
    assert made["fit"].tags["team"] == "pricing"
    assert "nvidia.com/gpu" in made["fit"].tags["dagster-k8s/config"]
    assert made["fit"].tags["xingu/work"] == "train"
    assert (made["prepare"].pool, made["prepare"].retry_policy) == (None, None)


def test_a_star_is_all_phases_and_a_phase_adds_to_its_tags():
    common = {"pool": "all", "retry": {"max_retries": 1}, "op_tags": {"a": "1", "b": "1"}}
    made = steps(dagster={"*": common, "batch": {"pool": "own", "op_tags": {"b": "2"}}})
    assert {name: op.pool for name, op in made.items() if name != "sources"} == {
        **dict.fromkeys(("prepare", "tune", "fit", "evaluate", "batch_raw"), "all"),
        "batch": "own",
    }
    assert {"a": "1", "b": "2"}.items() <= dict(made["batch"].tags).items()
    assert made["batch"].retry_policy == dg.RetryPolicy(max_retries=1)


def test_a_priority_that_is_declared_replaces_ours():
    made = steps(dagster={"batch_raw": {"op_tags": {"dagster/priority": "3"}}})
    assert made["batch_raw"].tags["dagster/priority"] == "3"


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ({"fitt": {}}, r"houses.dagster: there is no phase 'fitt'; .* Did you mean 'fit'?"),
        (
            {"fit": {"pol": "gpu"}},
            r"houses.dagster['fit']['pol'] is not known; .* Did you mean",
        ),
        ({"fit": {"retry": {"delays": 3}}}, "['retry']['delays'] is not known"),
        ({"fit": {"retry": 3}}, "houses.dagster['fit']['retry'] is 3; give a dict."),
        ({"fit": "gpu"}, "houses.dagster['fit'] is 'gpu'; give a dict."),
        ({"fit": {"pool": "my pool"}}, "['pool'] is 'my pool'"),
        ({"fit": {"timeout": 0}}, "['timeout'] is 0: Input should be greater than 0"),
        ({"fit": {"retry": {"jitter": "full"}}}, "houses.dagster['fit']['retry']"),
        ({"fit": {"op_tags": {"a": object()}}}, "['op_tags'] can hold texts and JSON only"),
        ("gpu", "houses.dagster is a str; give a dict by phase"),
    ],
)
def test_a_malformed_declaration_is_refused_with_its_place(declared, text):
    found = refusal(declared)
    assert all(part in found for part in text.split(" .* "))


def test_all_that_is_wrong_is_said_at_once():
    assert refusal({"fitt": {}, "tune": {"pol": "a", "timeout": -1}}).count("\n") == 2


def test_a_model_of_yaml_declares_the_same():
    declared = {"id": "flats", "dagster": {"fit": {"pool": "gpu", "timeout": 60}}}
    model = XinguModel.model_validate(declared)
    assert steps(model.provider(Path("defs.yaml")))["fit"].pool == "gpu"


def test_settings_of_steps_and_owners_do_not_change_the_version_of_the_code():
    one, same, other = (
        type("Variant", (Houses,), declared)
        for declared in ({}, {"dagster": {"*": {"timeout": 9}}, "owners": ["team:a"]}, {"y": "z"})
    )
    assert code_version(one) == code_version(same) != code_version(other)


# -- pools of databases ---------------------------------------------------------------------------


def test_steps_that_use_a_database_hold_its_pool():
    made = steps(Flats, XinguTranslator(database_pools={"lake": "lake_1", "shop": "shop_1"}))
    assert {name: op.pool for name, op in made.items() if op.pool} == {
        "prepare": "lake_1",
        "batch_sinks": "shop_1",
    }


def test_a_declared_pool_replaces_that_of_the_database():
    translator = XinguTranslator(database_pools={"db": "db", "lake": "lake"})
    made = steps(Flats, translator, dagster={"prepare": {"pool": "both"}})
    assert (made["prepare"].pool, made["batch_raw"].pool) == ("both", "db")


def test_a_phase_with_two_databases_and_two_pools_is_refused():
    with pytest.raises(DeclarationError, match=r"prepare uses .*db \(pool a\) and lake \(pool b\)"):
        steps(Flats, XinguTranslator(database_pools={"db": "a", "lake": "b"}))


def test_the_setting_gives_databases_pools(tmp_path):
    settings = Settings.given(project_home=tmp_path, database_pools="db|slow|lake|slow")
    assets = XinguProject([Houses], settings=settings).assets()
    assert {one.op.name: one.op.pool for one in assets}["houses__batch_raw"] == "slow"
