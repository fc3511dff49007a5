"""The demonstration's models are sound: rules about time, leakage and what they promise."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal

from dataproviders.flights import OUTSIDE, ArrivalLate, DepartureDelay
from tests.support import flights
from xingu.provider.discovery import DataProviderFactory

KNOWN_LATER = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "late"}
FAST = {"n_jobs": 1, "n_estimators": 60}


@pytest.fixture(scope="module")
def departure(warehouse):
    provider = DepartureDelay()
    sets = flights.train_sets(provider, warehouse)
    return provider, sets, flights.fit(provider, sets, **FAST)


@pytest.fixture(scope="module")
def arrival(warehouse, departure):
    provider = ArrivalLate()
    provider.pre_req_model = {"departure_delay": departure[-1]}
    sets = flights.train_sets(provider, warehouse)
    return provider, sets, flights.fit(provider, sets, **FAST)


@pytest.fixture(params=["departure", "arrival"])
def each(request):
    return request.getfixturevalue(request.param)


def days(frame):
    return frame["flight_day"].min(), frame["flight_day"].max()


def test_both_are_found_and_the_prerequisite_comes_first():
    assert list(DataProviderFactory(providers_folder="dataproviders")) == [
        "departure_delay",
        "arrival_late",
    ]


def test_older_days_teach_and_later_days_judge(each):
    _, sets, _ = each
    assert list(sets) == ["train", "val", "test"]
    assert days(sets["train"])[1] < days(sets["val"])[0]
    assert days(sets["val"])[1] < days(sets["test"])[0]


def test_every_flight_is_identified_by_a_unique_index(each, warehouse):
    provider, sets, _ = each
    rows = pd.concat([*sets.values(), flights.batch_rows(provider, warehouse)])
    assert rows.index.name == "flight_id"
    assert rows.index.is_unique


def test_nothing_is_trained_on_the_newest_month_and_all_of_it_is_estimated(each, warehouse):
    provider, sets, _ = each
    batch = flights.batch_rows(provider, warehouse)
    assert all((frame["flight_day"] < "2013-06-01").all() for frame in sets.values())
    assert days(batch) == (pd.Timestamp("2013-06-01"), pd.Timestamp("2013-06-30"))
    assert len(batch) == 28_243


@pytest.mark.parametrize("provider_class", [DepartureDelay, ArrivalLate])
def test_when_a_month_is_added_the_windows_move(provider_class, grown_warehouse):
    provider = provider_class()
    train = provider.clean_data_for_train(flights.read(provider, grown_warehouse))
    batch = provider.clean_data_for_batch_predict(flights.read(provider, grown_warehouse, True))
    assert days(train)[1] == pd.Timestamp("2013-06-30")
    assert set(batch["flight_day"].dt.month) == {7}


def test_no_feature_is_known_only_after_take_off(each, warehouse):
    provider, sets, _ = each
    assert not KNOWN_LATER & set(provider.get_estimator_features_list())
    assert KNOWN_LATER & set(sets["train"].columns) == {provider.get_target()}
    assert not KNOWN_LATER & set(flights.batch_rows(provider, warehouse).columns)


def test_features_hold_nothing_that_happens_after_the_moment_of_estimation(own_warehouse):
    """Erase the future of one moment: flights of the hour after next must look the same."""
    moment = "TIMESTAMP '2013-06-24 22:00'"
    leaves = "time_hour + (minute + coalesce(dep_delay, 0)) * INTERVAL 1 MINUTE"
    provider = DepartureDelay()

    def rows():
        data = provider.clean_data_for_batch_predict(flights.read(provider, own_warehouse, True))
        with duckdb.connect(own_warehouse, read_only=True) as database:
            asked = database.sql(
                "SELECT CAST(year * 10000 + month * 100 + day AS VARCHAR) || '-' || carrier || "
                f"flight || '-' || origin, time_hour - {moment} > INTERVAL 1 HOUR FROM flights "
                f"WHERE time_hour > {moment} AND time_hour < {moment} + INTERVAL 4 HOUR"
            ).fetchall()
        later = dict(asked)
        return data.loc[[k for k in later if not later[k]]], data.loc[
            [k for k in later if later[k]]
        ]

    now, later = rows()
    with duckdb.connect(own_warehouse) as database:
        database.sql(f"DELETE FROM weather WHERE time_hour >= {moment}")
        database.sql(
            "UPDATE flights SET dep_time = NULL, dep_delay = NULL, arr_time = NULL, "
            f"arr_delay = NULL, air_time = NULL WHERE {leaves} > {moment}"
        )
    now_blind, later_blind = rows()
    assert len(now) > 40
    assert_frame_equal(now_blind, now)
    assert not later_blind.equals(later)


def test_what_is_learned_for_features_comes_from_train_and_never_from_the_target(warehouse):
    rng = np.random.default_rng(0)
    learned = []
    for spoil in (False, True):
        provider = DepartureDelay()
        data = provider.clean_data_for_train(flights.read(provider, warehouse))
        if spoil:
            val_from, _ = provider.split_days(data)
            after = data["flight_day"] >= val_from
            data.loc[after, ["planned_minutes", "seats"]] = 7.0
            data["dep_delay"] = rng.permutation(data["dep_delay"])
        provider.feature_engineering_for_train(data)
        learned.append(provider)
    honest, spoiled = learned
    assert_series_equal(honest.typical_minutes, spoiled.typical_minutes)
    assert_series_equal(honest.typical_seats, spoiled.typical_seats)
    assert_series_equal(honest.flights_per_day, spoiled.flights_per_day)


def test_the_prerequisite_never_saw_what_arrival_late_learns_from(departure, arrival):
    tested_from = days(departure[1]["test"])[0]
    assert tested_from == pd.Timestamp("2013-04-01")
    assert all(days(frame)[0] >= tested_from for frame in arrival[1].values())


def test_the_estimation_of_the_prerequisite_is_a_feature(departure, arrival):
    provider, sets, _ = arrival
    assert "estimated_departure_delay" in provider.get_estimator_features_list()
    rows = sets["test"].head(500)
    raw = rows.drop(columns=["padding", "carrier_flights_per_day", "estimated_departure_delay"])
    asked = departure[-1].predict(raw)["estimation"]
    # Seats were filled with what arrival_late has learned; all others are as they came.
    same = raw["seats"].notna() & raw["plane_age"].notna()
    assert np.allclose(asked[same], rows.loc[same, "estimated_departure_delay"])


def test_what_training_learned_is_used_for_the_batch(each, warehouse):
    provider, _, model = each
    batch = flights.batch_rows(provider, warehouse)
    route = batch.iloc[0]
    usual = provider.typical_minutes[route["origin"], route["dest"]]
    assert route["padding"] == route["planned_minutes"] - usual
    assert model.predict(batch)["estimation"].notna().all()


def test_callers_need_to_give_the_outside_features_only(departure):
    _, sets, model = departure
    rows = sets["test"].head(200)
    assert_frame_equal(model.predict(rows[OUTSIDE]), model.predict(rows))


def test_departure_delay_beats_the_mean_and_the_median(departure):
    provider, sets, model = departure
    test = sets["test"]
    skill = provider.compute_trainsets_model_metrics_skill(test, model.predict(test))
    assert skill["RMSE gain over mean"] > 0.05
    assert skill["MAE gain over median"] > 0.03


def test_arrival_late_finds_late_flights_among_the_riskiest(arrival):
    provider, sets, model = arrival
    test = sets["test"]
    found = provider.compute_trainsets_model_metrics_riskiest(test, model.predict_proba(test))
    assert found["late among the riskiest tenth"] > 2 * test["late"].mean()
    assert 0.2 < found["share of late flights in it"] < 0.5


def test_each_draws_what_it_estimates_over_what_was_observed(departure, arrival):
    for (provider, sets, model), method, ask in (
        (departure, "render_trainsets_model_plots_by_hour", "predict"),
        (arrival, "render_trainsets_model_plots_by_carrier", "predict_proba"),
    ):
        test = sets["test"]
        (figure,) = getattr(provider, method)(test, getattr(model, ask)(test)).values()
        observed, estimated = figure.data
        assert (observed.name, estimated.name) == ("observed", "estimated")
        assert len(observed.x) == len(estimated.x) > 10
