"""Settings have the flags, the variables and the defaults that the project promises."""

import json

import pytest
from pydantic import SecretStr, ValidationError

from xingu.config import Settings
from xingu.config.fields import GROUPS, SimpleFields

PROMISED = """
--dps --data-providers                            | DATAPROVIDER_LIST                  | ()
--dps-folder --data-providers-folder              | DATAPROVIDER_FOLDER                | "dataproviders"
--database --databases                            | DATABASES                          | {}
--models-db                                       | XINGU_DB_URL                       | "sqlite:///.xingu/control.db"
--table-prefix --prefix                           | XINGU_DB_TABLE_PREFIX              | ""
--datasource-cache-path --query-cache-path        | DATASOURCE_CACHE_PATH              | None
--trained-models-path                             | TRAINED_MODELS_PATH                | "models"
--plots-path                                      | PLOTS_PATH                         | "plots"
--plots-format                                    | PLOTS_FORMAT                       | ("html",)
--hyperopt-strategy                               | HYPEROPT_STRATEGY                  | "last"
--train/--no-train                                | TRAIN                              | True
--batch-predict/--no-batch-predict                | BATCH_PREDICT                      | True
--post-process/--no-post-process                  | POST_PROCESS                       | True
--save-sets/--no-save-sets                        | SAVE_SETS                          | True
--batch-predict-save-estimations/--no-batch-predict-save-estimations | BATCH_PREDICT_SAVE_ESTIMATIONS | False
--train-session-id                                | TRAIN_SESSION_ID                   | None
--pre-req-train-or-session-ids                    | PRE_REQ_TRAIN_OR_SESSION_IDS       | ()
--parallel-train-max-workers                      | PARALLEL_TRAIN_MAX_WORKERS         | 0
--parallel-hyperopt-max-workers                   | PARALLEL_HYPEROPT_MAX_WORKERS      | 0
--parallel-estimators-max-workers                 | PARALLEL_ESTIMATORS_MAX_WORKERS    | 0
--parallel-post-process-max-workers               | PARALLEL_POST_PROCESS_MAX_WORKERS  | 0
--commit-inventory/--no-commit-inventory          | COMMIT_INVENTORY                   | False
--project-home                                    | PROJECT_HOME                       |
--hostname                                        | HOSTNAME                           | None
--username                                        | USERNAME                           | None
--debug/--no-debug                                | DEBUG                              | False
--simpledp-id                                     | SIMPLEDP_ID                        | None
--simpledp-train-datasource                       | TRAIN_DATASOURCE                   | ()
--simpledp-estimator-features                     | ESTIMATOR_FEATURES                 | ()
--simpledp-target-feature                         | TARGET_FEATURE                     | None
--simpledp-proba-class-index                      | PROBA_CLASS_INDEX                  | None
--simpledp-base-class                             | BASE_CLASS                         | None
--simpledp-estimator-class                        | ESTIMATOR_CLASS                    | None
--simpledp-estimator-class-params                 | ESTIMATOR_CLASS_PARAMS             | {}
--simpledp-estimator-params                       | ESTIMATOR_PARAMS                   | {}
--simpledp-estimator-hyperparams                  | ESTIMATOR_HYPERPARAMS              | {}
--simpledp-estimator-hyperparams-search-space     | ESTIMATOR_HYPERPARAMS_SEARCH_SPACE | {}
                                                  | GITHUB_ACTOR                       | None
                                                  | GITHUB_WORKFLOW                    | None
                                                  | GITHUB_RUN_ID                      | None
                                                  | GITHUB_RUN_NUMBER                  | None
"""  # noqa: E501 - a table
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in PROMISED.strip().splitlines()]
FIELDS = {str(field.alias): field for field in Settings.model_fields.values()}


@pytest.mark.parametrize(("flags", "variable", "default"), ROWS, ids=[row[1] for row in ROWS])
def test_a_setting_has_the_flags_and_the_default_that_are_promised(flags, variable, default):
    field = FIELDS[variable]
    assert isinstance(field.json_schema_extra, dict)
    assert field.json_schema_extra["flags"] == flags.split()
    if default:
        value = field.default
        shown = value.get_secret_value() if isinstance(value, SecretStr) else value
        assert shown == eval(default)


def test_every_setting_has_a_description_and_a_group():
    assert all(field.description for field in FIELDS.values())
    assert [name for group in GROUPS for name in group.model_fields] == [*Settings.model_fields]
    assert all(group.__doc__ for group in GROUPS)


def test_no_two_settings_share_a_flag_or_a_variable():
    flags = [
        flag
        for field in FIELDS.values()
        if isinstance(field.json_schema_extra, dict)
        for one in field.json_schema_extra["flags"]
        for flag in one.split("/")
    ]
    assert len(flags) == len(set(flags)) > 40
    assert len(FIELDS) == len(Settings.model_fields)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a.csv", ("a.csv",)),
        ("a.csv, b.parquet", ("a.csv", "b.parquet")),
        ("a.csv,s3://bucket/b.json.gz|c,d.csv", ("a.csv", "s3://bucket/b.json.gz", "c,d.csv")),
        ("https://host/a.csv?rows=1,2", ("https://host/a.csv?rows=1,2",)),
        ("", ()),
    ],
)
def test_a_comma_separates_addresses_that_have_suffixes(text, addresses):
    fields = SimpleFields.model_validate({"TRAIN_DATASOURCE": text})
    assert fields.simpledp_train_datasource == addresses


def test_a_model_without_code_is_declared_by_texts():
    fields = SimpleFields.model_validate(
        {
            "TRAIN_DATASOURCE": "https://host/a,b.csv | data/c.parquet",
            "ESTIMATOR_FEATURES": "age, rooms",
            "ESTIMATOR_PARAMS": '{"num_leaves": 4}',
            "ESTIMATOR_HYPERPARAMS": "",
            "PROBA_CLASS_INDEX": "1",
        }
    )
    assert fields.simpledp_train_datasource == ("https://host/a,b.csv", "data/c.parquet")
    assert fields.simpledp_estimator_features == ("age", "rooms")
    assert fields.simpledp_estimator_params == {"num_leaves": 4}
    assert fields.simpledp_estimator_hyperparams == {}
    assert fields.simpledp_proba_class_index == 1


@pytest.mark.parametrize("text", ["not json", json.dumps([1])])
def test_what_must_be_a_json_object_is_refused_otherwise(text):
    with pytest.raises(ValidationError, match="JSON|dictionary|mapping"):
        SimpleFields.model_validate({"ESTIMATOR_PARAMS": text})
