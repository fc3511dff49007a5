"""A check is one record: it is in the graph, it has a result, and it may refuse a value."""

from dataclasses import replace

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from tests.support.checks import figures, results
from tests.support.control import rows
from tests.support.graphs import checks_of
from tests.support.project import Project
from tests.support.toys import Houses
from xingu.checks import data
from xingu.checks.check import Check
from xingu.checks.outcome import Outcome
from xingu.checks.subjects import SUBJECTS
from xingu.errors import CheckFailedError
from xingu.records import Severity

EVERYWHERE = Check(
    name="everywhere",
    assets=tuple(SUBJECTS),
    title="There is a subject.",
    severity="warn",
    compute=lambda subject, limits: Outcome(True, "It is there.", {"limit": limits["most"]}),
    limits={"most": 7},
)


@pytest.fixture
def make(tmp_path):
    return lambda cls: Project(tmp_path, [cls])


@pytest.fixture
def add(monkeypatch):
    return lambda check: monkeypatch.setattr(data, "CHECKS", (*data.CHECKS, check))


def failing(**changes) -> Check:
    """A check that fails on `splits` and refuses it."""
    check = replace(
        EVERYWHERE,
        name="failing",
        assets=(("splits",),),
        severity="error",
        compute=lambda subject, _: Outcome(False, "Never."),
        refuses=True,
    )
    return replace(check, **changes)


# -- one record -----------------------------------------------------------------------------------


def test_a_record_that_is_added_is_in_the_graph_and_has_a_result_on_each_of_its_assets(make, add):
    add(EVERYWHERE)
    project = make(Houses)
    wanted = {"/".join(path) for path in SUBJECTS}
    assert {f"{asset}: everywhere" for asset in wanted} <= checks_of(project.definitions)
    found = results(project.run("houses/*"))
    for asset in wanted:
        evaluation = found[f"{asset} everywhere"]
        assert (evaluation.passed, evaluation.description) == (True, "It is there.")
        assert figures(evaluation) == {"limit": 7, "limit most": 7}


def test_an_added_record_is_configured_as_others_are(make, add):
    add(EVERYWHERE)

    class Configured(Houses):
        checks = {"everywhere": {"most": 3}}

    found = results(make(Configured).run("houses/raw/houses", "houses/cleaned"))
    assert figures(found["cleaned everywhere"])["limit"] == 3


def test_a_check_that_does_not_apply_is_neither_in_the_graph_nor_refuses(make, add):
    add(failing(applies=lambda declared: not declared.has_batch))
    project = make(Houses)
    assert "splits: failing" not in checks_of(project.definitions)
    assert project.run("houses/raw/houses", "houses/cleaned", "houses/features", "houses/splits")


def test_a_deferred_check_runs_after_metrics_and_plots(make, add):
    add(failing(assets=(("trainset_estimations",),), refuses=False, deferred=True))
    project = make(Houses)
    run = project.run("houses/*", raise_on_error=False)
    assert not run.success
    assert not results(run)["trainset_estimations failing"].passed
    assert project.metadata("houses/trainset_metrics")
    assert project.metadata("houses/plots")["plots"]


def test_a_check_that_is_not_deferred_stops_metrics_and_plots(make, add):
    add(failing(assets=(("trainset_estimations",),), refuses=False))
    project = make(Houses)
    assert not project.run("houses/*", raise_on_error=False).success
    assert project.values.find(("houses", "trainset_metrics")) is None


