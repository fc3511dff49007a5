"""Decisions: what a tick answers in each situation, in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from xingu.automation.decide import decide
from xingu.automation.facts import Attempt, Facts, State, Trained
from xingu.automation.policy import parse_policy
from xingu.records import Observed

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def ago(**given):
    return NOW - timedelta(**given)


def policy_of(declared, **limits):
    given = declared if isinstance(declared, dict) else {"when": declared}
    policy = parse_policy("houses", {**given, **({"limits": limits} if limits else {})})
    assert policy is not None
    return policy


def rows(number, **given):
    return {"houses": Observed(f"v{number}", number, **given)}


TRAIN = Trained("calm", ago(days=2), rows(1000), {"towns": "t1"}, "run-0")
SAME = Facts(current=TRAIN, observed=rows(1000), pre_reqs={"towns": "t1"})
MORE = replace(SAME, observed=rows(1132))


def failed(number, change="", **when):
    begin = ago(**when)
    return Attempt(f"run-{number}", change, begin, begin + timedelta(minutes=1), "failure")


def test_nothing_new_asks_for_nothing():
    decision = decide(policy_of("on_new_data"), SAME, NOW)
    assert (decision.run, decision.reason, decision.state) == (False, "no new data", State())


def test_new_rows_ask_for_a_run():
    decision = decide(policy_of("on_new_data"), MORE, NOW)
    assert (decision.run, decision.reason) == (True, "132 new rows in houses")


def test_a_model_that_was_never_trained_is_trained():
    assert decide(policy_of("0 3 * * *"), Facts(), NOW).reason == "it was never trained"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"min_new_rows": 500}, "132 new rows in houses (min 500), waits"),
        ({"min_share": 0.2}, "132 new rows in houses (min 0.2 of 1,000 rows), waits"),
        ({"min_interval": "3d"}, "132 new rows in houses (24 h until 3 d have passed since the "
         "last train), waits"),
        ({"debounce": "10m"}, "132 new rows in houses (10 min until it is unchanged for 10 min), "
         "waits"),
    ],
)  # fmt: skip
def test_the_reason_names_a_condition_that_is_not_met(rule, told):
    decision = decide(policy_of({"when": {"new_data": rule}}), MORE, NOW)
    assert (decision.run, decision.reason) == (False, told)


def test_rewritten_history_counts_whatever_the_number_of_rows():
    facts = replace(SAME, observed=rows(1001, rewritten=True))
    decision = decide(policy_of({"when": {"new_data": {"min_new_rows": 500}}}), facts, NOW)
    assert (decision.run, decision.reason) == (True, "rows of houses were changed or removed")


def test_data_that_arrives_is_waited_for_until_it_is_quiet_but_not_for_ever():
    policy = policy_of({"when": {"new_data": {"debounce": "10m"}}})
    state, now, asked = State(), NOW, []
    for minute in range(0, 120, 5):
        now = NOW + timedelta(minutes=minute)
        decision = decide(policy, replace(MORE, observed=rows(1132 + minute), state=state), now)
        state = decision.state
        asked += [minute] if decision.run else []
    assert asked[0] == 100
    quiet = replace(MORE, observed=rows(1300), state=State())
    first = decide(policy, quiet, NOW)
    later = decide(policy, replace(quiet, state=first.state), NOW + timedelta(minutes=10))
    assert (first.run, later.run) == (False, True)


def test_a_time_of_the_schedule_is_made_up_for_once():
    policy = policy_of("0 3 * * *")
    decision = decide(policy, SAME, NOW)
    assert (decision.run, decision.reason) == (True, "it is due since 2026-03-04 03:00 UTC "
                                               "(0 3 * * *)")  # fmt: skip
    trained = replace(SAME, current=replace(TRAIN, time=ago(hours=8)))
    decision = decide(policy, trained, NOW)
    assert (decision.run, decision.reason) == (False, "next at 2026-03-05 03:00 UTC")


def test_a_prerequisite_that_was_trained_asks_for_a_run():
    facts = replace(SAME, pre_reqs={"towns": "t2"})
    assert decide(policy_of("with_pre_reqs"), facts, NOW).reason == "towns was trained"
    busy = replace(facts, busy=["towns"])
    assert "waits for towns, which is being trained" in decide(
        policy_of("with_pre_reqs"), busy, NOW
    ).reason  # fmt: skip


def test_a_prerequisite_without_a_train_is_waited_for_unless_the_same_run_trains_it():
    facts = replace(MORE, pre_reqs={"towns": None})
    assert "towns has no current train" in decide(policy_of("on_new_data"), facts, NOW).reason
    assert decide(policy_of("on_new_data"), replace(facts, joined={"towns": "c"}), NOW).run


def test_drift_asks_for_a_run():
    decision = decide(policy_of("on_drift"), replace(SAME, drifted=["feature_drift"]), NOW)
    assert (decision.run, decision.reason) == (True, "the batch has drifted (feature_drift)")


def test_while_a_run_trains_it_there_is_no_second_one():
    decision = decide(policy_of("on_new_data"), replace(MORE, running="abcdefghij"), NOW)
    assert (decision.run, decision.reason) == (False, "run abcdefgh is training it")


def test_data_that_a_train_was_refused_with_is_not_trained_on_again():
    refused = Trained("newer", ago(hours=1), rows(1132), {"towns": "t1"}, "run-1", refused=True)
    assert not decide(policy_of("on_new_data"), replace(MORE, newest=refused), NOW).run
    other = replace(MORE, newest=refused, observed=rows(1200))
    assert decide(policy_of("on_new_data"), other, NOW).reason == "68 new rows in houses"


def test_a_failed_run_is_tried_again_later_and_later_until_the_policy_stops():
    policy = policy_of("on_new_data", failures=3, retry_after="10m")
    tried = replace(MORE, attempts=[failed(1, minutes=6)])
    assert decide(policy, tried, NOW).reason.endswith("tries again in 5 min")
    tried = replace(MORE, attempts=[failed(1, minutes=11)])
    decision = decide(policy, tried, NOW)
    assert (decision.run, decision.attempt) == (True, 2)
    tried = replace(MORE, attempts=[failed(2, minutes=15), failed(1, minutes=50)])
    assert decide(policy, tried, NOW).reason.endswith("tries again in 6 min")
    row = [failed(3, days=30), failed(2, days=31), failed(1, days=32)]
    old = replace(MORE, current=replace(TRAIN, time=ago(days=40)), attempts=row)
    decision = decide(policy, old, NOW)
    assert (decision.run, decision.stopped) == (False, True)
    assert "stopped after 3 failed runs in a row" in decision.reason
    by_hand = replace(old, current=replace(TRAIN, time=ago(days=29)))
    assert decide(policy, by_hand, NOW).run


def test_a_refused_train_of_the_policy_counts_as_a_failure_and_one_by_hand_does_not():
    policy = policy_of("on_new_data", failures=1)
    refused = Trained("newer", ago(hours=1), rows(1100), {}, "run-1", refused=True)
    attempts = [failed(1, hours=1)]
    facts = replace(MORE, newest=refused, attempts=attempts)
    assert decide(policy, facts, NOW).stopped
    by_hand = replace(refused, run_id="manual", time=ago(minutes=30))
    assert decide(policy, replace(facts, newest=by_hand), NOW).run


def test_a_run_that_failed_for_another_model_is_no_failure_of_this_one():
    attempts = [failed(1, hours=1)]
    trained = replace(TRAIN, run_id="run-1", time=ago(hours=1))
    decision = decide(policy_of("on_new_data"), replace(MORE, current=trained, attempts=attempts),
                      NOW)  # fmt: skip
    assert (decision.run, decision.attempt) == (True, 1)


def test_a_success_is_not_repeated_even_if_the_train_is_not_found():
    change = decide(policy_of("on_new_data"), MORE, NOW).change
    done = replace(failed(1, change=change, minutes=30), outcome="success")
    decision = decide(policy_of("on_new_data"), replace(MORE, attempts=[done]), NOW)
    assert (decision.run, "has succeeded" in decision.reason) == (False, True)


def test_the_number_of_runs_in_a_day_is_limited():
    done = [
        replace(failed(hour, change="other", hours=hour), outcome="success") for hour in (1, 2, 30)
    ]
    decision = decide(policy_of("on_new_data", per_day=2), replace(MORE, attempts=done), NOW)
    assert (decision.run, decision.reason) == (
        False, "132 new rows in houses; waits, after 2 runs in 24 hours"
    )  # fmt: skip


def test_each_nth_train_searches():
    policy = policy_of({"when": "on_new_data", "how": {"search_every": 3}})
    searched = [decide(policy, replace(MORE, since_search=n), NOW).search for n in (None, 0, 1, 2)]
    assert searched == [True, False, False, True]


def test_a_source_that_was_not_observed_is_reported_and_changes_nothing():
    facts = replace(SAME, observed={}, unobserved={"houses": "took longer than 10 s"})
    decision = decide(policy_of("on_new_data"), facts, NOW)
    assert decision.reason == "houses was not observed: took longer than 10 s"
