"""Gates of a train, compared with numbers and with the previous train."""

from dataclasses import dataclass

import pytest

from xingu.checks.catalog import built_in_checks
from xingu.checks.check import Declared
from xingu.checks.gates import Gate, Metrics, parse_gates
from xingu.checks.subjects import PreviousTrain
from xingu.errors import DeclarationError

DECLARED = {"test": {"R2": [(">=", 0.8), ("not worse by", 0.01)]}}
GATES = parse_gates("houses", DECLARED, {})


@dataclass
class Train:
    """The metrics of a train, and what is known of the one before."""

    measured: Metrics
    before: PreviousTrain | None = None
    dataprovider_id: str = "houses"
    gates: tuple[Gate, ...] = tuple(GATES)

    def metrics(self):
        return self.measured

    def previous(self, gates):
        assert all(gate.relative for gate in gates)
        return self.before


def outcome_of(check: str, train: Train):
    return built_in_checks()[check].run(lambda: train)


@pytest.mark.parametrize(("value", "passed"), [(0.8, True), (0.79, False)])
def test_absolute_gates_need_no_previous_train(value, passed):
    outcome = outcome_of("quality_gates", Train({("test", "R2"): value}))
    assert (outcome.passed, outcome.conclusive) == (passed, True)
    assert len(outcome.rows) == 1


@pytest.mark.parametrize("check", ["quality_gates", "not_worse_than_current"])
def test_a_gate_of_a_metric_that_was_not_measured_is_a_wrong_declaration(check):
    with pytest.raises(DeclarationError, match="names the metric 'R2'; measured are RMSE"):
        outcome_of(check, Train({("test", "RMSE"): 1.0}))


def test_without_a_previous_train_relative_gates_do_not_apply():
    outcome = outcome_of("not_worse_than_current", Train({("test", "R2"): 0.1}))
    assert outcome.passed
    assert outcome.figures["not applicable"] == "there is no train before this one"


def test_a_previous_train_that_cannot_be_measured_is_an_inconclusive_failure():
    before = PreviousTrain("calm-fox", None, "no town_code")
    outcome = outcome_of("not_worse_than_current", Train({("test", "R2"): 0.9}, before))
    assert (outcome.passed, outcome.conclusive) == (False, False)
    assert outcome.text == "The train calm-fox cannot be compared on these rows: no town_code"


@pytest.mark.parametrize(
    ("old", "passed", "conclusive"),
    [
        ({("test", "R2"): 0.9}, True, True),
        ({("test", "R2"): 0.95}, False, True),
        ({}, False, False),
    ],
)
def test_relative_gates_compare_with_the_previous_train_and_name_it(old, passed, conclusive):
    before = PreviousTrain("calm-fox", old)
    outcome = outcome_of("not_worse_than_current", Train({("test", "R2"): 0.9}, before))
    assert (outcome.passed, outcome.conclusive) == (passed, conclusive)
    assert outcome.text.startswith("Compared with calm-fox: ")
    assert outcome.figures["before"] == "calm-fox"
    assert [row["metric"] for row in outcome.rows] == ["R2"]


@pytest.mark.parametrize(
    ("gates", "applying"),
    [
        ([], set()),
        (GATES[:1], {"quality_gates"}),
        (GATES[1:], {"not_worse_than_current"}),
        (GATES, {"quality_gates", "not_worse_than_current"}),
    ],
)
def test_a_check_applies_if_there_are_gates_of_its_kind(gates, applying):
    declared = Declared(has_batch=False, gates=gates)
    names = ("quality_gates", "not_worse_than_current")
    assert {name for name in names if built_in_checks()[name].applies(declared)} == applying
