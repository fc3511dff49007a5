"""A project in the manner of Xingu 2.0 runs unmodified: train, evaluation, batch, load."""

import sys
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from tests.support.xingu2 import write_project
from xingu import Coach, Model
from xingu.registry.store import ModelStore

PREPARED = [
    "get_dataset_sources_for_train(Model)",
    "clean_data_for_train",
    "feature_engineering_for_train",
    "last_pre_process_for_train",
    "data_split_for_train",
]
TUNED = [
    "get_estimator_features_list",
    "get_target",
    "get_estimator_optimization_search_space",
    "get_estimator_hyperparams",
    "Estimator.hyperparam_optimize",
    "Estimator.hyperparam_exchange",
    "post_process_after_hyperparam_optimize",
    "Estimator.fit",
    "post_process_after_train",
]
PREDICTED = [
    "pre_process_for_predict_proba",
    "get_estimator_features_list",
    "Estimator.predict_proba",
    "post_process_after_predict_proba",
]
EVALUATED = [
    *PREDICTED,
    "pre_process_for_trainsets_metrics",
    "post_process_after_trainsets_metrics",
]
BATCH = [
    "get_dataset_sources_for_batch_predict(Model)",
    "clean_data_for_batch_predict",
    "feature_engineering_for_batch_predict",
    "last_pre_process_for_batch_predict",
    *PREDICTED,
]
QUESTIONS = {name for name in TUNED if name.startswith("get_")}
"""Hooks that only return declarations, which may be asked more often."""


class Ran:
    """The project after `Coach.team_train` with the strategy ``self``, and the calls meanwhile."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.coach = Coach(
            instance=dg.DagsterInstance.ephemeral(),
            progress=False,
            project_home=home,
            hyperopt_strategy="self",
        )
        self.models = self.coach.team_train()
        self.calls = list(sys.modules["habits.diary"].CALLS)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        home = write_project(tmp_path_factory.mktemp("old"))
        patch.setattr(sys, "path", list(sys.path))
        patch.chdir(home)
        yield Ran(home)
    for name in ("basedp", "habits", "dataproviders"):
        for loaded in [one for one in sys.modules if one.partition(".")[0] == name]:
            del sys.modules[loaded]


def is_in(wanted: list[str], calls: list[str]) -> bool:
    """Return whether calls have these in this order, with others between them."""
    rest = iter(calls)
    return all(one in rest for one in wanted)


def actions(calls: list[str]) -> list[str]:
    return [one for one in calls if one not in QUESTIONS and "NoneType" not in one]


def test_everything_is_trained(ran):
    assert set(ran.models) == {"churn", "spending"}
    assert ran.models["churn"].estimator.hyperparams == {"min_samples_leaf": 7}
    assert ran.models["spending"].estimator.hyperparams == {"weight": 1.0}


def test_hooks_of_a_train_are_called_in_the_order_of_the_diagram(ran):
    assert is_in([*PREPARED, *TUNED, *EVALUATED], ran.calls)
    made = actions(ran.calls)
    until = made.index("post_process_after_train") + 1
    fitting = made[:until]
    assert fitting == [
        *PREPARED,
        "Estimator.hyperparam_optimize",
        "Estimator.hyperparam_exchange",
        "post_process_after_hyperparam_optimize",
        "Estimator.hyperparam_exchange",  # asked by the hook itself
        "Estimator.fit",
        "post_process_after_train",
    ]


def test_hooks_of_a_batch_are_called_in_the_order_of_the_diagram(ran):
    assert is_in(BATCH, ran.calls)
    made, wanted = actions(ran.calls), actions(BATCH)  # a batch may end before the evaluation
    assert wanted in [made[start : start + len(wanted)] for start in range(len(made))]


def test_a_search_of_the_estimator_itself_is_recorded_from_begin_to_end(ran):
    with ran.coach.get_db_connection() as connection:
        steps = pd.read_sql(ran.coach.tables["training_steps"].select(), connection)
    own = steps[steps["dataprovider_id"] == "churn"]["status"]
    assert {"train_hyperopt_start", "train_hyperopt_end"} <= set(own)


def test_a_set_that_the_estimator_adds_in_its_fit_is_measured(ran):
    with ran.coach.get_db_connection() as connection:
        metrics = pd.read_sql(ran.coach.tables["metrics_model"].select(), connection)
    churn = metrics[metrics["dataprovider_id"] == "churn"]
    assert {"train", "test", "validation", "global"} <= set(churn["set"])
    assert set(churn[churn["name"] == "rows:pro"]["set"]) >= {"train", "test", "validation"}
    held_out = churn[churn["name"] == "held out"]["value_number"]
    assert held_out.tolist() == [240]


def test_a_saved_model_has_what_its_own_state_added(ran):
    loaded = Model.load("churn", path=ran.home / "models")
    assert set(loaded.dp.encoders["plan"]) == {"basic", "family", "pro"}
    rows = loaded.dp.feature_engineering_for_batch_predict(pd.read_csv(ran.home / "data/new.csv"))
    made = loaded.predict_proba(rows)
    assert list(made) == ["estimation_class_0", "estimation_class_1"]
    assert loaded.predict_proba(rows, class_index=1).columns.tolist() == ["estimation_class_1"]
    assert set(loaded.predict(rows)["estimation"]) <= {0, 1}


def test_the_batch_was_estimated_and_measured(ran):
    estimations = ran.coach.team_batch_predict()["churn"]
    assert len(estimations) == 40
    with ran.coach.get_db_connection("xingu").connect() as connection:
        scores = pd.read_sql(ran.coach.tables["metrics_estimation"].select(), connection)
    assert set(scores["name"]) == {"score"}


def test_a_coach_loads_models_with_those_of_their_prerequisites(ran):
    coach = Coach(instance=ran.coach.instance, progress=False, project_home=ran.home)
    loaded = coach.team_load(explicit_list=["spending"], post_process=False)
    assert list(loaded) == ["spending"]
    assert coach.trained_ids() == {"spending", "churn"}
    assert coach.find_model_for_dp("churn").id == "churn"


def test_a_pickle_of_xingu_2_says_what_to_do(ran, tmp_path):
    (tmp_path / "churn • 2023.01.31-12.00.00 • loud-box∶calm-fox.pkl.xz").write_bytes(b"x")
    with pytest.raises(Exception, match=r"Xingu 2\.0.*train it again"):
        ModelStore(tmp_path).find("churn")
