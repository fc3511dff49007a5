"""The built-in checks, and their configuration by a DataProvider."""

from collections import Counter

import pytest

from xingu.checks.catalog import MODULES, built_in_checks, planned_checks
from xingu.checks.check import Check
from xingu.checks.outcome import Outcome
from xingu.checks.subjects import SUBJECTS
from xingu.errors import DeclarationError


def test_names_of_checks_are_unique():
    counted = Counter(check.name for module in MODULES for check in module.CHECKS)
    assert {name for name, count in counted.items() if count > 1} == set()


@pytest.mark.parametrize("check", built_in_checks().values(), ids=built_in_checks())
def test_a_check_is_on_assets_that_have_a_subject_and_has_a_title(check):
    assert check.assets
    assert set(check.assets) <= set(SUBJECTS)
    assert check.title.endswith(".")
    assert check.severity in ("warn", "error")


def check_of(compute) -> Check:
    return Check("one", (("splits",),), "It is so.", "error", compute, {"most": 3})


def test_a_check_gets_its_subject_and_its_limits():
    check = check_of(lambda subject, limits: Outcome(True, f"{subject} {limits['most']}"))
    assert check.run(lambda: "rows").text == "rows 3"


def test_an_error_of_a_check_or_of_its_subject_is_an_inconclusive_failure(caplog):
    for check, subject in (
        (check_of(lambda *_: 1 / 0), lambda: None),
        (check_of(lambda *_: Outcome(True, "")), lambda: 1 / 0),
    ):
        outcome = check.run(subject)
        assert (outcome.passed, outcome.conclusive) == (False, False)
        assert "could not be computed: ZeroDivisionError: division by zero" in outcome.text
    assert "The check one could not be computed" in caplog.text


def test_a_wrong_declaration_is_no_outcome():
    def compute(*_):
        raise DeclarationError("houses.quality_gates names the metric 'RSME'")

    with pytest.raises(DeclarationError, match="RSME"):
        check_of(compute).run(lambda: None)


def test_all_checks_are_on_by_default():
    assert planned_checks("houses", {}) == built_in_checks()


@pytest.mark.parametrize("off", [False, None, "off"])
def test_a_check_is_switched_off_by_name(off):
    planned = planned_checks("houses", {"leakage": off})
    assert set(built_in_checks()) - set(planned) == {"leakage"}


def test_a_severity_and_limits_can_be_declared():
    declared = {"leakage": "error", "feature_drift": {"psi": 1, "severity": "error"}}
    planned = planned_checks("houses", declared)
    assert planned["leakage"].severity == planned["feature_drift"].severity == "error"
    assert planned["feature_drift"].limits == {"psi": 1, "ks": 0.2, "ignore": ()}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"leakege": "off"}, "no check 'leakege'.*Did you mean 'leakage'"),
        ({"leakage": "warning"}, "no severity 'warning'.*Did you mean 'warn'"),
        ({"leakage": {"acu": 1}}, "no limit 'acu'.*Did you mean 'auc'"),
        ({"leakage": {"auc": "high"}}, "'auc'.* is 'high'; it is a number"),
        ({"leakage": {"ignore": "size"}}, "is 'size'; it is a list of columns"),
        ({"leakage": 0.9}, "is 0.9; write 'off', 'warn', 'error', or a dict"),
        (["leakage"], "must be a dict by name"),
    ],
)
def test_a_misdeclared_check_has_a_suggestion(declared, message):
    with pytest.raises(DeclarationError, match=message):
        planned_checks("houses", declared)
