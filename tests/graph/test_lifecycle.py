"""Which train is current after real runs: checks, pins, kills, prerequisites, hyperparameters."""

import os
import signal
import subprocess
import sys

import pandas as pd
import pytest

from tests.support.control import rows
from tests.support.project import Project, coach_of
from tests.support.searches import Hill, Hills
from tests.support.toys import Houses, Taxes
from xingu import Model
from xingu.errors import UntrainedModelError
from xingu.registry import lifecycle, listing

FITTED = [f"hills/{name}" for name in ("raw/houses", "cleaned", "features", "splits",
                                       "hyperparameters", "model")]  # fmt: skip
PROVEN = [*FITTED, "hills/trainset_estimations"]
SPACE = Hills.estimator_hyperparams_search_space
NARROW = ("float", {"low": 0, "high": 1.5})


class Slope(Hill):
    """A Hill that can estimate any row; it is off by 100 for each 1 that x is away from 3."""

    def predict(self, data):
        return pd.DataFrame({"estimation": data["size"] * 3 + 110 + 100 * self.error})


class OtherSlope(Slope):
    """Another estimator with the same hyperparameters."""


class Lone(Hills):
    """A Slope without a batch, which is fitted in no time."""

    batch_predict_dataset_sources = {}
    estimator_class = Slope
    estimator_hyperparams = {"x": 1.0, "colour": "red", "seconds": 0}


class Gated(Lone):
    quality_gates = {"test": {"MAE": ("<=", 60)}}


UNVERIFIED = {"verify_packages": False}
"""The source of this module has no class `Changed`, so that packages cannot hold it."""

GOOD = {"x": 3.0, "colour": "red"}
STRICT = {"quality_gates": {"test": {"R2": (">=", 0.9999)}}}


def changed(cls: type[Houses] = Lone, **declared) -> type[Houses]:
    """A class with other declarations, which a model that is loaded finds in this module."""
    globals()["Changed"] = type("Changed", (cls,), declared)
    return globals()["Changed"]


@pytest.fixture
def make(tmp_path):
    return lambda *classes: Project(tmp_path, classes, UNVERIFIED)


def train(project: Project, strategy: str = "last", metrics: bool = False) -> str:
    """Train and check `hills`; return the id of the train."""
    selection = [*PROVEN, "hills/trainset_metrics"] if metrics else PROVEN
    config = {"ops": {"hills__tune": {"config": {"hyperopt_strategy": strategy}}}}
    project.run(*selection, config=config, raise_on_error=False)
    return project.load("hills/model").train_id


def used(project: Project) -> dict:
    return dict(project.load("hills/hyperparameters").hyperparams)


# -- accepted and refused -------------------------------------------------------------------------


def test_a_train_that_fails_a_gate_is_kept_but_not_current(make):
    good = train(make(changed(Gated, estimator_hyperparams=GOOD)), "dp", metrics=True)
    project = make(Gated)
    bad = train(project, "dp", metrics=True)
    assert project.models.current("hills") == good
    assert Model.load("hills", path=project.models.root).train_id == good
    assert Model.load("hills", train_id=bad, path=project.models.root).train_id == bad
    assert lifecycle.status(project.models, project.models.manifest("hills", bad)) == "refused"
    assert next(listing.history(project.models, "hills"))["reason"] == "quality_gates"


def test_the_first_train_that_is_refused_leaves_nothing_to_load(make):
    project = make(Gated)
    train(project, "dp", metrics=True)
    with pytest.raises(UntrainedModelError, match="has to pass its blocking checks"):
        Model.load("hills", path=project.models.root)


def test_a_train_waits_until_all_its_blocking_checks_are_computed(make, caplog):
    project = make(changed(Gated, estimator_hyperparams=GOOD))
    waiting = train(project, "dp")
    assert project.models.current("hills") is None
    assert "does not become current before it has passed quality_gates" in caplog.text
    assert project.metadata("hills/model")["becomes current"] == (
        "when it has passed complete_estimations, quality_gates"
    )
    project.run("hills/trainset_metrics")
    assert project.models.current("hills") == waiting


def test_without_blocking_checks_a_train_is_current_once_it_is_fitted(make):
    project = make(changed(checks={"complete_estimations": "warn"}))
    project.run(*FITTED)
    assert project.models.current("hills") == project.load("hills/model").train_id
    assert project.metadata("hills/model")["becomes current"] == "at once"


