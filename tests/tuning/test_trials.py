"""The log of trials in memory, the best trial, and values as JSON has them."""

import json
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.records import Trial
from xingu.tuning.trials import TrialLog, best_of, plain


def done(number: int, value: float) -> Trial:
    return Trial(number, {"x": number}, "done", value)


@given(st.permutations(range(6)))
def test_trials_are_kept_in_the_order_of_their_numbers(numbers):
    log = TrialLog()
    for number in numbers:
        log.record(done(number, 1.0))
    assert [trial.number for trial in log.trials] == list(range(6))


def test_a_trial_with_the_same_number_is_replaced():
    log = TrialLog([done(0, 1.0), done(1, 2.0)])
    log.record(done(0, 9.0))
    assert [trial.value for trial in log.trials] == [9.0, 2.0]


def test_a_cleared_log_is_empty_and_can_be_used_again():
    log = TrialLog([done(0, 1.0)])
    log.clear()
    assert log.trials == []
    log.record(done(3, 1.0))
    log.close()
    assert len(log.trials) == 1


def test_logs_do_not_share_their_trials():
    first = TrialLog()
    first.record(done(0, 1.0))
    assert TrialLog().trials == []


@pytest.mark.parametrize(("direction", "best"), [("minimize", 1), ("maximize", 2)])
def test_the_best_trial_follows_the_direction(direction, best):
    trials = [done(0, 5.0), done(1, -1.0), done(2, 7.0), Trial(3, {}, "failed"), Trial(4, {})]
    assert best_of(trials, direction).number == best


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_of_equal_trials_the_first_is_the_best(direction):
    assert best_of([done(2, 0.0), done(1, 0.0)], direction).number == 1


@pytest.mark.parametrize("trials", [[], [Trial(0, {}, "failed", reason="no")], [Trial(0, {})]])
def test_without_a_trial_that_is_done_there_is_no_best(trials):
    assert best_of(trials, "minimize") is None


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_the_best_has_the_extreme_value(values):
    trials = [done(number, value) for number, value in enumerate(values)]
    assert best_of(trials, "minimize").value == min(values)
    assert best_of(trials, "maximize").value == max(values)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ((1, (2, 3)), [1, [2, 3]]),
        ({1: (2,), "a": {"b": np.int8(1)}}, {"1": [2], "a": {"b": 1}}),
        (date(2020, 1, 2), "2020-01-02"),
        (None, None),
    ],
)
def test_values_become_those_of_json_with_their_types(value, expected):
    found = plain(value)
    assert (found, type(found)) == (expected, type(expected))
    assert json.loads(json.dumps(found)) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_what_json_has_stays_as_it_is(value):
    assert plain(value) == value
