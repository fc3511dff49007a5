"""`xingu diff` as people call it, on trained toys."""

import json
import re
import shutil

import pytest
from sqlalchemy import update

from tests.support.control import control_db
from xingu.texts import number
from xingu.tracking.schema import tables


@pytest.fixture
def document(past, call):
    """Call `xingu diff --json`, which succeeds; gives the document."""

    def document(*arguments: str) -> dict:
        code, output, _ = call("diff", "--json", *arguments)
        assert code == 0
        return json.loads(output)

    return document


def control_of(past):
    return control_db(f"sqlite:///{past.project.home / '.xingu/control.db'}", past.project.home)


def test_two_trains_are_compared_by_section(past, document):
    old, _, new = past.houses
    found = document(old, new)
    assert found["schema"] == "xingu.diff/1"
    assert [one["train"] for one in found["trains"]] == [old, new]
    assert found["code"] == []
    assert "the packages hold the same code." in found["notes"]
    assert {one["source"]: one["changed"] for one in found["sources"]} == {"houses": []}
    assert found["parameters"] == []
    assert {one["set"] for one in found["sets"]} == {"train", "val", "test"}
    metrics = {(one["set"], one["metric"]): one for one in found["metrics"]}
    assert metrics["test", "RMSE"]["difference"] == 0
    assert metrics["test", "RMSE"]["verdict"] is None
    assert found["libraries"] == []


def test_what_differs_beyond_noise_has_a_verdict_and_checks_an_outcome(past, document):
    old, new = past.houses[0], past.houses[2]
    control = control_of(past)
    names = tables()
    with control.write("test") as db:
        metrics, checks = names.metrics_model, names.checks
        mine = (metrics.c.train_id == new) & (metrics.c.name == "RMSE")
        db.execute(update(metrics).where(mine).values(value_number=1e6))
        failed = (checks.c.train_id == new) & (checks.c.name == "complete_estimations")
        db.execute(update(checks).where(failed).values(passed=False))
    control.engine.dispose()
    found = document(old, new)
    [rmse] = [one for one in found["metrics"] if (one["set"], one["metric"]) == ("test", "RMSE")]
    assert rmse["verdict"] == "worse"
    [check] = [one for one in found["checks"] if one["check"] == "complete_estimations"]
    assert (check["before"], check["after"]) == ("passed", "failed (error)")


def test_trains_are_named_in_every_form(past, document):
    old, new = past.houses[1:]
    session = document(old, new)["trains"][1]["session"]
    for names in (
        ("houses/previous", "houses/current"),
        (f"houses/{old}", f"houses/{session}"),
        (old, f"{session}:{new}"),
    ):
        assert [one["train"] for one in document(*names)["trains"]] == [old, new]


def test_trains_of_different_dataproviders_are_compared_without_verdicts(past, document):
    found = document(past.houses[0], past.taxes[0])
    assert [one["dataprovider"] for one in found["trains"]] == ["houses", "taxes"]
    assert "different DataProviders" in "".join(found["notes"])
    assert {one["verdict"] for one in found["metrics"]} == {None}


def test_without_a_package_the_control_db_is_shown(past, document):
    old, new = past.houses[0], past.houses[2]
    shutil.rmtree(past.project.models.package("houses", old))
    found = document(old, new)
    assert f"{old}: there is no package" in "".join(found["notes"])
    assert found["metrics"]
    assert found["sources"] == []


def test_without_a_control_db_the_packages_are_shown(past, document):
    (past.project.home / ".xingu/control.db").unlink()
    found = document(past.houses[0], past.houses[2])
    assert "the control DB cannot be read" in "".join(found["notes"])
    assert {one["set"] for one in found["metrics"]} == {"test"}
    assert found["sources"]
    assert found["checks"] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("{0}x", "Did you mean '{0}'?"), ("{1}", "are the same train"), ("house/current", "'houses'")],
)
def test_what_cannot_be_compared_is_one_line_and_code_1(past, call, name, said):
    old, new = past.houses[0], past.houses[2]
    code, output, errors = call("diff", name.format(old, new), new)
    assert (code, output, errors.count("\n")) == (1, "", 1)
    assert said.format(old, new) in errors


def test_a_session_of_several_trains_needs_the_name_of_one(past, call, document):
    session = document(past.houses[0], past.houses[2])["trains"][0]["session"]
    _, _, errors = call("diff", session, past.houses[2])
    assert f"houses/{past.houses[0]}, taxes/{past.taxes[0]}" in errors


def test_the_terminal_shows_numbers_as_reports_do(past, document, call):
    trains = past.houses[0], past.houses[2]
    _, output, _ = call("diff", *trains)
    metrics = {(one["set"], one["metric"]): one["after"] for one in document(*trains)["metrics"]}
    assert re.search(rf"RMSE +{re.escape(number(metrics['test', 'RMSE']))} ", output)


def test_the_terminal_fits_into_80_columns(past, call):
    code, output, _ = call("diff", "houses/previous", "houses/current")
    assert code == 0
    assert max(map(len, output.splitlines())) <= 80
    assert re.search(r"^train +\S+ +\S+", output, re.MULTILINE)
    assert "Libraries: the same versions." in output
