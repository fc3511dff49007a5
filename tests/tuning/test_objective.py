"""The objective of a search: what is fitted, what is measured, what a failure becomes."""

import numpy as np
import pandas as pd
import pytest

from tests.support.searches import Hill, Hills, untuned
from tests.support.toys import Houses, Taxes
from xingu.errors import DataError, DeclarationError
from xingu.model import Model
from xingu.tuning.objective import Objective
from xingu.tuning.plan import SearchPlan

POINT = {"x": 5.0, "colour": "red"}


def objective_of(cls=Hills, folds: int = 0, metric: str = "MAE", **declared) -> Objective:
    model = untuned(cls, hyperopt={"folds": folds, "metric": metric}, **declared)
    return Objective(model, SearchPlan.of(model.dp), {})


def test_a_trial_has_the_value_of_the_metric_on_val():
    trial = objective_of().evaluate(3, POINT)
    assert (trial.number, trial.params, trial.state) == (3, POINT, "done")
    assert trial.value == pytest.approx(2)  # the Hill is off by the distance of x from 3
    assert 0 < trial.started <= trial.ended


def test_the_model_that_is_tuned_stays_as_it_is():
    objective = objective_of()
    before = dict(objective.model.estimator.hyperparams)
    objective.evaluate(0, POINT)
    assert objective.model.estimator.hyperparams == before
    assert not hasattr(objective.model.estimator, "error")


def test_hyperparameters_that_are_not_searched_are_used_too():
    model = untuned(hyperopt={"metric": "MAE"})
    objective = Objective(model, SearchPlan.of(model.dp), {"colour": "green"})
    assert objective.evaluate(0, {"x": 3.0}).value == pytest.approx(1)


def test_what_is_raised_makes_a_failed_trial_with_its_reason():
    trial = objective_of(estimator_params={"edge": 1}).evaluate(0, POINT)
    assert (trial.state, trial.value) == ("failed", None)
    assert trial.reason == "ValueError: the slope is too steep at 5.0"
    assert trial.ended >= trial.started


def test_a_hyperparameter_that_the_estimator_does_not_have_fails_the_trial():
    trial = objective_of().evaluate(0, {"depth": 3})
    assert trial.reason == "DeclarationError: Hill has no 'depth'"
    with pytest.raises(DeclarationError, match="Hill has no 'depth'"):
        objective_of().estimators({"depth": 3})


def test_a_metric_that_is_undefined_fails_the_trial():
    objective = objective_of(metric="MAPE")
    objective.model.sets["val"]["price"] = 0.0
    trial = objective.evaluate(0, POINT)
    assert trial.state == "failed"
    assert "MAPE" in trial.reason


# -- folds ----------------------------------------------------------------------------------------


def test_without_folds_val_is_measured():
    objective = objective_of()
    ((sets, held_out),) = objective.folds
    assert list(sets) == ["train", "val"]
    assert held_out is objective.model.sets["val"]


@pytest.mark.parametrize("folds", [2, 5])
def test_every_row_of_train_is_held_out_once(folds):
    objective = objective_of(folds=folds)
    train = objective.model.sets["train"]
    held_out = pd.concat([rows for _, rows in objective.folds])
    assert len(objective.folds) == folds
    assert sorted(held_out.index) == sorted(train.index)
    for sets, rows in objective.folds:
        assert sets["train"].index.intersection(rows.index).empty
        assert sets["val"] is rows


def test_folds_are_the_same_each_time():
    first, second = objective_of(folds=3), objective_of(folds=3)
    for (_, one), (_, other) in zip(first.folds, second.folds, strict=True):
        assert list(one.index) == list(other.index)


def test_the_folds_of_a_classifier_keep_the_shares_of_its_classes():
    class Classifier(Houses):
        y = "town"
        x_estimator_features = ("size", "price")
        estimator_class = "xingu.estimators.LightGBMClassifier"

    objective = objective_of(Classifier, folds=4, metric="Log Loss")
    train = objective.model.sets["train"]["town"]
    for _, rows in objective.folds:
        share, whole = (
            one.value_counts(normalize=True).sort_index() for one in (rows["town"], train)
        )
        assert np.allclose(share, whole, atol=0.02)


def test_the_value_of_a_trial_is_the_mean_of_its_folds():
    class Uneven(Hill):
        def fit(self, datasets, features, target, model=None):
            super().fit(datasets, features, target)
            self.error = float(datasets["val"].index[0])
            return self

    objective = objective_of(folds=3, estimator_class=Uneven)
    firsts = [rows.index[0] for _, rows in objective.folds]
    assert objective.evaluate(0, POINT).value == pytest.approx(np.mean(firsts))


@pytest.mark.parametrize("sets", ["without", "empty"])
def test_without_rows_to_measure_the_error_says_what_to_do(sets):
    objective = objective_of()
    val = objective.model.sets.pop("val")
    if sets == "empty":
        objective.model.sets["val"] = val.iloc[:0]
    with pytest.raises(DataError, match="hills: .*'val'.*'folds': 5"):
        _ = objective.folds


# -- weights and classifiers ----------------------------------------------------------------------


def test_rows_count_by_their_weight():
    class Halves(Hill):
        def predict(self, data):
            near = data["size"] > data["size"].median()
            return pd.DataFrame({"estimation": self.target + np.where(near, 0.0, 10.0)})

    class Weighted(Hills):
        sample_weight = "weight"
        estimator_class = Halves

    def value(weigh) -> float:
        objective = objective_of(Weighted)
        for frame in objective.model.sets.values():
            near = frame["size"] > frame["size"].median()
            frame["weight"] = np.where(near, *weigh)
        return objective.evaluate(0, POINT).value

    assert value((1.0, 1.0)) == pytest.approx(5)
    assert value((9.0, 1.0)) == pytest.approx(1)


def test_a_classifier_is_measured_by_its_probabilities():
    model: Model = untuned(
        Houses,
        y="town",
        x_estimator_features=("size", "price"),
        estimator_class=Taxes.estimator_class,
        hyperopt={"metric": "Log Loss"},
    )
    objective = Objective(model, SearchPlan.of(model.dp), {})
    good, bad = (objective.evaluate(0, {"n_estimators": count}).value for count in (40, 1))
    assert 0 < good < bad
