"""Every name that programs written for Xingu 2.0 use is there."""

import dagster as dg
import pytest

from tests.support.toys import Houses
from xingu import (
    Coach,
    ConfigManager,
    DataProvider,
    DataProviderFactory,
    DPSimple,
    Estimator,
    Model,
)
from xingu.errors import UnknownProviderError, UntrainedModelError

NAMES = {
    DataProvider: """get_logger log random_data_split time_data_split get_metrics_computers
        get_plot_renderers logger""",
    DPSimple: "add_base_class __getstate__ __setstate__",
    Estimator: "setup_logger log logger default_params default_hyperparams hyperparam_exchange",
    Model: """fit hyperparam_optimize generic_predict predict predict_proba trainsets_save
        trainsets_predict get_metrics_computers get_plot_renderers compute_trainsets_model_metrics
        compute_batch_model_metrics compute_global_model_metrics compute_model_metrics
        tag_model_plot render_trainsets_model_plots render_batch_model_plots
        render_global_model_plots render_model_plots render_global_model_plots_ROCAUC
        save_model_metrics compute_batch_estimation_metrics compute_batch_model_metrics_classical
        compute_estimation_metrics save_estimation_metrics compute_and_save_metrics
        compute_trainsets_model_metrics_classical save load batch_predict signature
        compute_global_model_metrics_feature_importance_from_estimator
        render_global_model_plots_feature_importance_from_estimator median_ape median_pe
        load_pre_req_model cleanup log log_train_status fit_and_batch_predict dvc_track dvc_commit
        save_sets_cache data_source_to_data_from_url data_source_to_data_from_query
        data_source_to_data data_sources_group_to_data data_sources_to_data time_fs_str
        serialize_to_dict get_config get_full_train_id save_batch_predict_estimations""",
    Coach: """get_config trained_ids team_train team_train_member team_train_parallel team_load
        declare_trained post_train_parallel update_inventory load_inventory git_commit_inventory
        find_model_for_dp init_db team_batch_predict single_batch_predict report
        get_db_connection""",
    DataProviderFactory: "produce get_pre_req dps providers_list config logger",
    ConfigManager: "get set set_cache undefined",
}
OF_A_MODEL = """coach context dp estimator trained train_id train_session_id algo_params hyperparam
    hyperopt_strategy git_branch git_commit git_artifact_commit github_actor github_run_id
    github_run_number github_workflow user_name host_name sets dvc_tracked logger
    train_queries_signatures"""
OF_A_COACH = """config defaults databases git_repo inventory logger post_processing
    post_train_queue tables train_session_id trained trained_in_session xingu_db xingu_db_metadata
    xingu_db_table_prefix dp_factory"""


@pytest.fixture
def coach(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    factory = DataProviderFactory([Houses])
    instance = dg.DagsterInstance.ephemeral()
    return Coach(factory, instance=instance, progress=False, project_home=tmp_path, plots="drawn")


@pytest.mark.parametrize("cls", NAMES, ids=lambda cls: cls.__name__)
def test_methods(cls):
    assert [name for name in NAMES[cls].split() if not hasattr(cls, name)] == []


def test_attributes_of_a_model_and_of_a_coach(coach):
    model = Model(Houses(), coach)
    assert [name for name in OF_A_MODEL.split() if not hasattr(model, name)] == []
    assert [name for name in OF_A_COACH.split() if not hasattr(coach, name)] == []
    assert "training" in coach.tables
    assert coach.databases["xingu"]["url"].startswith("sqlite")


def test_a_model_reads_the_settings_of_its_coach(coach):
    assert Model(Houses(), coach).get_config("PLOTS_PATH") == "drawn"
    assert coach.get_config("KEEP", default=2, cast=int) == 2


def test_a_declared_model_is_found_as_a_prerequisite(coach):
    model = Model(Houses(), coach)
    coach.declare_trained(model)
    assert coach.trained_ids() == {"houses"}
    assert coach.find_model_for_dp("houses") is model
    assert coach.find_model_for_dp(Houses()) is model
    assert coach.find_model_for_dp("taxes") is None


def test_a_declared_model_that_the_factory_does_not_have_is_not_evaluated(coach):
    other = type("Other", (Houses,), {"id": "other"})
    coach.declare_trained(Model(other(), coach))
    with pytest.raises(UnknownProviderError, match="'other'"):
        coach.post_train_parallel()


def test_the_inventory_is_written_and_read(coach):
    assert coach.inventory == {"models": {}}
    coach.update_inventory()
    assert (coach.settings.project_home / "inventory.yaml").exists()
    assert coach.load_inventory() == {"models": {}}


def test_an_unknown_argument_is_an_error(coach):
    with pytest.raises(TypeError, match="pre_trained_as_off.*pre_trained_as_of"):
        coach.team_load(pre_trained_as_off="2026")
    with pytest.raises(UntrainedModelError):
        coach.team_load(["houses"], pre_trained_as_of="2026-01-01")


def test_dvc_is_answered_with_a_warning(coach, caplog):
    model = Model(Houses(), coach)
    model.dvc_track("models", "a.pkl", "chore")
    model.dvc_commit()
    assert caplog.text.count("DVC is not used") == 1
