import logging
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from xingu.errors import HookError
from xingu.metrics import MetricRow, MetricTable, call_method, find_methods, metric_rows
from xingu.metrics.collect import CLASSICAL

AVAILABLE = {"XY": "data", "Y_pred": "estimations", "model": "the model"}


class Provider:
    def compute_b(self, XY, Y_pred):
        return self, XY, Y_pred

    @staticmethod
    def compute_a(XY):
        return XY

    @property
    def compute_property(self):
        raise AssertionError("evaluated")

    def compute_(self):
        """Without a name it measures nothing."""

    def computer_c(self): ...


def test_methods_are_found_by_prefix_bound_and_sorted():
    provider = Provider()
    found = find_methods(provider, "compute")
    assert list(found) == ["a", "b"]
    assert found["b"](1, 2) == (provider, 1, 2)


def test_a_subclass_switches_a_method_off_with_none():
    class Quiet(Provider):
        compute_b = None

    assert list(find_methods(Quiet(), "compute")) == ["a"]


@pytest.mark.parametrize(
    ("method", "received"),
    [
        (lambda XY, Y_pred, model: (XY, Y_pred, model), ("data", "estimations", "the model")),
        (lambda model, XY: (model, XY), ("the model", "data")),
        (lambda Y_pred: Y_pred, "estimations"),
        (lambda: "nothing", "nothing"),
        (lambda frame, estimated: (frame, estimated), ("data", "estimations")),
        (lambda frame, /, model: (frame, model), ("data", "the model")),
        (lambda frame, limit=0.5, **rest: (frame, limit, sorted(rest)),
         ("data", 0.5, ["Y_pred", "model"])),
        (lambda *args: args, ("data", "estimations", "the model")),
        (lambda *args, **kwargs: (args, kwargs), ((), AVAILABLE)),
    ],
)  # fmt: skip
def test_a_method_receives_what_its_signature_accepts(method, received):
    assert call_method("flights.compute_a", method, **AVAILABLE) == received


def test_a_method_that_wants_more_is_told_what_there_is():
    with pytest.raises(HookError, match=r"flights\.compute_a requires 'extra'; available: model"):
        call_method("flights.compute_a", lambda a, extra: None, model=1)


def test_an_error_inside_a_method_names_the_method_and_keeps_the_cause():
    def fail(XY):
        raise KeyError("speed")

    where = "flights.compute_a (set 'test')"
    with pytest.raises(HookError) as caught:
        call_method(where, fail, **AVAILABLE)
    assert str(caught.value) == f"{where} raised KeyError: 'speed'"
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (True, 1.0),
        (np.bool_(False), 0.0),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7.0),
        (Decimal("2.5"), 2.5),
        (float("-inf"), float("-inf")),
    ],
)
def test_every_kind_of_number_becomes_a_float(value, number):
    [row] = metric_rows("test", {"m": value}, "flights.compute_a")
    assert row == MetricRow("test", "m", number, None)
    assert type(row.value_number) is float


@pytest.mark.parametrize("text", ["good", "", np.str_("good")])
def test_a_text_is_kept_as_text(text):
    assert metric_rows(None, {"m": text}, "a") == [MetricRow(None, "m", None, str(text))]


@pytest.mark.parametrize("value", [None, pd.NA, pd.NaT])
def test_a_missing_value_is_left_out_and_logged(value, caplog):
    with caplog.at_level(logging.WARNING):
        rows = metric_rows("test", {"gone": value, "kept": 1}, "flights.compute_a")
    assert [row.name for row in rows] == ["kept"]
    assert "flights.compute_a (set 'test'): metric 'gone' is" in caplog.text


@pytest.mark.parametrize("value", [float("nan"), np.nan, Decimal("NaN"), float("inf")])
def test_what_is_not_finite_is_kept_and_logged(value, caplog):
    with caplog.at_level(logging.WARNING):
        [row] = metric_rows("test", {"odd": value}, "flights.compute_a")
    assert str(row.value_number) == str(float(value))
    assert "flights.compute_a (set 'test'): metric 'odd' is" in caplog.text


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "returned NoneType; return a dict of names to numbers or strings"),
        (3.5, "returned float"),
        ([("m", 1)], "returned list"),
        ({3: 1}, "returned the name 3"),
        ({"": 1}, "returned the name ''"),
        ({"m": [1]}, "returned list as the metric 'm'; a metric is a number or a string"),
        ({"m": 1j}, "returned complex as the metric 'm'"),
    ],
)
def test_anything_else_is_refused_with_what_came_and_what_is_wanted(result, said):
    with pytest.raises(HookError) as caught:
        metric_rows("test", result, "flights.compute_a")
    assert f"flights.compute_a (set 'test') {said}" in str(caught.value)


def test_a_metric_of_two_methods_for_one_set_is_an_error_that_names_both():
    table = MetricTable("flights")
    table.add("test", {"speed": 1}, "flights.compute_a")
    table.add("train", {"speed": 2}, "flights.compute_b")
    table.add(None, {"speed": 3}, "flights.compute_c")
    with pytest.raises(HookError) as caught:
        table.add("test", {"speed": 4}, "Model.compute_d")
    assert (
        "flights.compute_a and Model.compute_d both yield the metric 'speed' (set 'test')"
        in str(caught.value)
    )
    assert [row.value_number for row in table.rows] == [1, 2, 3]


def test_a_method_replaces_the_classical_metric_of_its_name():
    table = MetricTable("flights")
    table.add("test", {"RMSE": 1, "MAE": 2}, CLASSICAL)
    table.add("test", {"RMSE": 10}, "flights.compute_a")
    assert {row.name: row.value_number for row in table.rows} == {"RMSE": 10, "MAE": 2}


def test_undefined_metrics_are_logged_with_their_reason(caplog):
    MetricTable("flights").add_undefined("test", {"R2": "y_true is constant"})
    assert "flights (set 'test'): metric 'R2' is left out: y_true is constant" in caplog.text
