import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from xingu.errors import DataError
from xingu.metrics import (
    classification_metrics,
    f1,
    log_loss,
    precision,
    recall,
    regression_metrics,
    roc_auc,
)

CLASSIFICATION = [
    *["ROC AUC", "Average Precision", "Log Loss", "Brier", "F1"],
    *["Precision", "Recall", "Accuracy", "KS"],
]


def probabilities(*columns):
    return pd.DataFrame({f"estimation_class_{i}": column for i, column in enumerate(columns)})


LATE = probabilities([0.1, 0.2, 0.4, 0.9], [0.9, 0.8, 0.6, 0.1])
OBSERVED = pd.Series(["late", "on time", "late", "on time"])
CLASSES = ["on time", "late"]


def test_all_regression_metrics_are_measured_under_their_names():
    measured = regression_metrics(pd.Series([1.0, 2, 4]), pd.Series([1.0, 3, 4]))
    assert list(measured.values) == [
        *["RMSE", "MAE", "Median AE", "MAPE", "Median APE", "R2", "Bias"]
    ]
    assert measured.values["MAE"] == pytest.approx(1 / 3)
    assert measured.undefined == {}


def test_a_metric_is_a_finite_number_or_a_reason():
    measured = regression_metrics(pd.Series([0.0, 0, 0]), pd.Series([1.0, 3, 4]))
    assert list(measured.values) == ["RMSE", "MAE", "Median AE", "Bias"]
    assert measured.undefined == {
        "MAPE": "y_true is zero in 3 of 3 rows",
        "Median APE": "y_true is zero in 3 of 3 rows",
        "R2": "y_true is constant",
    }


def test_all_classification_metrics_are_measured_under_their_names():
    measured = classification_metrics(OBSERVED, LATE, CLASSES, target_index=1)
    late = OBSERVED == "late"
    assert list(measured.values) == CLASSIFICATION
    assert measured.values["ROC AUC"] == roc_auc(late, LATE["estimation_class_1"])
    assert measured.values["F1"] == f1(late, LATE["estimation_class_1"] > 0.5)
    assert measured.values["Accuracy"] == 0.75


def test_the_target_index_decides_which_class_is_measured():
    late = classification_metrics(OBSERVED, LATE, CLASSES, target_index=1).values
    on_time = classification_metrics(OBSERVED, LATE, CLASSES, target_index=0).values
    assert (late["Recall"], on_time["Recall"]) == (1.0, 0.5)
    assert late["Log Loss"] == on_time["Log Loss"]


def test_of_three_classes_the_target_is_measured_against_the_rest():
    rng = np.random.default_rng(0)
    classes = [10, 20, 30]
    y_true = pd.Series(rng.choice(classes, 200))
    chances = pd.DataFrame(rng.dirichlet([1, 1, 1], 200)).add_prefix("estimation_class_")
    measured = classification_metrics(y_true, chances, classes, target_index=2).values
    is_target, is_chosen = y_true == 30, chances.to_numpy().argmax(axis=1) == 2
    chosen = pd.Series(is_chosen)
    assert measured["ROC AUC"] == roc_auc(is_target, chances["estimation_class_2"])
    assert measured["Precision"] == precision(is_target, chosen)
    assert measured["Recall"] == recall(is_target, chosen)
    assert measured["Log Loss"] == log_loss(y_true, chances, classes)


@pytest.mark.parametrize(
    ("y_true", "classes"),
    [
        (OBSERVED.astype("category"), CLASSES),
        (OBSERVED.eq("late"), [False, True]),
        (OBSERVED.eq("late").astype(int), [False, True]),
        (OBSERVED.eq("late").astype("Int64"), [0.0, 1.0]),
        (OBSERVED.eq("late"), list(np.array([0, 1]))),
    ],
)
def test_labels_of_every_type_find_their_class(y_true, classes):
    expected = classification_metrics(OBSERVED, LATE, CLASSES, 1)
    assert classification_metrics(y_true, LATE, classes, 1) == expected


def test_rows_without_a_label_or_a_probability_are_dropped():
    longer = pd.concat([LATE, probabilities([0.5, np.nan], [0.5, 0.5])], ignore_index=True)
    y_true = pd.Series([*OBSERVED, None, "late"])
    expected = classification_metrics(OBSERVED, LATE, CLASSES, 1)
    assert classification_metrics(y_true, longer, CLASSES, 1) == expected


def test_one_observed_class_leaves_out_what_it_cannot_show():
    measured = classification_metrics(pd.Series(["late"] * 4), LATE, CLASSES, 1)
    assert list(measured.undefined) == ["ROC AUC", "Average Precision", "KS"]
    assert measured.values["Recall"] == 0.75


@pytest.mark.parametrize(
    ("y_true", "reason"),
    [
        (pd.Series(["1", "0", "1", "0"]), "no label in y_true ('1', …) is one of"),
        (pd.Series([None] * 4), "no row has both"),
    ],
)
def test_without_a_known_label_everything_is_undefined(y_true, reason):
    measured = classification_metrics(y_true, LATE, CLASSES, 1)
    assert measured.values == {}
    assert list(measured.undefined) == CLASSIFICATION
    assert all(text.startswith(reason) for text in measured.undefined.values())


@pytest.mark.parametrize(("classes", "target_index"), [(["late"], 0), (CLASSES, 2), (CLASSES, -1)])
def test_probabilities_that_do_not_fit_the_classes_are_refused(classes, target_index):
    with pytest.raises(DataError, match="check proba_class_index"):
        classification_metrics(OBSERVED, LATE, classes, target_index)


def test_importing_metrics_and_plots_loads_no_heavy_library():
    code = (
        "import sys, xingu.metrics, xingu.plots;"
        "heavy = 'sklearn', 'scipy', 'plotly.graph_objs', 'dagster';"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
