"""Methods of a family are found by prefix and called with what their signature accepts."""

import pytest

from xingu import DataProvider
from xingu.errors import HookError
from xingu.provider.methods import FAMILIES, GLOBAL_METRICS, call_method, find_methods

GIVEN = {"XY": "xy", "Y_pred": "pred", "model": "m"}


class Flights(DataProvider):
    id = "flights"
    compute_global_model_metrics_limit = 3

    @property
    def compute_global_model_metrics_lazy(self):
        raise RuntimeError("evaluated")

    def compute_global_model_metrics_b(self):
        return "b"

    @classmethod
    def compute_global_model_metrics_a(cls):
        return "a"

    @staticmethod
    def compute_global_model_metrics_c():
        return "c"


def test_methods_are_bound_and_sorted_by_name():
    found = find_methods(Flights(), GLOBAL_METRICS)
    assert list(found) == ["a", "b", "c"]
    assert [method() for method in found.values()] == ["a", "b", "c"]


@pytest.mark.parametrize("family", [one for one in FAMILIES if one != GLOBAL_METRICS])
def test_a_method_belongs_to_one_family(family):
    assert find_methods(Flights(), family) == {}


def test_a_subclass_disables_a_method_with_none():
    quiet = type("Quiet", (Flights,), {"compute_global_model_metrics_b": None})
    assert list(find_methods(quiet(), GLOBAL_METRICS)) == ["a", "c"]


@pytest.mark.parametrize(
    ("method", "result"),
    [
        (lambda: (), ()),
        (lambda XY: XY, "xy"),
        (lambda Y_pred, XY: (Y_pred, XY), ("pred", "xy")),
        (lambda model, data, predicted: (model, data, predicted), ("m", "xy", "pred")),
        (lambda data, /, predicted=None: (data, predicted), ("xy", None)),
        (lambda *args: args, ("xy", "pred", "m")),
        (lambda XY, *args: (XY, args), ("xy", ("pred", "m"))),
        (lambda **kwargs: kwargs, GIVEN),
        (lambda *args, **kwargs: (args, kwargs), ((), GIVEN)),
        (lambda model, *, Y_pred: (model, Y_pred), ("m", "pred")),
    ],
)
def test_a_method_receives_what_its_signature_accepts(method, result):
    assert call_method("flights.x", method, **GIVEN) == result


def test_a_required_parameter_without_an_argument_is_an_error():
    with pytest.raises(HookError, match=r"flights\.x requires 'more'; available: XY\."):
        call_method("flights.x", lambda XY, more: None, XY=1)
    with pytest.raises(HookError, match=r"requires 'data'; available: nothing\."):
        call_method("flights.x", lambda data: None)


def test_an_error_of_a_method_names_it_and_keeps_the_cause():
    def divide(XY):
        return 1 / XY

    with pytest.raises(HookError, match=r"flights\.x raised ZeroDivisionError: ") as caught:
        call_method("flights.x", divide, XY=0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.facts == {"where": "flights.x"}
