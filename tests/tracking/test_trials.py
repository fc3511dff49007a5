"""Trials of searches, and earlier hyperparameters, on SQLite and on PostgreSQL."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import insert

from tests.support.control import control_db
from tests.support.processes import at_once
from tests.support.searches import Hill, search_with, trials_of, untuned
from xingu.errors import DataError
from xingu.records import TrainRun, Trial
from xingu.tracking.query import TrainFilter, steps_of
from xingu.tracking.record import record_step
from xingu.tracking.trials import RecordedTrials, earlier_hyperparameters, open_trials
from xingu.tuning.resolve import EarlierTrain

RUN = TrainRun("hills", "calm-fox", "brave-day", "run-1")
OTHER = TrainRun("hills", "mad-cow", "sad-night", "run-2")
THIRD = TrainRun("hills", "shy-owl", "late-noon", "run-3")
KEY = ("version", "space")


def a_trial(number: int, value: float | None = 1.0, **known) -> Trial:
    times = {"started": 10.0 + number, "ended": 10.5 + number}
    return Trial(number, {"x": number}, **{"state": "done", "value": value, **times, **known})


def begun(db, run=RUN, trials: int = 3, key=KEY, started: float = 10.0) -> RecordedTrials:
    """A search that has some trials, and was killed."""
    log = open_trials(db, run, key)
    for number in range(trials):
        log.record(a_trial(number, float(number), started=started + number))
    return log


def rows_of(db) -> list[tuple]:
    """Train and number of all trials."""
    with db.read() as connection:
        statement = "SELECT train_id, number FROM trials ORDER BY number, train_id"
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


def steps(db, run: TrainRun) -> dict[str, str]:
    """Session by step of a train; a step that is there twice is an error."""
    found = steps_of(db, TrainFilter([run.train_id]))
    assert found["status"].is_unique
    return dict(zip(found["status"], found["train_session_id"], strict=True))


# -- what is recorded ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trial",
    [
        a_trial(0, 0.1 + 0.2),
        a_trial(0, -1e-300),
        a_trial(0, 1e300),
        a_trial(0, math.inf),
        a_trial(0, -math.inf),
        a_trial(0, None, state="failed", reason="ValueError: «too steep»;\n'\""),
        a_trial(0, started=1.7e9 + 1e-6, ended=1.7e9 + 0.25),
    ],
)
def test_a_trial_comes_back_as_it_was(db, trial):
    open_trials(db, RUN, KEY).record(trial)
    assert open_trials(db, OTHER, KEY).trials == [trial]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"a": 1, "b": 0.1, "c": "x\0'", "d": True, "e": None}, None),
        ({"a": 2**70, "b": 1e-320, "c": "", "d": "1"}, None),
        ({}, None),
        (
            {"a": np.int64(1), "b": np.float32(0.5), "c": np.str_("x"), "d": np.bool_(True)},
            {"a": 1, "b": 0.5, "c": "x", "d": True},
        ),
        ({"layers": (5, 5), "mask": np.array([1, 2])}, {"layers": [5, 5], "mask": [1, 2]}),
        ({"rate": Decimal("0.1")}, {"rate": "0.1"}),
    ],
)
def test_parameters_come_back_with_their_types_and_order(db, params, expected):
    open_trials(db, RUN, KEY).record(replace(a_trial(0), params=params))
    (found,) = open_trials(db, OTHER, KEY).trials
    wanted = params if expected is None else expected
    assert list(found.params.items()) == list(wanted.items())
    assert [type(value) for value in found.params.values()] == list(map(type, wanted.values()))


@pytest.mark.parametrize(
    "value", [np.float64(0.5), np.float32(0.5), np.int64(1), Decimal("0.5"), 1]
)
def test_a_value_of_any_type_is_a_plain_number(db, value):
    number, now = np.int64(2), np.float64(3)
    trial = replace(a_trial(0, value), number=number, started=now, ended=now)
    log = open_trials(db, RUN, KEY)
    log.record(trial)
    (found,) = open_trials(db, OTHER, KEY).trials
    assert (found.value, type(found.value), type(found.number)) == (float(value), float, int)
    assert log.trials == [found]


@pytest.mark.parametrize("value", [math.nan, np.float64("nan")])
def test_a_trial_that_is_nan_has_failed_now_and_later(db, value):
    log = open_trials(db, RUN, KEY)
    log.record(a_trial(0, value))
    assert log.trials == [a_trial(0, None, state="failed", reason="it is NaN")]
    assert open_trials(db, OTHER, KEY).trials == log.trials


@pytest.mark.parametrize("reason", ["zero \0 byte", "half of a pair \ud83d"])
def test_a_reason_that_no_database_takes_does_not_end_the_search(db, reason):
    open_trials(db, RUN, KEY).record(a_trial(0, None, state="failed", reason=reason))
    (found,) = open_trials(db, OTHER, KEY).trials
    assert found.reason is not None
    assert found.reason.startswith(reason[:4])


def test_a_trial_that_is_recorded_again_replaces_the_one_before(db):
    log = begun(db)
    log.record(a_trial(1, 7.0))
    assert [trial.value for trial in log.trials] == [0.0, 7.0, 2.0]
    assert open_trials(db, OTHER, KEY).trials[1] == a_trial(1, 7.0)


def test_trials_come_back_in_the_order_of_their_numbers(db):
    log = open_trials(db, RUN, KEY)
    for number in (2, 0, 11, 1):
        log.record(a_trial(number, started=20.0 - number))
    numbers = [trial.number for trial in open_trials(db, OTHER, KEY).trials]
    assert numbers == [trial.number for trial in log.trials] == [0, 1, 2, 11]


def test_workers_that_record_at_once_lose_nothing(db):
    log = open_trials(db, RUN, KEY)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(log.record, map(a_trial, range(40))))
    wanted = list(map(a_trial, range(40)))
    assert log.trials == wanted
    assert open_trials(db, OTHER, KEY).trials == wanted


# -- which search goes on --------------------------------------------------------------------------


def test_an_open_search_is_taken_up_by_another_train(db):
    killed = begun(db)
    log = open_trials(db, OTHER, KEY)
    assert (log.search_id, log.owner) == (killed.search_id, replace(RUN, run_id=OTHER.run_id))
    log.record(a_trial(3))
    assert rows_of(db) == [("calm-fox", 0), ("calm-fox", 1), ("calm-fox", 2), ("mad-cow", 3)]


def test_who_ends_a_search_ends_it_for_its_owner_too(db):
    begun(db)
    open_trials(db, OTHER, KEY).close()
    both = ["train_hyperopt_start", "train_hyperopt_end"]
    assert steps(db, RUN) == dict.fromkeys(both, "brave-day")
    assert steps(db, OTHER) == dict.fromkeys(both, "sad-night")


def test_the_owner_keeps_its_session_when_another_has_replaced_all_its_trials(db):
    begun(db)
    begun(db, OTHER)
    log = open_trials(db, THIRD, KEY)
    assert log.owner.train_session_id == "brave-day"
    log.close()
    assert steps(db, RUN)["train_hyperopt_end"] == "brave-day"


def test_a_retry_finds_its_search_when_another_has_replaced_all_its_trials(db):
    killed = begun(db)
    begun(db, OTHER).close()
    # A third train that had taken up the same search at the same time, and lags behind.
    late = replace(killed, run=THIRD)
    for number in range(3):
        late.record(a_trial(number))
    assert {train_id for train_id, _ in rows_of(db)} == {"shy-owl"}
    assert len(open_trials(db, OTHER, KEY).trials) == 3


@pytest.mark.parametrize("ended_by", [RUN, OTHER])
def test_a_search_that_has_ended_is_not_taken_up(db, ended_by):
    begun(db)
    open_trials(db, ended_by, KEY).close()
    log = open_trials(db, THIRD, KEY)
    assert (log.trials, log.owner) == ([], THIRD)


def test_the_newest_of_several_open_searches_is_taken_up(db):
    logs = [open_trials(db, run, KEY) for run in (RUN, OTHER)]
    for log, started in zip(logs, (50.0, 10.0), strict=True):
        log.record(a_trial(0, started=started))
    assert open_trials(db, THIRD, KEY).search_id == logs[0].search_id


@pytest.mark.parametrize("searcher", ["the owner", "who took it up"])
def test_a_retry_of_a_run_that_has_searched_does_not_search_again(db, searcher):
    begun(db)
    run = RUN if searcher == "the owner" else OTHER
    log = open_trials(db, run, KEY)
    log.record(a_trial(3))
    log.close()
    retry = open_trials(db, replace(run, run_id="retry"), KEY)
    assert (retry.search_id, retry.trials) == (log.search_id, log.trials)


@pytest.mark.parametrize(
    ("run", "key"),
    [
        (OTHER, ("version", "another space")),
        (OTHER, ("another version", "space")),
        (OTHER, ("version",)),
        (replace(OTHER, dataprovider_id="dunes"), KEY),
    ],
)
def test_searches_about_something_else_do_not_mix(db, run, key):
    killed = begun(db)
    log = begun(db, run, trials=2, key=key)
    assert log.owner == run
    assert open_trials(db, THIRD, KEY).trials == killed.trials


def test_a_prefix_keeps_searches_apart(control_url, tmp_path):
    begun(control_db(control_url, tmp_path))
    assert open_trials(control_db(control_url, tmp_path, "acme_"), OTHER, KEY).trials == []


def record_all(url, home, number):
    """Take up or begin a search of one of three keys, and record all its trials."""
    run = replace(RUN, train_id=f"train-{number}", train_session_id=f"session-{number}")
    log = open_trials(control_db(url, home), run, ("version", f"space-{number % 3}"))
    for one in range(8):
        log.record(a_trial(one, 100.0 * (number % 3) + one))
    log.close()


def test_processes_that_search_at_once_lose_nothing_and_double_nothing(db, control_url, tmp_path):
    for number in range(3):
        begun(db, replace(RUN, train_id=f"killed-{number}"), key=("version", f"space-{number}"))
    at_once(record_all, [(control_url, tmp_path, number) for number in range(6)], processes=3)
    table = db.tables.trials
    with db.read() as connection:
        found = connection.execute(table.select()).mappings().all()
    by_search: dict[str, dict[int, float]] = {}
    for row in found:
        by_search.setdefault(row["search_id"], {})[row["number"]] = row["value"]
    assert len(found) == sum(map(len, by_search.values()))
    taken_up = [values for name, values in by_search.items() if ":killed-" in name]
    wanted = [{one: 100.0 * number + one for one in range(8)} for number in range(3)]
    assert sorted(taken_up, key=lambda values: values[0]) == wanted


def test_two_trains_that_take_up_the_same_search_at_once_end_it_alike(db):
    alone = untuned()
    whole = alone.hyperparam_optimize()
    trials = trials_of(alone)
    killed = open_trials(db, RUN, KEY)
    for trial in trials[:4]:
        killed.record(trial)
    logs = [open_trials(db, run, KEY) for run in (OTHER, THIRD)]
    assert len({log.search_id for log in logs}) == 1

    def finish(log):
        model = untuned(estimator_params={"seconds": 0.02})
        search_with(model, log)
        return model.hyperparam_optimize()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(finish, logs)) == [whole, whole]
    points = [(trial.number, trial.params, trial.value) for trial in trials]
    for log in (*logs, open_trials(db, OTHER, KEY)):
        assert [(trial.number, trial.params, trial.value) for trial in log.trials] == points
    assert [number for _, number in rows_of(db)] == list(range(12))


def test_what_failed_before_does_not_count_after_the_search_began_anew_and_was_killed(db):
    class Killed(Hill):
        fits = 0

        def fit(self, *arguments, **options):
            Killed.fits += 1
            if Killed.fits > 4:
                raise KeyboardInterrupt
            return super().fit(*arguments, **options)

    def search(run, **declared):
        model = untuned(**declared)
        search_with(model, open_trials(db, run, KEY))
        return model.hyperparam_optimize()

    with pytest.raises(DataError, match="all 12 trials"):
        search(RUN, estimator_params={"edge": -1})
    with pytest.raises(KeyboardInterrupt):
        search(OTHER, estimator_class=Killed)
    assert search(THIRD) == untuned().hyperparam_optimize()
    states = [trial.state for trial in open_trials(db, THIRD, KEY).trials]
    assert states == ["done"] * 12


# -- earlier hyperparameters -----------------------------------------------------------------------


def save(db, run: TrainRun, hyperparams, origin: str | None = None, **attributes: str | None):
    known = {"hyperparam": json.dumps({"params": {"a": 1}, "hyperparams": hyperparams})}
    known |= {"hyperparam_origin": origin, **attributes}
    ids = {name: getattr(run, name) for name in ("dataprovider_id", "train_session_id", "train_id")}
    with db.write(run.train_id) as connection:
        connection.execute(insert(db.tables.training).values(ids))
        for name, value in known.items():
            row = {**ids, "attribute": name, "value": value}
            if value is not None:
                connection.execute(insert(db.tables.training_attributes).values(row))


def test_without_trains_there_are_no_earlier_hyperparameters(db):
    record_step(db, RUN, "train_dataprep_start")
    assert [*earlier_hyperparameters(db, "hills")] == []


@pytest.mark.parametrize("named", ["calm-fox", "brave-day", "brave-day:calm-fox"])
def test_those_of_one_train_or_session_can_be_asked_for(db, named):
    save(db, RUN, {"b": 2.5}, "self")
    save(db, OTHER, {"b": 3.5}, "self")
    assert [*earlier_hyperparameters(db, "hills", named)] == [
        EarlierTrain("calm-fox", {"b": 2.5}, True)
    ]
    assert [*earlier_hyperparameters(db, "hills", "nobody")] == []
    assert [*earlier_hyperparameters(db, "dunes", named)] == []


def test_they_come_newest_first_also_those_of_the_same_second(db):
    trained = ("2026-01-01T00:00:00.5+00:00", "2026-01-01T00:00:00+00:00", None)
    runs = [replace(RUN, train_id=f"train-{number}") for number in range(4)]
    for run, when in zip(runs, trained, strict=False):
        save(db, run, {}, "dp", trained=when)
    save(db, runs[3], {}, "dp")
    times = {"train-0": 100, "train-1": 100, "train-3": 200}  # train-2: no step is known
    with db.write("test") as connection:
        for run in runs:
            row = {"dataprovider_id": "hills", "train_session_id": "brave-day"}
            row |= {"train_id": run.train_id, "status": "train_fit_start"}
            if time := times.get(run.train_id):
                connection.execute(insert(db.tables.training_steps).values(**row, time=time))
    found = [one.train_id for one in earlier_hyperparameters(db, "hills")]
    assert found == ["train-3", "train-0", "train-1", "train-2"]


@pytest.mark.parametrize(
    ("origins", "found"),
    [
        (["self"], True),
        (["dp"], False),
        (["defaults"], False),
        ([None], None),
        (["t1", "self"], True),
        (["t1", "t2", "dp"], False),
        (["t1", None], None),
        (["gone"], None),
        (["t0"], None),
        (["t1", "t0"], None),
    ],
)
def test_whether_a_search_has_found_them_is_followed_to_the_train_that_knows(db, origins, found):
    for number, origin in enumerate(origins):
        save(db, replace(RUN, train_id=f"t{number}"), {}, origin)
    assert [one.searched for one in earlier_hyperparameters(db, "hills", "t0")] == [found]


@pytest.mark.parametrize("text", ["null", "{}", '{"hyperparams": null}'])
def test_a_train_whose_hyperparameters_are_null_has_none(db, text):
    save(db, RUN, {}, "dp")
    with db.write("test") as connection:
        table = db.tables.training_attributes
        own = table.c.attribute == "hyperparam"
        connection.execute(table.update().where(own).values(value=text))
    assert [*earlier_hyperparameters(db, "hills")] == [EarlierTrain("calm-fox", {}, False)]


def test_a_train_without_an_algorithm_is_left_out(db):
    save(db, RUN, {"b": 1}, "self", y="p")
    with db.write("test") as connection:
        table = db.tables.training_attributes
        connection.execute(table.delete().where(table.c.attribute == "hyperparam"))
    assert [*earlier_hyperparameters(db, "hills")] == []
