"""A fitted Model has the scores of its evaluation set, the main one first."""

import pytest

from tests.support.classifiers import Three, Yes
from tests.support.stages import Stages, variant
from tests.support.toys import Houses
from xingu.registry.store import ModelStore


def main_of(cls):
    [(set_name, values)] = Stages(cls).fitted().model.scores.items()
    return set_name, next(iter(values))


@pytest.mark.parametrize(("cls", "main"), [(Houses, "RMSE"), (Yes, "ROC AUC"), (Three, "Macro F1")])
def test_the_main_score_depends_on_the_kind_of_the_target(cls, main):
    assert main_of(cls) == ("test", main)


def test_a_gate_names_the_main_score_and_the_search_wins():
    gates = {"test": {"R2": (">=", 0.5)}}
    assert main_of(variant(Houses, quality_gates=gates)) == ("test", "R2")
    cls = variant(Houses, quality_gates=gates, hyperopt={"metric": "MAE"})
    assert main_of(cls) == ("test", "MAE")


def test_metrics_of_single_classes_are_no_scores():
    scores = Stages(Three).fitted().model.scores["test"]
    assert {"Log Loss", "Weighted F1"} <= {*scores}
    assert not [name for name in scores if "(class" in name]


def test_scores_are_saved_in_their_order(tmp_path):
    model = Stages(Yes).fitted().model
    store = ModelStore(tmp_path)
    store.save(model)
    loaded = store.load(model.id, model.train_id)
    assert [*loaded.scores["test"].items()] == [*model.scores["test"].items()]


def test_estimations_that_raise_give_no_scores():
    def post_process_after_predict(self, X, Y_pred, model):
        raise ValueError("not yet")

    cls = variant(post_process_after_predict=post_process_after_predict)
    assert Stages(cls).fitted().model.scores == {}
