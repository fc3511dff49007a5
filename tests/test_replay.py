"""Replaying history: what policies would have trained, and what that was worth."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from tests.support.toys import Houses, houses
from xingu import Model
from xingu.automation.policy import parse_policy
from xingu.errors import DataError
from xingu.replay import NEVER, Replay, following_rows, history_of
from xingu.stages.builder import ProviderBuilder

ROWS = 600


def no_pre_req(dp_id: str, train_id: str) -> Model:
    raise AssertionError(f"there is no prerequisite, but {dp_id} {train_id} was asked for")


def sold():
    """Houses of 100 days whose prices rise, so that old models become worse."""
    frame = houses(ROWS)
    days = np.arange(ROWS) // 6
    times = pd.Timestamp("2026-01-01") + pd.to_timedelta(days, unit="D")
    return frame.assign(price=frame["price"] * (1 + days / 50), sold=times)


@pytest.fixture(scope="module")
def replay():
    history = history_of({"houses": sold()}, "sold", every=7 * 86400)
    return Replay(ProviderBuilder(Houses, no_pre_req), history, {})


def replayed(replay, declared, name="policy"):
    return replay.run(name, parse_policy("houses", declared))


def test_a_policy_trains_when_the_sensor_would(replay):
    never = replay.run(NEVER, None)
    always = replayed(replay, "on_new_data")
    seldom = replayed(replay, {"when": {"new_data": {"min_new_rows": 100}}})
    decisions = len(replay.cuts) - 1
    assert [len(one.events) for one in (never, always, seldom)] == [1, decisions, 4]
    assert [one.reason for one in seldom.events] == ["the first train", *["126 new rows in "
                                                                         "houses"] * 3]  # fmt: skip
    gaps = np.diff([one.rows for one in seldom.events])
    assert (gaps == 126).all()


def test_each_model_is_measured_on_the_rows_that_followed(replay):
    never, always = replay.run(NEVER, None), replayed(replay, "on_new_data")
    assert replay.metric == "RMSE"
    assert always.value < 0.8 * never.value
    assert {one.rows for one in never.windows[:-1]} == {42}
    assert [one.trained for one in always.windows] == list(replay.cuts[:-1])
    assert {one.trained for one in never.windows} == {replay.cuts[0]}


def test_times_of_a_schedule_are_those_of_history(replay):
    monthly = replayed(replay, "0 0 1 * *")
    assert [one.time.month for one in monthly.events] == [2, 3, 4]


def test_a_train_that_fails_leaves_the_model_before_it(replay):
    class Fails(Houses):
        def data_split_for_train(self, data):
            if len(data) > 300:
                raise ValueError("too many rows")
            return super().data_split_for_train(data)

    history = history_of({"houses": sold()}, "sold", every=7 * 86400)
    found = replayed(Replay(ProviderBuilder(Fails, no_pre_req), history, {}), "on_new_data")
    failed = [one for one in found.events if one.error]
    assert len(failed) == 3  # then the policy stops
    assert "too many rows" in failed[0].error
    assert len({one.trained for one in found.windows}) == len(found.trains)


def test_later_rows_are_prepared_with_what_the_model_has_learned(replay):
    model = replay._fit(replay.cuts[0]).model
    codes = dict(model.dp.town_codes)
    rows = sold()
    only = rows.loc[rows["town"] == "west"]
    rows = following_rows(model, {"houses": only})
    assert set(rows["town_code"]) == {codes["west"]}
    assert model.dp.town_codes == codes


@pytest.mark.parametrize(
    ("column", "told"),
    [("day", "No source has a column 'day'"), ("size", "houses.size holds numbers")],
)
def test_a_column_without_times_is_refused(column, told):
    with pytest.raises(DataError, match=told):
        history_of({"houses": sold()}, column)


def test_history_that_is_too_short_is_refused():
    with pytest.raises(DataError, match="too short"):
        history_of({"houses": sold()}, "sold", start=datetime(2026, 4, 9, tzinfo=UTC))
