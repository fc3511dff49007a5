"""Options of a run: config of the resource, config of a step, tags, settings, in that order."""

import json
from typing import Any

import dagster as dg
import pytest

from tests.support.control import rows
from tests.support.project import Project
from tests.support.toys import Houses, write_database
from xingu import Model
from xingu.errors import SettingsError, UntrainedModelError
from xingu.options import RunOptions
from xingu.tracking.details import train_details
from xingu.workspace import Workspace
from xingu_dagster.options import USED_BY

TRAIN = [
    f"houses/{name}"
    for name in ("raw/houses", "cleaned", "features", "splits", "hyperparameters", "model")
]


class Searched(Houses):
    estimator_hyperparams = {"num_leaves": 5}
    estimator_hyperparams_search_space = {"num_leaves": ("int", {"low": 2, "high": 15})}
    hyperopt = {"evaluations": 30, "method": "random"}


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """A project that has sets to tune on, and the setting `self`."""
    settings = {"hyperopt_strategy": "self", "hyperopt_workers": 1}
    project = Project(tmp_path_factory.mktemp("split"), [Searched], settings)
    project.run(*TRAIN[:-2])
    return project


def of_run(**options) -> dict:
    return {"resources": {"xingu_options": {"config": options}}}


def of_step(phase: str, **options) -> dict:
    return {"ops": {f"houses__{phase}": {"config": options}}}


def tagged(**options) -> dict:
    return {f"xingu/{name}": str(value) for name, value in options.items()}


def test_the_launchpad_shows_all_options_with_the_settings_as_defaults_and_descriptions(tmp_path):
    settings = {"hyperopt_strategy": "dp", "preferred_trains": "a,b", "train_session_id": "day"}
    definitions = Project(tmp_path, [Houses], settings).definitions
    job = definitions.resolve_implicit_global_asset_job_def()
    schema: Any = job.resource_defs["xingu_options"].config_schema
    fields = schema.config_type.fields
    shown = {name: field.default_value for name, field in fields.items()}
    assert shown == {
        "hyperopt_strategy": "dp",
        "hyperopt_evaluations": 0,
        "refresh_sources": False,
        "sample_rows": 0,
        "pre_req_train_or_session_ids": ["a", "b"],
        "train_session_id": "day",
        "train_id": "",
        "register_only": False,
        "save_sets": True,
        "batch_predict_save_estimations": False,
    }
    assert all(field.description for field in fields.values())


@pytest.mark.parametrize(
    ("config", "tags", "evaluations"),
    [
        (of_run(hyperopt_evaluations=2), {}, 2),
        ({}, tagged(hyperopt_evaluations=3), 3),
        (of_run(hyperopt_evaluations=2), tagged(hyperopt_evaluations=3), 2),
        (of_run(hyperopt_evaluations=2) | of_step("tune", hyperopt_evaluations=1), {}, 1),
        (of_step("tune", hyperopt_evaluations=1), tagged(hyperopt_evaluations=3), 1),
    ],
)
def test_the_config_of_a_step_wins_over_the_resource_over_a_tag(split, config, tags, evaluations):
    split.run("houses/hyperparameters", config=config, tags=tags)
    assert len(split.load("houses/hyperparameters").trials) == evaluations


def test_a_default_in_the_config_wins_over_a_tag_with_a_warning(split, caplog):
    tags = tagged(hyperopt_strategy="dp", hyperopt_evaluations=1)
    split.run("houses/hyperparameters", config=of_run(hyperopt_strategy="self"), tags=tags)
    assert split.load("houses/hyperparameters").origin == "self"
    assert "hyperopt_strategy is self, because the config of the run wins" in caplog.text


