"""Trains side by side, as frames."""

import math

import pytest

from tests.support.recorded import day
from xingu.errors import DataError, UntrainedModelError
from xingu.reports.report import report_trains
from xingu.tracking.query import TrainFilter

INFINITE = {"NaN": "NaN", "Infinity": math.inf}


def verdict(trains, name, before, after, **directions):
    """Return what is said of a train that follows another."""
    trains.add("older", {name: before})
    trains.add("newer", {name: after})
    report = trains.report().with_directions(directions)
    return report.verdicts.loc[("houses", "test", name), "newer"]


# -- differences ----------------------------------------------------------------------------------


def test_the_newest_is_compared_with_the_one_before_it(trains):
    for train_id, value in (("a", 5.0), ("b", 3.0), ("c", 4.0)):
        trains.add(train_id, {"RMSE": value})
    report = trains.report()
    assert report.references == {"houses": "b"}
    row = report.differences.loc[("houses", "test", "RMSE")]
    assert row.to_dict() == {"c": 1.0, "b": 0.0, "a": 2.0}


def test_a_reference_can_be_chosen_and_others_keep_theirs(trains):
    for dp in ("houses", "taxes"):
        for number in range(3):
            trains.add(f"{dp}-{number}", {"RMSE": float(number)}, dp=dp)
    report = trains.report("of-houses-0:houses-0")
    assert report.references == {"houses": "houses-0", "taxes": "taxes-1"}


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("RMSE", 2.0, 1.0, 1),
        ("RMSE", 1.0, 2.0, -1),
        ("RMSE", 2.0, math.inf, -1),
        ("RMSE", math.inf, 2.0, 1),
        ("rmse", 2.0, 1.0, 1),
        ("ROC AUC", 0.8, 0.9, 1),
        ("R2", 0.9, 0.8, -1),
        ("Bias", -3.0, 2.0, 1),
        ("Bias", 1.0, -2.0, -1),
        ("RMSE", 0.1 + 0.2, 0.3, 0),
        ("RMSE", 1.0, "NaN", 0),
        ("RMSE by town", 2.0, 1.0, 0),
    ],
)
def test_better_depends_on_the_metric(trains, name, before, after, expected):
    assert verdict(trains, name, before, after) == expected


def test_a_declared_direction_wins(trains):
    assert verdict(trains, "profit", 1.0, 2.0, PROFIT="maximize") == 1


def test_what_the_newest_train_of_each_dataprovider_declared_counts(trains):
    for dp, before, now in (("houses", "minimize", "maximize"), ("taxes", "maximize", "minimize")):
        trains.add(f"{dp}-1", {"profit": 1.0, "calls": 1.0}, dp=dp, directions={"profit": before})
        trains.add(f"{dp}-2", {"profit": 2.0, "calls": 2.0}, dp=dp, directions={"profit": now})
    verdicts = trains.report().verdicts
    assert verdicts.loc[("houses", "test", "profit"), "houses-2"] == 1
    assert verdicts.loc[("taxes", "test", "profit"), "taxes-2"] == -1
    assert verdicts.loc[("houses", "test", "calls"), "houses-2"] == 0
    said = trains.report().with_directions({"Profit": "minimize", "calls": "maximize"}).verdicts
    assert said.loc[("houses", "test", "profit"), "houses-2"] == -1
    assert said.loc[("houses", "test", "calls"), "houses-2"] == 1


def test_a_direction_that_is_declared_no_more_counts_no_more(trains):
    trains.add("a", {"profit": 1.0}, directions={"profit": "more"})
    trains.add("b", {"profit": 2.0})
    assert trains.report().verdicts.loc[("houses", "test", "profit"), "b"] == 0
    assert trains.report(train_ids=["a"]).directions == {"houses": {"profit": "maximize"}}


def test_texts_have_no_difference(trains):
    trains.add("a", {"note": "good"})
    trains.add("b", {"note": "better"})
    assert trains.report().differences.empty


def test_nan_and_infinite_metrics_are_what_they_are(trains):
    trains.add("a", {"R2": "NaN", "RMSE": math.inf, "note": "fine"})
    values = trains.report().metrics["a"].droplevel([0, 1])
    assert values.to_dict() == {"R2": "NaN", "RMSE": math.inf, "note": "fine"}


