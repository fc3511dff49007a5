"""Quality gates: their declaration, and their comparisons."""

import pytest

from xingu.checks.gates import (
    Gate,
    check_metrics_of,
    check_sets_of,
    not_worse,
    parse_gates,
    quality_gates,
)
from xingu.directions import BUILTIN_DIRECTIONS
from xingu.errors import DeclarationError


def gates(declared, directions=None):
    return parse_gates("houses", declared, directions or {})


@pytest.mark.parametrize(
    ("demand", "value", "passed"),
    [
        ((">=", 0.8), 0.8, True),
        ((">=", 0.8), 0.79, False),
        ((">", 0.8), 0.8, False),
        (("<=", 0.15), 0.15, True),
        (("<", 0.15), 0.15, False),
        ([">=", 0.8], float("nan"), False),
    ],
)
def test_a_gate_compares_a_metric_with_a_number(demand, value, passed):
    demands = demand if isinstance(demand, tuple) else tuple(demand)
    outcome = quality_gates(gates({"test": {"R2": demands}}), {("test", "R2"): value})
    assert outcome.passed is passed


def test_a_failed_gate_says_what_is_and_what_must_be():
    wanted = gates({"test": {"R2": (">=", 0.8), "MAPE": ("<=", 0.15)}})
    outcome = quality_gates(wanted, {("test", "R2"): 0.712, ("test", "MAPE"): 0.1})
    assert outcome.text == "test R2 is 0.712, must be >= 0.8."
    assert outcome.figures == {"test R2": 0.712, "test MAPE": 0.1, "failed": 1}


def test_a_metric_without_a_value_does_not_pass():
    assert not quality_gates(gates({"test": {"R2": (">=", 0.8)}}), {}).passed


def test_a_metric_can_have_several_demands():
    wanted = gates({"test": {"R2": [(">=", 0.8), ("not worse by", 0.01)]}})
    assert [gate.operator for gate in wanted] == [">=", "not lower by"]


@pytest.mark.parametrize(
    ("metric", "new", "old", "passed"),
    [
        ("R2", 0.79, 0.80, True),
        ("R2", 0.78, 0.80, False),
        ("R2", 0.99, 0.80, True),
        ("MAPE", 0.16, 0.15, True),
        ("MAPE", 0.17, 0.15, False),
        ("Bias", -0.16, 0.15, True),
        ("Bias", -0.17, 0.15, False),
    ],
)
def test_not_worse_knows_which_way_a_metric_is_better(metric, new, old, passed):
    wanted = gates({"test": {metric: ("not worse by", 0.01)}})
    outcome = not_worse(wanted, {("test", metric): new}, {("test", metric): old})
    assert outcome.passed is passed
    assert outcome.figures[f"test {metric} before"] == old


@pytest.mark.parametrize(
    ("direction", "new", "old", "passed"),
    [
        ("maximize", 9, 10, True),
        ("maximize", 8, 10, False),
        ("minimize", 11, 10, True),
        ("minimize", 12, 10, False),
        ("zero", -11, 10, True),
        ("zero", -12, 10, False),
    ],
)
def test_not_worse_knows_what_is_declared_of_own_metrics(direction, new, old, passed):
    wanted = gates({"test": {"profit": ("not worse by", 1)}}, {"profit": direction})
    outcome = not_worse(wanted, {("test", "profit"): new}, {("test", "profit"): old})
    assert outcome.passed is passed


NAN = float("nan")


@pytest.mark.parametrize(
    ("new", "old", "conclusive"),
    [
        ({"R2": 0.9, "MAE": 1.0}, {"R2": 0.9}, False),
        ({"R2": 0.9, "MAE": 1.0}, {"R2": 0.9, "MAE": NAN}, False),
        ({"R2": 0.9}, {"R2": 0.9}, True),
        ({"R2": 0.9}, {"R2": 0.9, "MAE": 1.0}, True),
        ({"R2": 0.5, "MAE": 1.0}, {"R2": 0.9}, True),
    ],
)
def test_a_metric_that_only_the_previous_train_lacks_is_an_inconclusive_failure(
    new, old, conclusive
):
    wanted = gates({"test": dict.fromkeys(("R2", "MAE"), ("not worse by", 0.1))})
    of_set = [{("test", name): value for name, value in one.items()} for one in (new, old)]
    outcome = not_worse(wanted, *of_set)
    assert (outcome.passed, outcome.conclusive) == (False, conclusive)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"test": {"R2": ("=>", 0.8)}},
            r"\['test'\]\['R2'\]: there is no operator '=>'; known: >=",
        ),
        ({"test": {"R2": (">=", "high")}}, "compares with 'high'; it must be a number"),
        ({"test": {"R2": 0.8}}, "is 0.8; write for example"),
        ({"R2": (">=", 0.8)}, r"quality_gates\['R2'\] is \('>=', 0.8\); write for example"),
        ([], r"quality_gates is \[\]; write for example"),
        (
            {"test": {"profit": ("not worse by", 1)}},
            "direction of 'profit' is not known; .* metric_directions",
        ),
        ({"test": {"R2": ("not worse bye", 1)}}, "Did you mean 'not worse by'"),
    ],
)
def test_a_misdeclared_gate_says_what_to_write(declared, message):
    with pytest.raises(DeclarationError, match=message):
        gates(declared)


def test_an_unknown_set_or_metric_has_a_suggestion():
    gate = Gate("tset", "RSME", "<=", 1)
    with pytest.raises(DeclarationError, match="the set 'tset'.*Did you mean 'test'"):
        check_sets_of("houses", [gate], ["train", "test"])
    with pytest.raises(DeclarationError, match="the metric 'RSME'.*Did you mean 'RMSE'"):
        check_metrics_of("houses", [gate], BUILTIN_DIRECTIONS)