@pytest.mark.parametrize("refuses", [True, False])
def test_a_check_that_cannot_be_computed_is_a_warning(make, add, refuses):
    add(failing(compute=lambda subject, _: 1 / 0, refuses=refuses))
    run = make(Houses).run("houses/*")
    found = results(run)["splits failing"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (
        found.description == "The check could not be computed: ZeroDivisionError: division by zero"
    )


def test_an_inconclusive_failure_refuses_nothing(make, add):
    add(failing(compute=lambda subject, _: Outcome(False, "Perhaps.", conclusive=False)))
    run = make(Houses).run("houses/*")
    assert results(run)["splits failing"].severity == dg.AssetCheckSeverity.WARN


# -- refusals -------------------------------------------------------------------------------------


class RepeatedIndex(Houses):
    """Rows repeat in training."""

    def last_pre_process_for_train(self, data):
        return pd.concat([data, data.head(2)])

    def data_split_for_train(self, data):
        return {"train": data.iloc[:200], "test": data.iloc[200:400]}


class SharedRows(Houses):
    """The sets share rows."""

    checks = {"disjoint_sets": "error"}

    def data_split_for_train(self, data):
        return {"train": data, "test": data.head(3)}


class Infinite(Houses):
    """A feature is infinite."""

    def last_pre_process_for_train(self, data):
        return data.assign(size=data["size"].where(data.index != 3, np.inf))


class NoFeature(Houses):
    """A declared feature is missing."""

    x_estimator_features = ("size", "sice")


class RepeatedBatch(Houses):
    """Rows repeat in the batch."""

    def last_pre_process_for_batch_predict(self, data):
        return pd.concat([data, data.head(2)])


class MissingEstimations(Houses):
    """Some estimations of the batch are missing."""

    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred[Y_pred.index > 1].reindex(Y_pred.index) if len(Y_pred) == 50 else Y_pred


class Tolerant(MissingEstimations):
    checks = {"complete_estimations": {"share": 0.1}}


class MissingEverywhere(Houses):
    """Some estimations of the sets are missing."""

    def post_process_after_predict(self, X, Y_pred, model):
        return Y_pred[Y_pred.index > 50].reindex(Y_pred.index)


REFUSED = [
    (RepeatedIndex, "features", "unique_index"),
    (RepeatedBatch, "batch/features", "unique_index"),
    (SharedRows, "splits", "disjoint_sets"),
    (Infinite, "splits", "finite_values"),
    (NoFeature, "splits", "declared_columns"),
    (MissingEstimations, "batch/estimations", "complete_estimations"),
    (MissingEverywhere, "trainset_estimations", "complete_estimations"),
]
CAN_GO_ON = [case for case in REFUSED if case[0] is not NoFeature]


def configured(cls, check: str, severity: Severity | str) -> type[Houses]:
    # Parity is not what is tested here.
    return type(cls.__name__, (cls,), {"checks": {check: severity, "batch_parity": "off"}})


@pytest.mark.parametrize(("cls", "asset", "check"), REFUSED)
def test_a_refused_value_is_a_failed_check_and_is_not_stored(make, cls, asset, check):
    project = make(cls)
    run = project.run("houses/*", raise_on_error=False)
    found = results(run)[f"{asset} {check}"]
    assert not run.success
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert found.blocking
    assert project.values.find(("houses", *asset.split("/"))) is None


@pytest.mark.parametrize(("cls", "asset", "check"), CAN_GO_ON)
def test_a_refusing_check_that_warns_lets_the_value_pass(make, cls, asset, check):
    project = make(configured(cls, check, "warn"))
    run = project.run("houses/*", raise_on_error=False)
    found = results(run)[f"{asset} {check}"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert project.values.find(("houses", *asset.split("/"))) is not None


@pytest.mark.parametrize(("cls", "asset", "check"), CAN_GO_ON)
def test_a_refusing_check_that_is_off_lets_the_value_pass(make, cls, asset, check):
    project = make(configured(cls, check, "off"))
    run = project.run("houses/*", raise_on_error=False)
    assert f"{asset} {check}" not in results(run)
    assert project.values.find(("houses", *asset.split("/"))) is not None


def test_a_share_of_missing_estimations_can_be_tolerated(make):
    project = make(Tolerant)
    project.run("houses/*")
    assert project.load("houses/batch/estimations").frame["estimation"].isna().sum() == 2


def test_a_refused_value_leaves_the_one_before(make, tmp_path):
    project = make(Houses)
    project.run("houses/*")
    before = project.values.record(("houses", "splits")).value_id
    again = Project(tmp_path, [SharedRows])
    assert not again.run("houses/*", raise_on_error=False).success
    assert again.values.record(("houses", "splits")).value_id == before


def test_the_error_of_a_refusal_names_asset_check_and_what_to_do(make):
    with pytest.raises(CheckFailedError, match=r"houses/splits: disjoint_sets: .*houses\.checks"):
        make(SharedRows).run("houses/*")


def test_a_refusal_is_an_error_if_its_check_is_not_selected(make):
    project = make(Houses)
    project.run("houses/raw/houses", "houses/cleaned", "houses/features")
    refusing = make(SharedRows)
    job = refusing.definitions.resolve_implicit_global_asset_job_def()
    subset = job.get_subset(
        asset_selection={dg.AssetKey(["houses", "splits"])}, asset_check_selection=set()
    )
    with pytest.raises(CheckFailedError, match="share 3 rows"):
        subset.execute_in_process(instance=refusing.instance)


def test_refused_estimations_of_sets_are_in_the_control_db(make):
    project = make(MissingEverywhere)
    project.run("houses/*", raise_on_error=False)
    found = rows(project, "SELECT asset, name, passed, severity FROM checks")
    assert found == [("trainset_estimations", "complete_estimations", 0, "error")]
