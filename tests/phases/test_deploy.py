"""Assets `<dp>/deploy/<target>`: their place in the graph, and what materializing them does."""

import dagster as dg
import pytest

from tests.support.project import Project
from tests.support.toys import Houses, Taxes


class Gated(Houses):
    quality_gates = {"test": {"R2": (">=", 0.5)}}


class Impossible(Houses):
    quality_gates = {"test": {"R2": (">=", 2.0)}}
    checks = {"quality_gates": {"severity": "warn"}}


TRAIN = (
    *("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model"),
    *("trainset_estimations", "trainset_metrics"),
)


@pytest.fixture(autouse=True)
def targets(monkeypatch):
    monkeypatch.setenv("DEPLOY_TARGETS", "staging,pro-duction")
    for name in ("STAGING", "PRO_DUCTION"):
        monkeypatch.setenv(f"TRAINED_MODELS_PATH__{name}", f"targets/{name}")
        monkeypatch.setenv(f"XINGU_DB_URL__{name}", f"sqlite:///targets/{name}.db")


def deps(project, key):
    graph = project.definitions.resolve_asset_graph()
    parents = graph.get(dg.AssetKey(key.split("/"))).parent_keys
    return {one.to_user_string() for one in parents}


def test_a_target_depends_on_the_model_the_target_before_it_and_its_pre_reqs(tmp_path):
    project = Project(tmp_path, [Houses, Taxes])
    of_model = {"taxes/model", "taxes/trainset_metrics"}
    assert deps(project, "taxes/deploy/staging") == of_model | {"houses/deploy/staging"}
    assert deps(project, "taxes/deploy/pro_duction") == of_model | {
        "taxes/deploy/staging", "houses/deploy/pro_duction",
    }  # fmt: skip


def test_without_targets_there_are_no_such_assets(tmp_path, monkeypatch):
    monkeypatch.delenv("DEPLOY_TARGETS")
    graph = Project(tmp_path, [Houses]).definitions.resolve_asset_graph()
    assert not [key for key in graph.get_all_asset_keys() if "deploy" in key.path]


def test_definitions_load_without_the_settings_of_targets(tmp_path, monkeypatch):
    monkeypatch.delenv("TRAINED_MODELS_PATH__STAGING")
    monkeypatch.setenv("XINGU_DB_URL__STAGING", "{% AWS_SECRET:x %}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert Project(tmp_path, [Houses]).definitions.resolve_asset_graph()


def test_a_run_trains_and_deploys_along_the_chain_and_later_goes_back(tmp_path):
    project = Project(tmp_path, [Gated])
    project.run("houses/*")
    first = project.models.current("houses")
    staging = project.metadata("houses/deploy/staging")
    assert (staging["serves"], staging["action"]) == (first, "deploy")
    assert staging["gate test R2"].endswith("(must be >= 0.5)")
    assert project.metadata("houses/deploy/pro_duction")["serves"] == first
    project.run(*(f"houses/{name}" for name in (*TRAIN[-3:], "deploy/staging")))
    second = project.models.current("houses")
    staging = project.metadata("houses/deploy/staging")
    assert (staging["serves"], staging["replaced"]) == (second, first)
    config = {"ops": {"houses__deploy_staging": {"config": {"train_id": first}}}}
    project.run("houses/deploy/staging", config=config)
    assert project.metadata("houses/deploy/staging")["action"] == "rollback"


def test_a_refused_deploy_fails_with_its_reasons_alone(tmp_path):
    project = Project(tmp_path, [Impossible])
    project.run(*(f"houses/{name}" for name in TRAIN))
    result = project.run("houses/deploy/staging", raise_on_error=False)
    [failure] = [one for one in result.all_events if one.is_step_failure]
    data = failure.step_failure_data
    text = data.error.cause.message if data.error.cause else data.error.message
    assert "test R2 is" in text
    assert "it must be >= 2" in text
    assert len(text.splitlines()) < 10
