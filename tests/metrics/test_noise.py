"""Standard errors of metrics, compared with what other samples of rows give."""

import numpy as np
import pandas as pd
import pytest

from xingu.metrics import classification_metrics, regression_metrics
from xingu.metrics.noise import standard_errors


def regression(seed, rows=400):
    rng = np.random.default_rng(seed)
    true = pd.Series(rng.uniform(1, 9, rows))
    return true, true + rng.normal(0, 1, rows)


def classes(seed, rows=400):
    rng = np.random.default_rng(seed)
    score = rng.random(rows)
    hit = pd.Series((rng.random(rows) < score).astype(int))
    return hit, pd.DataFrame({"estimation_class_0": 1 - score, "estimation_class_1": score})


def binary_metrics(hit, estimated, weight=None):
    return classification_metrics(hit, estimated, [0, 1], 1, weight)


@pytest.mark.parametrize(
    ("draw", "measure", "names"),
    [
        (regression, regression_metrics, ["RMSE", "MAE", "R2", "Bias", "MAPE"]),
        (classes, binary_metrics, ["ROC AUC", "F1", "Precision", "Recall", "Log Loss", "Brier"]),
    ],
)
def test_the_standard_error_is_the_spread_over_other_samples(draw, measure, names):
    spread = pd.DataFrame([measure(*draw(seed)).values for seed in range(300)]).std()
    pair = draw(1000)
    found = standard_errors(
        lambda weight: measure(*pair, weight), pd.Series(1.0, pair[0].index), 400
    )
    for name in names:
        assert found[name] == pytest.approx(spread[name], rel=0.5), name


def test_more_rows_than_the_sample_have_less_noise():
    pair = regression(0)
    weight = pd.Series(1.0, pair[0].index)
    few, many = (
        standard_errors(lambda drawn: regression_metrics(*pair, drawn), weight, rows)["RMSE"]
        for rows in (400, 40_000)
    )
    assert many == pytest.approx(few / 10)


def test_an_undefined_metric_has_no_noise():
    true = pd.Series([0.0, 1, 2])
    found = standard_errors(
        lambda weight: regression_metrics(true, true + 1, weight), pd.Series(1.0, true.index), 3
    )
    assert "MAPE" not in found
