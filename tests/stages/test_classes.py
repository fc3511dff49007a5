"""Estimation, metrics, search and plots of a classifier are of the same class."""

import logging

import numpy as np
import pytest
from sklearn import metrics as sk

from tests.support.classifiers import LOGISTIC, TARGETS, TREES, Three, binary
from tests.support.stages import Stages, variant
from tests.support.toys import houses
from xingu.errors import DeclarationError
from xingu.stages.batch import estimate_batch
from xingu.stages.draw import draw_sets
from xingu.stages.evaluate import measure_sets
from xingu.tuning.objective import Objective
from xingu.tuning.plan import SearchPlan


def values(model, set_name="test"):
    rows = measure_sets(model).rows
    return {
        row.name: row.value_text if row.value_number is None else row.value_number
        for row in rows
        if row.set == set_name
    }


def truth_of(model, set_name="test"):
    return model.sets[set_name][model.signature().target], model.sets_estimations[set_name]


@pytest.mark.parametrize("algorithm", [TREES, LOGISTIC])
@pytest.mark.parametrize("kind", TARGETS)
def test_estimation_and_metrics_are_of_the_larger_label(kind, algorithm):
    model = Stages(binary(kind, **algorithm)).evaluated()
    positive = TARGETS[kind][1]
    assert model.estimated_class().label == positive
    observed, estimated = truth_of(model)
    y = (observed == positive).to_numpy(dtype=bool)
    at = list(model.signature().classes).index(positive)
    score = estimated[f"estimation_class_{at}"]
    assert model.estimation_of(estimated).equals(score.rename("estimation"))
    guess = estimated.to_numpy().argmax(axis=1) == at
    found = values(model)
    assert found["positive_class"] == str(positive)
    expected = {
        "Precision": sk.precision_score(y, guess, zero_division=np.nan),
        "Recall": sk.recall_score(y, guess),
        "F1": sk.f1_score(y, guess),
        "ROC AUC": sk.roc_auc_score(y, score),
        "Average Precision": sk.average_precision_score(y, score),
        "Brier": sk.brier_score_loss(y, score),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert 0.05 < y.mean() < 0.45  # the other class would have other values


def test_a_declared_index_is_measured_as_it_is():
    one, other = (values(Stages(binary("str", proba_class_index=at)).evaluated()) for at in (0, 1))
    assert (one["positive_class"], other["positive_class"]) == ("no", "yes")
    assert one["Recall"] != other["Recall"]
    assert values(Stages(binary("str")).evaluated()) == other


def test_an_index_that_no_class_has_is_refused_before_the_fit():
    with pytest.raises(DeclarationError, match="is 2; the classes are 0: 'no', 1: 'yes'"):
        Stages(binary("str", proba_class_index=2)).splits()


def test_a_batch_has_the_probability_of_the_positive_class():
    model = Stages(binary("str")).evaluated()
    batch = model.dp.feature_engineering_for_batch_predict(houses(50, seed=1).set_index("id"))
    made = estimate_batch(model, batch)
    assert made["estimation"].equals(made["estimation_class_1"].rename("estimation"))


@pytest.mark.parametrize("folds", [0, 3])
def test_the_search_measures_the_positive_class(folds):
    found = {}
    for index in (None, 0, 1):
        hyperopt = {"metric": "F1", "folds": folds}
        stages = Stages(binary("str", proba_class_index=index, hyperopt=hyperopt))
        model = stages.fitted().model
        found[index] = Objective(model, SearchPlan.of(model.dp), {}).evaluate(0, {}).value
    assert found[None] == found[1] != found[0]


def test_a_search_of_three_classes_by_a_metric_of_one_says_what_to_do():
    model = Stages(variant(Three, hyperopt={"metric": "F1"})).fitted().model
    reason = Objective(model, SearchPlan.of(model.dp), {}).evaluate(0, {}).reason
    assert "search by an average (Macro F1), or declare proba_class_index" in reason
    model = Stages(variant(Three, hyperopt={"metric": "Macro F1"})).fitted().model
    assert Objective(model, SearchPlan.of(model.dp), {}).evaluate(0, {}).value > 0.5


def test_the_log_says_once_which_class_is_meant(caplog):
    caplog.set_level(logging.INFO, logger="xingu")
    Stages(binary("str")).evaluated()
    told = [one.getMessage() for one in caplog.records if "positive class" in one.getMessage()]
    assert len(told) == 1
    assert "positive class 'yes', the larger label (Xingu 2.0: class 'no', the first)" in told[0]
    caplog.clear()
    Stages(binary("str", proba_class_index=1)).evaluated()
    assert "positive class" not in caplog.text


# -- three classes --------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[None, "weight"])
def kinds(request):
    return Stages(variant(Three, sample_weight=request.param)).evaluated()


def test_of_three_classes_averages_and_every_class_are_measured(kinds):
    observed, estimated = truth_of(kinds, "val")
    weight = kinds.sets["val"]["weight"] if kinds.dp.sample_weight else None
    classes = list(kinds.signature().classes)
    guess = np.array(classes)[estimated.to_numpy().argmax(axis=1)]
    found, y = values(kinds, "val"), observed.astype(str)
    options = {"sample_weight": weight, "labels": classes, "zero_division": 0.0}
    of_rows = {"Precision": sk.precision_score, "Recall": sk.recall_score, "F1": sk.f1_score}
    expected = {}
    for name, score in of_rows.items():
        expected[f"Macro {name}"] = score(y, guess, average="macro", **options)
        expected[f"Weighted {name}"] = score(y, guess, average="weighted", **options)
        for label, value in zip(classes, score(y, guess, average=None, **options), strict=True):
            expected[f"{name} (class {label!r})"] = value
    for kind in ("macro", "weighted"):
        expected[f"{kind.title()} ROC AUC"] = sk.roc_auc_score(
            y, estimated, multi_class="ovr", average=kind, labels=classes, sample_weight=weight
        )
    for at, label in enumerate(classes):
        hit, score = y == label, estimated.iloc[:, at]
        expected |= {
            f"ROC AUC (class {label!r})": sk.roc_auc_score(hit, score, sample_weight=weight),
            f"Average Precision (class {label!r})": sk.average_precision_score(
                hit, score, sample_weight=weight
            ),
            f"Support (class {label!r})": hit.sum() if weight is None else weight[hit].sum(),
        }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_of_three_classes_nothing_is_measured_of_the_first_alone(kinds):
    found = values(kinds)
    assert not {"F1", "Precision", "Recall", "ROC AUC", "Brier", "KS", "positive_class"} & {*found}
    assert {"Log Loss", "Accuracy"} <= {*found}


def test_of_three_classes_the_estimation_is_the_most_probable_label(kinds):
    observed, estimated = truth_of(kinds)
    estimation = kinds.estimation_of(estimated)
    assert estimation.index.equals(observed.index)
    assert estimation.equals(kinds.estimator.predict(kinds.sets["test"])["estimation"])


def test_a_row_without_probabilities_has_no_label(kinds):
    estimated = kinds.sets_estimations["test"].copy()
    estimated.iloc[0] = np.nan
    assert kinds.estimation_of(estimated).isna().tolist() == [True] + [False] * (len(estimated) - 1)


def test_a_class_that_a_set_lacks_leaves_out_only_what_needs_it():
    model = Stages(Three).evaluated()
    kept = model.sets["test"]["kind"] != "posh"
    model.sets = {"test": model.sets["test"][kept]}
    model.sets_estimations = {"test": model.sets_estimations["test"][kept]}
    found = values(model)
    assert "Macro ROC AUC" not in found
    assert "ROC AUC (class 'posh')" not in found
    assert found["Support (class 'posh')"] == 0
    assert {"Macro F1", "ROC AUC (class 'fair')"} <= {*found}


def test_with_a_declared_index_of_three_classes_the_class_is_named():
    found = values(Stages(variant(Three, proba_class_index=2)).evaluated())
    assert found["positive_class"] == "posh"
    assert found["F1"] == found["F1 (class 'posh')"]
    assert "Macro F1" in found


# -- plots ----------------------------------------------------------------------------------------


def titles(model):
    return {name: figure.layout.title.text for name, figure in draw_sets(model).figures.items()}


def test_every_plot_of_one_class_names_it():
    found = titles(Stages(binary("str")).evaluated())
    names = ("ROC", "Precision-recall", "Calibration", "Threshold", "Gain", "Lift", "KS")
    assert {name: found[f"{name} (test)"] for name in names} == {
        name: f"{name} · test (class 'yes')" for name in names
    }


def test_plots_of_three_classes_have_a_curve_per_class(kinds):
    gallery = draw_sets(kinds).figures
    for name in ("ROC (test)", "Precision-recall (test)"):
        curves = [curve.name.split(":")[0] for curve in gallery[name].data]
        assert curves[:3] == ["class 'cheap'", "class 'fair'", "class 'posh'"]
        assert gallery[name].layout.title.text.endswith("(each class)")
    assert "Calibration (test)" not in gallery