def test_a_relaxed_gate_accepts_a_refused_train_when_it_is_evaluated_again(make):
    project = make(Gated)
    train(project, "dp", metrics=True)
    relaxed = make(changed(Gated, quality_gates={"test": {"MAE": ("<=", 500)}}))
    relaxed.run("hills/trainset_metrics")
    assert project.models.current("hills") == project.load("hills/model").train_id


def test_a_batch_and_a_prerequisite_do_not_use_a_train_that_its_run_has_refused(make):
    refused = changed(Houses, **STRICT)
    project = make(refused, Taxes)
    run = project.run("houses/*", "taxes/*", raise_on_error=False)
    failed = {event.step_key: str(event.step_failure_data.error)
              for event in run.get_step_failure_events()}  # fmt: skip
    assert {"houses__evaluate", "houses__batch", "taxes__prepare"} <= set(failed)
    assert "of houses was refused in this run (quality_gates" in failed["taxes__prepare"]
    assert project.models.current("taxes") is None
    assert project.values.find(("houses", "batch", "estimations")) is None


def test_what_was_made_with_a_train_before_it_was_refused_is_refused_too(make):
    project = make(Houses, Taxes)
    project.run("houses/*", "taxes/*")
    taxes = project.models.current("taxes")
    make(changed(Houses, **STRICT), Taxes).run("houses/trainset_metrics", raise_on_error=False)
    assert project.models.current("houses") is None
    assert project.models.current("taxes") is None
    reason = next(listing.history(project.models, "taxes"))["reason"]
    houses = project.load("houses/model").train_id
    assert reason == f"its prerequisite houses {houses} was refused"
    assert project.models.manifest("taxes", taxes).pre_reqs == {"houses": houses}


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.graph.test_lifecycle import Lone, PROVEN
from tests.support.project import Project
from xingu.registry import ledger
at = {"before": "append", "between": "_point_to"}[sys.argv[2]]
setattr(ledger.Ledger, at, lambda *a: os.kill(os.getpid(), signal.SIGKILL))
Project(Path(sys.argv[1]), [Lone]).run(*PROVEN)
"""


@pytest.mark.parametrize(("moment", "decided"), [("before", False), ("between", True)])
def test_a_killed_evaluation_has_decided_or_not_and_a_second_one_completes_it(
    make, moment, decided
):
    project = make(Lone)
    first = train(project)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(project.home), moment],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False, capture_output=True,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-500:]
    assert (project.models.current("hills") != first) is decided
    project.run("hills/trainset_estimations")
    assert project.models.current("hills") == project.load("hills/model").train_id != first


def test_a_coach_that_does_not_evaluate_still_checks_what_makes_a_train_current(tmp_path):
    coach = coach_of(tmp_path, [Gated], progress=False, post_process=False, **UNVERIFIED)
    with pytest.raises(Exception, match="quality_gates"):
        coach.team_train()
    good = changed(Gated, estimator_hyperparams=GOOD)
    coach = coach_of(tmp_path, [good], progress=False, post_process=False, **UNVERIFIED)
    train_id = coach.team_train()["hills"].train_id
    assert coach.team_load()["hills"].train_id == train_id
    project = Project(tmp_path, [good], UNVERIFIED)
    assert project.values.find(("hills", "plots")) is None


# -- pins -----------------------------------------------------------------------------------------


def test_training_goes_on_beside_a_pin_and_says_so(make, caplog):
    project = make(Lone)
    first, rolled_back = train(project, "dp"), train(project, "self")
    listing.pin(project.models, "hills", first)
    third = train(project)
    assert project.models.current("hills") == first
    pin = f"{first} (pinned by xingu inventory pin)"
    assert f"train {third} is kept beside {pin}" in caplog.text
    assert project.metadata("hills/model")["becomes current"] == (
        f"when it is unpinned: current is {pin}"
    )
    assert used(project) == {"x": 1.0, "colour": "red", "seconds": 0}
    assert lifecycle.status(project.models, project.models.manifest("hills", rolled_back)) == (
        "rolled back"
    )
    lifecycle.unpin(project.models, "hills")
    assert project.models.current("hills") == third
    train(project)
    assert used(project)["x"] == 1.0


def test_last_takes_nothing_of_a_refused_train(make):
    project = make(changed(Gated, quality_gates={"test": {"MAE": ("<=", 60)}}))
    train(project, "self", metrics=True)
    good = used(project)
    strict = make(changed(Gated, quality_gates={"test": {"MAE": ("<=", 1)}}))
    train(strict, "dp", metrics=True)
    assert used(project) != good
    train(project)
    assert used(project) == good


def test_a_batch_and_a_prerequisite_use_the_pinned_train_in_the_run_that_trains_another(make):
    project = make(Houses, Taxes)
    project.run("houses/*")
    first = project.models.current("houses")
    listing.pin(project.models, "houses", first)
    project.run("houses/*", "taxes/*")
    assert project.models.current("houses") == first
    assert project.values.record(("houses", "batch", "estimations")).facts.train_id == first
    taxes = str(project.models.current("taxes"))
    assert project.models.manifest("taxes", taxes).pre_reqs == {"houses": first}


# -- hyperparameters ------------------------------------------------------------------------------


@pytest.fixture
def searched(make):
    """A project whose train has searched, the train, and what it found."""
    project = make(Lone)
    train_id = train(project, "self")
    found = used(project)
    assert found["x"] != 1.0
    return project, train_id, found


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"estimator_hyperparams": {"x": 2.0, "colour": "red", "seconds": 0}}, {"x": 2.0}),
        ({"get_estimator_hyperparameters": lambda self: {"x": 2.0, "colour": "red"}}, {"x": 2.0}),
        ({"estimator_hyperparams": {"colour": "red"}}, {"x": None}),
        (
            {
                "estimator_hyperparams": {"colour": "red"},
                "estimator_hyperparams_search_space": {"colour": SPACE["colour"]},
                "estimator_params": {"x": 2.0},
            },
            {"x": None},
        ),
        (
            {"estimator_hyperparams_search_space": {**SPACE, "x": NARROW}},
            {"x": 1.0},
        ),
        ({"estimator_hyperparams_search_space": {"colour": SPACE["colour"]}}, {"x": 1.0}),
        ({"estimator_class": OtherSlope}, {"x": 1.0}),
    ],
    ids=["edited", "by a method", "removed", "moved to params", "outside", "fixed", "estimator"],
)  # fmt: skip
def test_a_changed_declaration_wins_over_what_was_found(searched, caplog, declared, expected):
    project, train_id, _ = searched
    project = Project(project.home, [changed(**declared)], UNVERIFIED)
    second = train(project)
    assert {name: used(project).get(name) for name in expected} == expected
    assert used(project).get("colour") == "red"
    choice = project.metadata("hills/hyperparameters")["choice"]
    assert choice.startswith(
        f"as declared, because the declaration was changed since train {train_id}: "
    )
    warned = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert f"hills: hyperparameters: {choice}" in warned
    query = "SELECT value FROM training_attributes WHERE attribute = 'hyperparam_choice'"
    assert rows(project, f"{query} AND train_id = '{second}'") == [(choice,)]
    assert project.load("hills/hyperparameters").origin in ("dp", "defaults")


@pytest.mark.parametrize(
    "declared",
    [
        {"estimator_hyperparams": {**Lone.estimator_hyperparams, "edge": 90}},
        {"estimator_hyperparams": {**Lone.estimator_hyperparams, "seconds": 0.001}},
        {"estimator_hyperparams": {"x": 1.0, "colour": "red"}},
        {"estimator_params": {"edge": 90}},
        {"estimator_hyperparams_search_space": {**SPACE, "x": ("float", {"low": -9, "high": 99})}},
    ],
    ids=["added", "edited, not searched", "removed, not searched", "params", "wider space"],
)
def test_a_change_of_what_is_not_searched_takes_effect_and_keeps_what_was_found(
    searched, caplog, declared
):
    project, train_id, found = searched
    project = Project(project.home, [changed(**declared)], UNVERIFIED)
    train(project)
    fixed = declared.get("estimator_hyperparams", Lone.estimator_hyperparams)
    assert used(project) == {**fixed, "x": found["x"], "colour": found["colour"]}
    choice = project.metadata("hills/hyperparameters")["choice"]
    assert choice.startswith(f"of train {train_id}; not as declared: x is {found['x']!r} (declared")
    assert f"hills: hyperparameters: {choice}" in caplog.text


def test_a_named_train_wins_over_a_changed_declaration_with_a_warning(searched, caplog):
    project, train_id, found = searched
    project = Project(
        project.home, [changed(estimator_hyperparams={"x": 2.0, "seconds": 0})], UNVERIFIED
    )
    train(project, train_id)
    assert used(project) == found
    assert f"x is {found['x']!r} (declared: 2.0)" in caplog.text


def test_an_edit_that_is_undone_does_not_bring_back_what_was_found_before_it(searched):
    project, _, found = searched
    train(
        Project(
            project.home, [changed(estimator_hyperparams={"x": 2.0, "colour": "red"})], UNVERIFIED
        )
    )
    train(project)
    assert used(project)["x"] == 1.0 != found["x"]
