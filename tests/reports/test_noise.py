"""A difference is better or worse only beyond the noise of its set, or a declared tolerance."""

import json

import pytest

from xingu import DataProvider, DataProviderFactory
from xingu.errors import DeclarationError


def verdict(trains, name="RMSE"):
    return trains.report().verdicts.loc[("houses", "test", name), "newer"]


def noise(**errors):
    return {"metric_noise_test": json.dumps(errors)}


@pytest.mark.parametrize(("newer", "expected"), [(9.0, 0), (8.1, 0), (7.9, 1), (12.1, -1)])
def test_a_difference_counts_beyond_the_interval_of_the_metric(trains, newer, expected):
    trains.add("older", {"RMSE": 10.0}, **noise(RMSE=1.0))
    trains.add("newer", {"RMSE": newer}, **noise(RMSE=0.5))
    assert verdict(trains) == expected


def test_a_declared_tolerance_wins(trains):
    tolerances = json.dumps({"RMSE": 0.1, "profit": 50})
    metrics = {"RMSE": 10.0, "profit": 100.0}
    trains.add("older", metrics, **noise(RMSE=1.0))
    trains.add("newer", {"RMSE": 9.8, "profit": 140.0}, directions={"profit": "maximize"},
               metric_tolerances=tolerances, **noise(RMSE=1.0))  # fmt: skip
    assert (verdict(trains), verdict(trains, "profit")) == (1, 0)


@pytest.mark.parametrize(("newer", "expected"), [(10.000001, 0), (10.005, 0), (10.02, -1)])
def test_without_a_known_noise_a_thousandth_does_not_count(trains, newer, expected):
    trains.add("older", {"RMSE": 10.0})
    trains.add("newer", {"RMSE": newer})
    assert verdict(trains) == expected


def test_noise_is_no_attribute_that_is_shown(trains):
    trains.add("older", {"RMSE": 10.0}, **noise(RMSE=1.0))
    trains.add("newer", {"RMSE": 9.0}, **noise(RMSE=0.5))
    report = trains.report()
    assert not [name for _, name in report.attributes.index if "noise" in name]
    assert report.noise.loc[("houses", "test", "RMSE")].to_dict() == {"newer": 0.5, "older": 1.0}


@pytest.mark.parametrize("before", [{"positive_class": "no"}, {}])
def test_metrics_of_different_classes_are_not_compared(trains, before):
    trains.add("older", {"F1": 0.1, "Log Loss": 2.0}, **before)
    trains.add("newer", {"F1": 0.9, "Log Loss": 1.0}, positive_class="yes")
    assert verdict(trains, "Log Loss") == 1
    assert ("houses", "test", "F1") not in trains.report().verdicts.index or not verdict(
        trains, "F1"
    )
    trains.add("later", {"F1": 0.8, "Log Loss": 1.0}, positive_class="yes")
    later = trains.report().verdicts.loc[("houses", "test", "F1")]
    assert (later["later"], later["older"]) == (-1, 0)


@pytest.mark.parametrize("wrong", [{"profit": -1}, {"profit": "much"}, ["profit"], {1: 1}])
def test_a_tolerance_that_is_no_difference_is_refused(wrong):
    cls = type("Flights", (DataProvider,), {"id": "flights", "metric_tolerances": wrong})
    with pytest.raises(DeclarationError, match=r"flights\.metric_tolerances is"):
        DataProviderFactory([cls])
