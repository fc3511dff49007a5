from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from xingu.errors import DataError, UndefinedMetricError
from xingu.metrics import bias, mae, mape, median_ae, median_ape, r2, rmse

ALL = [rmse, mae, median_ae, mape, median_ape, r2, bias]
TRUE = pd.Series([1.0, 2.0, 4.0, 5.0])
PRED = pd.Series([2.0, 2.0, 2.0, 8.0])
numbers = st.floats(-1e6, 1e6).filter(lambda number: abs(number) > 1e-3)
pairs = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=40)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (rmse, 3.5**0.5),  # errors 1, 0, -2, 3
        (mae, 1.5),
        (median_ae, 1.5),
        (mape, (1 + 0 + 0.5 + 0.6) / 4),
        (median_ape, 0.55),
        (r2, 1 - 14 / 10),
        (bias, 0.5),
    ],
)
def test_a_metric_has_its_hand_computed_value(metric, value):
    assert metric(TRUE, PRED) == pytest.approx(value)


@settings(max_examples=30)
@given(pairs)
def test_metrics_agree_with_scikit_learn(rows):
    true, pred = (pd.Series(column) for column in zip(*rows, strict=True))
    assume(np.ptp(true) > 1e-3)
    assert rmse(true, pred) == pytest.approx(sk.root_mean_squared_error(true, pred))
    assert mae(true, pred) == pytest.approx(sk.mean_absolute_error(true, pred))
    assert median_ae(true, pred) == pytest.approx(sk.median_absolute_error(true, pred))
    assert mape(true, pred) == pytest.approx(sk.mean_absolute_percentage_error(true, pred))
    assert r2(true, pred) == pytest.approx(sk.r2_score(true, pred), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("metric", ALL)
def test_rows_with_a_missing_value_on_either_side_are_dropped(metric):
    index = pd.RangeIndex(6)
    true = pd.Series([*TRUE, np.nan, 7.0], index)
    pred = pd.Series([*PRED, 7.0, np.nan], index)
    assert metric(true, pred) == metric(TRUE, PRED)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    "true",
    [
        TRUE.astype("Int64"),
        TRUE.astype("float64[pyarrow]"),
        pd.Series([Decimal(1), Decimal(2), Decimal(4), Decimal(5)]),
    ],
    ids=["nullable", "arrow", "decimal"],
)
def test_every_kind_of_number_is_measured(metric, true):
    assert metric(true, PRED) == metric(TRUE, PRED)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("true", "reason"),
    [
        ([np.nan] * 4, "no row has both an observed and an estimated value"),
        ([1.0, 2.0, 3.0, np.inf], "y_true contains an infinite value"),
        (["a", "b", "c", "d"], "y_true is not numeric"),
    ],
)
def test_no_metric_without_finite_numbers(metric, true, reason):
    with pytest.raises(UndefinedMetricError, match=reason):
        metric(pd.Series(true), PRED)


@pytest.mark.parametrize("metric", [mape, median_ape])
def test_relative_errors_are_undefined_where_the_target_is_zero(metric):
    with pytest.raises(UndefinedMetricError, match="zero in 1 of 4 rows"):
        metric(pd.Series([0.0, 1, 2, 3]), PRED)


def test_r2_of_a_constant_target_is_undefined():
    with pytest.raises(UndefinedMetricError, match="constant"):
        r2(pd.Series([3.0] * 4), PRED)


@pytest.mark.parametrize("metric", [rmse, r2])
def test_a_result_beyond_all_numbers_is_undefined(metric):
    with pytest.raises(UndefinedMetricError, match="too large"):
        metric(TRUE * 1e200, -PRED * 1e200)


@pytest.mark.parametrize("metric", ALL)
def test_columns_of_different_rows_are_refused(metric):
    with pytest.raises(DataError, match="same index; keep the index") as caught:
        metric(TRUE, PRED.set_axis([1, 2, 3, 4]))
    assert not isinstance(caught.value, UndefinedMetricError)
