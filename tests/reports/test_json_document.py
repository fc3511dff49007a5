"""Reports for programs."""

import json
import math

from tests.support.recorded import day
from xingu.reports.json_document import report_records


def test_a_record_has_the_trains_of_a_dataprovider_newest_first(trains):
    trains.add("a", {"RMSE": 2.0}, parameters={"depth": 3})
    trains.add("b", {"RMSE": 1.5, "note": "fine"}, branch="try")
    trains.add("c", dp="taxes")
    taxes, houses = report_records(trains.report())
    assert (taxes["dataprovider_id"], taxes["reference"]) == ("taxes", None)
    assert (houses["dataprovider_id"], houses["reference"]) == ("houses", "a")
    newest, older = houses["trains"]
    assert newest == {
        "train_session_id": "of-b",
        "train_id": "b",
        "time": day(1).isoformat(),
        "attributes": {"git_branch": "try", "user_name": "ana"},
        "hyperparameters": {"seed": 1, "depth": None},
        "metrics": {
            "test": {
                "RMSE": {"value": 1.5, "difference": -0.5, "verdict": "better"},
                "note": {"value": "fine", "difference": None, "verdict": None},
            }
        },
    }
    assert older["hyperparameters"] == {"seed": 1, "depth": 3}
    assert older["metrics"]["test"] == {"RMSE": {"value": 2.0, "difference": 0.0, "verdict": None}}


def test_what_json_has_no_number_for_is_a_text_or_null(trains):
    nested = {"missing": math.nan, "ranges": [1.0, math.inf], "more": {"low": -math.inf}}
    trains.add("a", {"R2": "NaN", "RMSE": 1.0, "only here": 1.0}, parameters=nested)
    trains.add("b", {"R2": 0.5, "RMSE": math.inf}, parameters=nested)
    [record] = report_records(trains.report())
    newest = record["trains"][0]
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert newest["metrics"]["test"] == {
        "R2": {"value": 0.5, "difference": None, "verdict": None},
        "RMSE": {"value": "Infinity", "difference": "Infinity", "verdict": "worse"},
    }
    assert record["trains"][1]["metrics"]["test"]["R2"]["value"] == "NaN"
    parameters = newest["hyperparameters"]
    assert parameters["missing"] is None
    assert parameters["ranges"] == [1.0, "Infinity"]
    assert parameters["more"] == {"low": "-Infinity"}


def test_all_trains_are_there_unless_fewer_are_asked_for(trains):
    for at in range(20):
        trains.add(f"t{at}", {"RMSE": float(at)})
    report = trains.report("t3")

    def ids(limit=None):
        [record] = report_records(report, limit)
        return [train["train_id"] for train in record["trains"]]

    assert ids() == [f"t{at}" for at in reversed(range(20))]
    assert ids(3) == ["t19", "t18", "t3"]
