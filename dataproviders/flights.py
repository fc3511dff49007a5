"""How late do New York's flights leave, and do they arrive late? Two models of the demo warehouse.

Both estimate at one moment: the full hour that lies one to two hours before the scheduled
departure. What is known later (weather, who has left by then, anything that was measured in flight)
is no feature. Flights of the newest month are for batch estimation; nothing is trained on them. The
two months before it are kept from `departure_delay`, so that what it estimates for them, a feature
of `arrival_late`, is as honest as in production.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from xingu import DataProvider

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from xingu import ModelView

HELD_BACK_MONTHS = 2
"""Months before the newest one that `arrival_late` learns from and `departure_delay` does not."""
VAL_DAYS = 15

AIRPORTS = {"url": "data/airports.csv"}

# Placeholders are for this file's own text; the warehouse needs no value from outside.
FLIGHTS_SQL = """
WITH newest AS (
    SELECT max(make_date(year, month, 1)) AS first_day FROM flights
),
scheduled AS (
    SELECT *, make_date(year, month, day) AS flight_day,
           time_hour + minute * INTERVAL 1 MINUTE AS departs
    FROM flights
),
-- What an airport knew at a full hour about the flights scheduled in the three hours before: who
-- had left, how late, and how long the others (cancelled ones among them) had been waiting by then.
known AS (
    SELECT origin, carrier, time_hour + ahead * INTERVAL 1 HOUR AS moment,
           date_diff('minute', departs, time_hour + ahead * INTERVAL 1 HOUR) AS since,
           dep_delay IS NULL OR dep_delay > since AS waiting,
           CASE WHEN waiting THEN since ELSE dep_delay END AS delay_so_far
    FROM scheduled CROSS JOIN (VALUES (1), (2), (3)) AS hours(ahead)
),
airport AS (
    SELECT origin, moment, avg(delay_so_far) AS delay_so_far, count_if(waiting) AS waiting
    FROM known GROUP BY origin, moment
),
carrier AS (
    SELECT origin, carrier, moment, avg(delay_so_far) AS delay_so_far
    FROM known GROUP BY origin, carrier, moment
),
congestion AS (
    SELECT origin, time_hour, count(*) AS departures FROM flights GROUP BY origin, time_hour
)
SELECT CAST(f.year * 10000 + f.month * 100 + f.day AS VARCHAR)
           || '-' || f.carrier || f.flight || '-' || f.origin AS flight_id,
       CAST(f.flight_day AS TIMESTAMP) AS flight_day,
       f.carrier, f.origin, f.dest,
       CAST(isodow(f.flight_day) AS INTEGER) AS weekday,
       CAST(f.hour * 60 + f.minute AS INTEGER) AS departure_minute,
       CAST(f.sched_arr_time // 100 * 60 + mod(f.sched_arr_time, 100) AS INTEGER)
           AS arrival_minute,
       CAST(f.distance AS DOUBLE) AS distance,
       CAST(f.year - plane.year AS DOUBLE) AS plane_age,
       CAST(plane.seats AS DOUBLE) AS seats,
       CAST(plane.engines AS DOUBLE) AS engines,
       w.temp, w.dewp, w.humid, CAST(w.wind_dir AS DOUBLE) AS wind_dir, w.wind_speed,
       w.wind_gust, w.precip, w.pressure, w.visib,
       CAST(this_hour.departures AS DOUBLE) AS departures_this_hour,
       CAST(coalesce(hour_before.departures, 0) AS DOUBLE) AS departures_hour_before,
       airport.delay_so_far AS airport_delay_so_far,
       CAST(airport.waiting AS DOUBLE) AS airport_waiting,
       carrier.delay_so_far AS carrier_delay_so_far
       {target}
FROM scheduled AS f
CROSS JOIN newest
LEFT JOIN planes AS plane ON plane.tailnum = f.tailnum
-- Observed in the hour before the moment of estimation, so known by then.
LEFT JOIN weather AS w
    ON w.origin = f.origin AND w.time_hour = f.time_hour - INTERVAL 2 HOUR
LEFT JOIN congestion AS this_hour
    ON this_hour.origin = f.origin AND this_hour.time_hour = f.time_hour
LEFT JOIN congestion AS hour_before
    ON hour_before.origin = f.origin AND hour_before.time_hour = f.time_hour - INTERVAL 1 HOUR
LEFT JOIN airport
    ON airport.origin = f.origin AND airport.moment = f.time_hour - INTERVAL 1 HOUR
LEFT JOIN carrier
    ON carrier.origin = f.origin AND carrier.carrier = f.carrier
    AND carrier.moment = f.time_hour - INTERVAL 1 HOUR
WHERE {rows}
ORDER BY f.departs, flight_id
"""

FLIGHTS_WATERMARK = "SELECT max(time_hour), count(*) FROM flights"
"""It changes with every month that is added; an observation need not run the queries."""

NEWEST_MONTH = {
    "flights": {
        "source": "warehouse",
        "query": FLIGHTS_SQL.format(target="", rows="f.flight_day >= newest.first_day"),
        "watermark": FLIGHTS_WATERMARK,
    },
    "airports": AIRPORTS,
}

WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure",
           "visib"]  # fmt: skip
DEST = ["dest_lat", "dest_lon", "dest_alt", "dest_tz"]
OUTSIDE = ["carrier", "origin", "dest", "weekday", "departure_minute", "arrival_minute", "distance",
           "planned_minutes", "plane_age", "seats", "engines", *WEATHER, *DEST,
           "departures_this_hour", "departures_hour_before", "airport_delay_so_far",
           "airport_waiting", "carrier_delay_so_far"]  # fmt: skip
LEARNED = ["padding", "carrier_flights_per_day"]

NEW_YORK_TZ, DAY_MINUTES = -5, 1440
FASTEST_WIND = 200
"""Miles per hour; the table holds one value above, of 1,048."""


class _Flights(DataProvider):
    """Base of both models: cleaning, statistics of the training set, and a split by day."""

    batch_predict_dataset_sources = NEWEST_MONTH
    x_features = OUTSIDE
    x_estimator_features = (*OUTSIDE, *LEARNED)
    owners = ("team:flights",)
    tags = {"domain": "aviation"}

    typical_minutes: pd.Series
    typical_seats: pd.Series
    flights_per_day: pd.Series

    def clean_data_for_train(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """One row per flight, indexed by `flight_id`, with the place of its destination."""
        flights = datasets["flights"].set_index("flight_id")
        airports = datasets["airports"].set_index("faa")
        places = airports[["lat", "lon", "alt", "tz"]].add_prefix("dest_").astype(float)
        data = flights.join(places, on="dest")
        time_shift = (data["dest_tz"] - NEW_YORK_TZ) * 60
        planned = data["arrival_minute"] - data["departure_minute"] - time_shift
        return data.assign(
            flight_day=pd.to_datetime(data["flight_day"]),
            wind_speed=data["wind_speed"].where(data["wind_speed"] < FASTEST_WIND),
            planned_minutes=planned % DAY_MINUTES,
        )

    def feature_engineering_for_train(self, data: pd.DataFrame) -> pd.DataFrame:
        """Learn what is usual, from the part that `data_split_for_train` will call train."""
        val_from, _ = self.split_days(data)
        train = data[data["flight_day"] < val_from]
        # None of them looks at the target, so they cannot leak it into the rows that taught them.
        self.typical_minutes = train.groupby(["origin", "dest"])["planned_minutes"].median()
        self.typical_seats = train.groupby("carrier")["seats"].median()
        days = train["flight_day"].nunique()
        self.flights_per_day = train.groupby(["origin", "carrier"]).size() / days
        return self.add_features(data)

    def feature_engineering_for_batch_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Use what training has learned."""
        return self.add_features(data)

    def feature_engineering_for_predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Use what training has learned."""
        return self.add_features(data)

    def pre_process_for_generic_predict(self, X: pd.DataFrame, model: "ModelView") -> pd.DataFrame:
        """Callers may give `x_features` alone; then the learned ones are added here."""
        return X if set(self.x_estimator_features) <= set(X.columns) else self.add_features(X)

    def add_features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` with the features that training has learned."""
        routes, carriers = data[["origin", "dest"]], data[["origin", "carrier"]]
        usual = routes.join(self.typical_minutes.rename("usual"), on=["origin", "dest"])["usual"]
        per_day = carriers.join(self.flights_per_day.rename("n"), on=["origin", "carrier"])["n"]
        return data.assign(
            seats=data["seats"].fillna(data["carrier"].map(self.typical_seats)),
            padding=data["planned_minutes"] - usual,
            carrier_flights_per_day=per_day,
        )

    def data_split_for_train(self, data: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Older days teach, later days judge."""
        val_from, test_from = self.split_days(data)
        day = data["flight_day"]
        return {
            "train": data[day < val_from],
            "val": data[(day >= val_from) & (day < test_from)],
            "test": data[day >= test_from],
        }

    def split_days(self, data: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Return the first days of `val` and of `test`."""
        raise NotImplementedError


class DepartureDelay(_Flights):
    """Estimates how many minutes late a flight will leave New York, one to two hours ahead.

    It knows the schedule, the plane, the weather and how late the airport and the carrier are
    running at that moment. Most delays are born later than that, so expect the order of flights by
    risk rather than the minute. The last two months before the newest one test it.
    """

    id = "departure_delay"
    train_dataset_sources = {
        "flights": {
            "source": "warehouse",
            "query": FLIGHTS_SQL.format(
                target=", CAST(f.dep_delay AS DOUBLE) AS dep_delay",
                rows="f.flight_day < newest.first_day AND f.dep_delay IS NOT NULL",
            ),
            "watermark": FLIGHTS_WATERMARK,
        },
        "airports": AIRPORTS,
    }
    retrain = "on_new_data"
    y = "dep_delay"
    estimator_class = "xingu.estimators.LightGBMRegressor"
    estimator_params = {
        # Delays have a long tail: beyond an hour, only the direction of an error counts. How much
        # the tail shall count is a decision, so no search touches it.
        "objective": "huber",
        "alpha": 60,
        "metric": "rmse",
        "n_estimators": 400,
        "early_stopping_rounds": 30,
        "random_state": 42,
    }
    estimator_hyperparams = {
        "learning_rate": 0.1,
        "num_leaves": 15,
        "min_child_samples": 200,
        "subsample": 0.8,
        "subsample_freq": 1,
        "colsample_bytree": 0.7,
        "cat_smooth": 50,
    }
    # Searched when a run asks for it: hyperopt_strategy "self".
    estimator_hyperparams_search_space = {
        "learning_rate": ("loguniform", {"low": 0.02, "high": 0.2}),
        "num_leaves": ("int", {"low": 4, "high": 64, "log": True}),
        "min_child_samples": ("int", {"low": 20, "high": 1000, "log": True}),
        "subsample": ("float", {"low": 0.4, "high": 1.0}),
        "colsample_bytree": ("float", {"low": 0.3, "high": 1.0}),
        "cat_smooth": ("loguniform", {"low": 1, "high": 500}),
    }
    hyperopt = {"evaluations": 30, "metric": "RMSE"}
    metric_directions = {
        "RMSE gain over mean": "maximize",
        "MAE gain over median": "maximize",
        "within 15 minutes": "maximize",
    }

    def feature_engineering_for_train(self, data: pd.DataFrame) -> pd.DataFrame:
        """Also learn the answers of a model that knows nothing, to be measured against."""
        val_from, _ = self.split_days(data)
        delays = data.loc[data["flight_day"] < val_from, "dep_delay"]
        self.mean_delay, self.median_delay = float(delays.mean()), float(delays.median())
        return super().feature_engineering_for_train(data)

    def split_days(self, data: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Keep the months that `arrival_late` learns from for `test`."""
        next_month = data["flight_day"].max().normalize().replace(day=1) + pd.DateOffset(months=1)
        test_from = next_month - pd.DateOffset(months=HELD_BACK_MONTHS)
        return test_from - pd.Timedelta(days=VAL_DAYS), test_from

    def compute_trainsets_model_metrics_skill(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame
    ) -> dict[str, float]:
        """How much smaller the error is than that of always answering the mean or the median."""
        true = XY["dep_delay"]
        error = true - Y_pred["estimation"]
        rmse, mae = (error**2).mean() ** 0.5, error.abs().mean()
        return {
            "RMSE gain over mean": 1 - rmse / ((true - self.mean_delay) ** 2).mean() ** 0.5,
            "MAE gain over median": 1 - mae / (true - self.median_delay).abs().mean(),
            "within 15 minutes": (error.abs() <= 15).mean(),
        }

    def render_trainsets_model_plots_by_hour(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame
    ) -> "dict[str, go.Figure]":
        """Delays grow over the day: does the model see that?"""
        delays = pd.DataFrame({"observed": XY["dep_delay"], "estimated": Y_pred["estimation"]})
        by_hour = delays.groupby(XY["departure_minute"] // 60).mean()
        titles = {"x": "scheduled hour of departure", "y": "mean delay in minutes"}
        return {"Delay by hour": _lines(by_hour, "Departure delay by hour", titles)}


class ArrivalLate(_Flights):
    """Estimates the probability that a flight arrives more than 15 minutes late, before it leaves.

    It asks at the same moment as `departure_delay`, whose estimation is one of its features. It
    learns from the two months before the newest one, which that model has never seen. Flights that
    were cancelled or diverted never arrived and teach nothing.
    """

    id = "arrival_late"
    pre_req = {"departure_delay"}
    train_dataset_sources = {
        "flights": {
            "source": "warehouse",
            "query": FLIGHTS_SQL.format(
                target=", f.arr_delay > 15 AS late",
                rows=f"f.flight_day >= newest.first_day - INTERVAL {HELD_BACK_MONTHS} MONTH "
                "AND f.flight_day < newest.first_day AND f.arr_delay IS NOT NULL",
            ),
            "watermark": FLIGHTS_WATERMARK,
        },
        "airports": AIRPORTS,
    }
    x_estimator_features = (*_Flights.x_estimator_features, "estimated_departure_delay")
    retrain = "with_pre_reqs"
    y = "late"
    proba_class_index = 1
    estimator_class = "xingu.estimators.LightGBMClassifier"
    estimator_params = {
        "metric": "binary_logloss",
        "n_estimators": 600,
        "early_stopping_rounds": 40,
        "random_state": 42,
    }
    estimator_hyperparams = {
        "learning_rate": 0.05,
        "num_leaves": 7,
        "min_child_samples": 150,
        "subsample": 0.7,
        "subsample_freq": 1,
        "colsample_bytree": 0.6,
        "cat_smooth": 100,
        "lambda_l2": 5,
    }
    metric_directions = {
        "late among the riskiest tenth": "maximize",
        "share of late flights in it": "maximize",
    }

    def add_features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Ask the prerequisite first: it adds what it has learned itself to the same columns."""
        delay = self.pre_req_model["departure_delay"].predict(data[OUTSIDE])["estimation"]
        return super().add_features(data).assign(estimated_departure_delay=delay)

    def split_days(self, data: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Give 60 % of the days to `train` and 15 % to `val`."""
        days = data["flight_day"].drop_duplicates().sort_values()
        return days.iloc[int(len(days) * 0.6)], days.iloc[int(len(days) * 0.75)]

    def compute_trainsets_model_metrics_riskiest(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame
    ) -> dict[str, float]:
        """What one finds who can look after a tenth of the flights only."""
        riskiest = Y_pred["estimation_class_1"].nlargest(max(1, len(XY) // 10)).index
        late, found = XY["late"].astype(bool), XY.loc[riskiest, "late"].astype(bool)
        return {
            "late among the riskiest tenth": found.mean(),
            "share of late flights in it": found.sum() / max(1, late.sum()),
        }

    def render_trainsets_model_plots_by_carrier(
        self, XY: pd.DataFrame, Y_pred: pd.DataFrame
    ) -> "dict[str, go.Figure]":
        """A model that is right on the whole may be unfair to a carrier."""
        shares = pd.DataFrame(
            {"observed": XY["late"].astype(float), "estimated": Y_pred["estimation_class_1"]}
        )
        by_carrier = shares.groupby(XY["carrier"].astype(str)).mean().sort_values("observed")
        titles = {"x": "carrier", "y": "share of flights that arrive late"}
        return {"Late by carrier": _lines(by_carrier, "Late arrivals by carrier", titles)}


def _lines(table: pd.DataFrame, title: str, titles: Mapping[str, Any]) -> "go.Figure":
    """Draw each column of `table` over its index."""
    import plotly.graph_objects as go

    figure = go.Figure(
        [
            go.Scatter(x=table.index, y=table[name], name=str(name), mode="lines+markers")
            for name in table.columns
        ]
    )
    return figure.update_layout(title=title, xaxis_title=titles["x"], yaxis_title=titles["y"])