def test_trains_of_different_dataproviders_with_one_id_stay_apart(trains):
    trains.add("same", {"RMSE": 1.0}, parameters={"depth": 1})
    trains.add("same", {"RMSE": 2.0}, dp="taxes", parameters={"depth": 2})
    report = trains.report()
    assert report.metrics.loc[("houses", "test", "RMSE"), "same"] == 1.0
    assert report.hyperparameters.loc[("taxes", "depth"), "same"] == 2


# -- filters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"train_ids": ["a"]}, ["a"]),
        ({"train_ids": ["of-b", "of-a:a"]}, ["b", "a"]),
        ({"dataprovider_ids": ["taxes"]}, ["c"]),
        ({"branches": ["try", "other"]}, ["c", "b"]),
        ({"start": day(1)}, ["c", "b"]),
        ({"start": day(1), "end": day(2)}, ["b"]),
    ],
)
def test_trains_are_filtered(trains, wanted, found):
    trains.add("a", {"RMSE": 1.0})
    trains.add("b", {"RMSE": 1.0}, branch="try")
    trains.add("c", {"RMSE": 1.0}, dp="taxes", branch="other")
    report = trains.report(**wanted)
    assert list(report.trains["train_id"]) == list(report.metrics.columns) == found
    assert set(report.evolution["train_id"]) == set(found)


def test_metrics_and_sets_are_selected(trains):
    trains.add("a", {"RMSE": 1.0, "MAE": 1.0})
    report = trains.report().select(["MAE"], ["test"])
    assert list(report.metrics.index) == [("houses", "test", "MAE")]
    assert list(report.evolution["name"]) == ["MAE"]
    for wanted, said in ((["MEA"], "Did you mean 'MAE'"), ([], "no set .* Known: test")):
        with pytest.raises(DataError, match=f"(?i){said}"):
            trains.report().select(wanted, [] if wanted else ["nope"])


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"train_ids": ["calm-fix"]}, "no train or session is called 'calm-fix'. Did you mean 'ca"),
        ({"train_ids": ["calm-fox", "x"]}, "no train or session is called 'x'"),
        ({"dataprovider_ids": ["house"]}, "no DataProvider is called 'house'. Did you mean 'hou"),
        ({"branches": ["man"]}, "no branch is called 'man'. Did you mean 'main'"),
        ({"start": day(5)}, "None of the 1 trains .* match since 2026-01-06"),
        ({"reference": "calm-fix"}, "not among the 1 compared trains; .* Did you mean 'calm-fox'"),
    ],
)
def test_what_is_not_there_is_named_with_a_suggestion(trains, wanted, said):
    trains.add("calm-fox")
    with pytest.raises(UntrainedModelError, match=said):
        trains.report(**wanted)


def test_where_nothing_was_trained_it_says_so(trains):
    with trains.db.write("test"):
        pass  # the tables are there now
    with pytest.raises(UntrainedModelError, match="no saved train; train a model first"):
        trains.report()


# -- evolution ------------------------------------------------------------------------------------


def test_the_evolution_has_each_number_with_time_and_branch_oldest_first(trains):
    for number, value in enumerate((3.0, "NaN", 2.0)):
        branch = "try" if number == 1 else "main"
        trains.add(f"t{number}", {"RMSE": value, "note": "fine"}, branch=branch)
    evolution = trains.report().evolution
    assert list(evolution["train_id"]) == ["t0", "t1", "t2"]
    assert list(evolution["branch"]) == ["main", "try", "main"]
    assert list(evolution["time"]) == [day(0), day(1), day(2)]
    assert math.isnan(evolution["value"][1])


def test_an_old_train_that_is_measured_again_stays_old(trains):
    trains.add("a", {"RMSE": 1.0})
    trains.add("b", {"RMSE": 1.0})
    with trains.db.write("a") as connection:
        table = trains.db.tables.metrics_model
        later = int(day(9).timestamp())
        connection.execute(table.update().where(table.c.train_id == "a").values(time=later))
    assert list(trains.report().trains["train_id"]) == ["b", "a"]


def test_a_database_of_xingu_2_0_is_reported(old_control_db):
    report = report_trains(old_control_db, TrainFilter())
    assert report.metrics.loc[("houses", "test", "RMSE"), "old-train"] == 12.5
    assert report.metrics.loc[("houses", "test", "comment"), "old-train"] == "fine"
    assert report.hyperparameters.loc[("houses", "depth"), "old-train"] == 6
    assert report.trains.loc[0, "branch"] == "main"
    assert "12.500" in str(report)