@pytest.mark.parametrize(
    ("config", "tags", "message"),
    [
        (of_run(hyperopt_evaluations=-1), {}, "config of xingu_options: hyperopt_evaluations"),
        (
            of_step("tune", hyperopt_evaluations=-1),
            {},
            "config of houses__tune: hyperopt_evaluations",
        ),
        ({}, tagged(save_sets="perhaps"), "tag xingu/save_sets: save_sets: .*boolean"),
        ({}, tagged(train_session_id="x" * 300), "tag xingu/train_session_id: train_session_id"),
        ({}, tagged(hyperopt_stratgy="self"), "Did you mean 'xingu/hyperopt_strategy'"),
        (of_run(hyperopt_strategy="selv"), {}, "hyperopt_strategy: .*'selv'.*Did you mean 'self'"),
        ({}, tagged(hyperopt_strategy=" "), "tag xingu/hyperopt_strategy"),
    ],
)
def test_a_bad_option_fails_before_anything_is_read(tmp_path, config, tags, message):
    project = Project(tmp_path, [Houses])
    with pytest.raises((SettingsError, UntrainedModelError), match=message):
        project.run(*TRAIN, config=config, tags=tags)
    assert project.values.record(("houses", "raw", "houses")) is None


def test_dagster_refuses_a_wrong_type_or_name_before_the_run(tmp_path):
    project = Project(tmp_path, [Houses])
    for config in (of_run(save_sets="maybe"), of_step("prepare", save_sets=True)):
        with pytest.raises(dg.DagsterInvalidConfigError):
            project.run("houses/raw/houses", config=config)


@pytest.mark.parametrize("phase", ["batch_raw", "batch"])
def test_the_train_of_a_batch_is_looked_for_before_the_batch_is_read(tmp_path, phase):
    project = Project(tmp_path, [Houses])
    with pytest.raises(UntrainedModelError, match="train_id no-such-train"):
        project.run("houses/batch/*", config=of_step(phase, train_id="no-such-train"))
    assert project.values.record(("houses", "batch", "raw", "houses")) is None


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A train whose preparation and fit are two runs with different options."""
    home = tmp_path_factory.mktemp("recorded")
    databases = {
        "db": write_database(home / "houses.db"),
        "other": "postgresql://me:hidden-word@host/db",
    }
    given = {"databases": databases, "simpledp_estimator_params": {"api_key": "hidden-key"}}
    project = Project(home, [Houses], given)
    project.run(*TRAIN[:-2], config=of_run(refresh_sources=True))
    tags = tagged(train_session_id="brave-day", save_sets=False)
    evaluated = ("houses/trainset_estimations", "houses/trainset_metrics")
    project.run(*TRAIN[-2:], *evaluated, config=of_run(hyperopt_strategy="dp"), tags=tags)
    return project


def test_a_train_records_its_settings_and_where_they_came_from(recorded):
    model = Model.load("houses", path=recorded.models.root)
    assert model.train_session_id == "brave-day"
    query = "SELECT value FROM training_attributes WHERE attribute = 'settings'"
    found = json.loads(rows(recorded, query)[0][0])
    assert {
        name: found[name] for name in ("HYPEROPT_STRATEGY", "SAVE_SETS", "refresh_sources")
    } == {
        "HYPEROPT_STRATEGY": {"value": "dp", "from": "config of xingu_options"},
        "SAVE_SETS": {"value": False, "from": "tag xingu/save_sets"},
        "refresh_sources": {"value": True, "from": "config of xingu_options"},
    }
    assert found["TRAINED_MODELS_PATH"] == {"value": "models", "from": "default"}
    assert found["PROJECT_HOME"]["from"] == "given"
    assert found["TRAIN_SESSION_ID"]["value"] == "brave-day"
    assert "hidden-word" not in json.dumps(found)
    assert "hidden-key" not in json.dumps(found)
    assert found["DATABASES"]["value"]["other"] == "postgresql://***@host/db"
    assert rows(recorded, "SELECT count(*) FROM sets")[0][0] == 0


def test_the_settings_of_a_train_are_shown_the_given_ones_first(recorded):
    place = Workspace(recorded.config)
    train = Model.load("houses", path=recorded.models.root).train_id
    shown = train_details(place.models, place.control, train)["settings"]
    origins = [one["from"] == "default" for one in shown]
    assert origins == sorted(origins)
    assert shown[0].keys() == {"setting", "value", "from"}
    table = recorded.metadata("houses/model")["settings"]
    assert {"setting": "SAVE_SETS", "value": False, "from": "tag xingu/save_sets"} in [
        dict(record.data) for record in table.records
    ]


def test_every_option_is_of_a_phase():
    assert {name for names in USED_BY.values() for name in names} == set(RunOptions.model_fields)
