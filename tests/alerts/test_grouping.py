"""Repeated alerts are grouped."""

import json

from xingu.alerts import Alert
from xingu.alerts.grouping import Groups


def failed(cause="R2 of 0.79 is less than 0.8", dp_id="houses"):
    return Alert("run_failed", "error", dp_id, f"{dp_id} failed", cause)


def restarted(groups):
    return Groups(json.loads(json.dumps(groups.state())), 60)


def test_the_first_is_sent_and_one_summary_follows_with_the_number_of_the_others():
    groups = Groups(None, 60)
    assert len(list(groups.take([failed()], now=0))) == 1
    for now in (10, 20, 30):
        groups = restarted(groups)
        assert list(groups.take([failed()], now=now)) == []
    (summary,) = restarted(groups).take([], now=60)
    assert summary["count"] == 3
    assert summary["text"].splitlines()[0] == "houses failed (3 more since the last message)"


def test_numbers_in_the_cause_do_not_make_another_group():
    groups = Groups(None, 60)
    alerts = [failed("R2 of 0.79 is less than 0.8"), failed("R2 of 0.612 is less than 0.8")]
    assert len(list(groups.take(alerts, now=0))) == 1


def test_other_causes_and_dataproviders_are_groups_of_their_own():
    groups = Groups(None, 60)
    alerts = [failed(), failed("the database is down"), failed(dp_id="flats")]
    assert len(list(groups.take(alerts, now=0))) == 3


def test_an_alert_after_a_silent_interval_is_sent_at_once():
    groups = Groups(None, 60)
    list(groups.take([failed()], now=0))
    assert [one["count"] for one in groups.take([failed()], now=61)] == [1]


def test_a_clock_that_goes_back_does_not_silence_a_group():
    groups = Groups(None, 60)
    list(groups.take([failed()], now=10_000))
    assert len(list(groups.take([failed()], now=0))) == 1


def test_without_an_interval_every_alert_is_sent():
    groups = Groups(None, 0)
    assert len(list(groups.take([failed(), failed()], now=0))) == 2
