"""Coach: the same graph for notebooks and scripts."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from threading import Barrier

import dagster as dg
import pandas as pd
import pytest
from rich.console import Console

from tests.support.project import Project, coach_of
from tests.support.toys import Houses, Taxes, houses
from xingu import Model
from xingu.errors import RunFailedError, UnknownProviderError, UntrainedModelError
from xingu_dagster.progress import Progress, shown


class Broken(Houses):
    id = "broken"

    def feature_engineering_for_train(self, data):
        raise ValueError("no such town")


class Meeting(Houses):
    """Goes on when another one is as far."""

    barrier = Barrier(2)

    def feature_engineering_for_train(self, data):
        self.barrier.wait(timeout=30)
        return super().feature_engineering_for_train(data)


class Stopped(Houses):
    """Is interrupted as by Ctrl-C in a terminal, or the button of a notebook."""

    def feature_engineering_for_train(self, data):
        os.kill(os.getpid(), signal.SIGINT)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(0.01)


class NoBatch(Houses):
    id = "no_batch"
    batch_predict_dataset_sources = {}


@pytest.fixture(scope="module")
def coach(tmp_path_factory):
    """A Coach that has trained twice; tests only look."""
    coach = coach_of(tmp_path_factory.mktemp("coach"), [Houses, Taxes, NoBatch])
    coach.first = coach.team_train()
    coach.second = coach.team_train(["taxes"])
    return coach


def store(coach):
    return coach.settings.place(coach.settings.models)


def test_training_gives_models_that_predict_and_are_saved(coach):
    assert set(coach.first) == {"houses", "taxes", "no_batch"}
    rows = houses(5)
    saved = Model.load("houses", path=store(coach))
    pd.testing.assert_frame_equal(coach.first["houses"].predict(rows), saved.predict(rows))


def test_one_training_is_one_session_and_prerequisites_are_those_of_it(coach):
    assert len({model.train_session_id for model in coach.first.values()}) == 1
    assert coach.first["taxes"].pre_req_trains == {"houses": coach.first["houses"].train_id}


def test_independent_models_are_trained_at_the_same_time(tmp_path):
    names = ("first", "second")
    classes = [type(name, (Meeting,), {"id": name, "__module__": __name__}) for name in names]
    coach = coach_of(tmp_path, classes, train_workers=2, post_process=False)
    assert set(coach.team_train()) == {*names}


def test_only_what_was_asked_for_is_trained(coach):
    assert set(coach.second) == {"taxes"}
    assert coach.trained["houses"].train_id == coach.first["houses"].train_id
    assert coach.trained["taxes"].train_id == coach.second["taxes"].train_id


def test_what_a_script_trains_is_seen_in_dagster(coach):
    runs = coach.instance.get_runs()
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    assert {run.tags["xingu/trigger"] for run in runs} == {"coach"}
    event = coach.instance.get_latest_materialization_event(dg.AssetKey(["taxes", "model"]))
    train_id = event.asset_materialization.metadata["xingu/train_id"].value
    assert train_id == coach.second["taxes"].train_id


def test_what_dagster_trains_is_loaded_with_its_prerequisites(tmp_path):
    project = Project(tmp_path, [Houses, Taxes])
    project.run("houses/*", "taxes/*")
    coach = coach_of(tmp_path, [Houses, Taxes])
    loaded = coach.team_load()
    assert loaded["taxes"].train_id == project.models.current("taxes")
    assert coach.trained == loaded
    assert loaded["taxes"].dp.pre_req_model["houses"].train_id == loaded["houses"].train_id


def test_a_team_estimates_its_batches_without_training(coach):
    before = len(coach.report().trains)
    estimations = coach.team_batch_predict()
    assert set(estimations) == {"houses", "taxes"}
    assert list(estimations["taxes"]) == [
        "estimation_class_0", "estimation_class_1", "estimation"]  # fmt: skip
    assert len(coach.report().trains) == before


def test_an_empty_selection_runs_nothing(coach):
    before = coach.instance.get_runs_count()
    assert coach.team_train([]) == {}
    assert coach.team_batch_predict([]) == {}
    assert coach.team_batch_predict(["no_batch"]) == {}
    assert coach.instance.get_runs_count() == before


def test_an_older_model_estimates_its_batch(coach):
    older, newer = coach.first["taxes"], coach.second["taxes"]
    coach.single_batch_predict(older)
    key = dg.AssetKey(["taxes", "batch", "estimations"])
    run = coach.instance.get_latest_materialization_event(key).run_id
    record = coach._workspace.values.record(tuple(key.path), [run])
    assert record.facts.train_id == older.train_id != newer.train_id


def test_a_model_without_a_batch_says_so(coach):
    with pytest.raises(UntrainedModelError, match="no_batch declares no batch_predict_dataset"):
        coach.single_batch_predict(coach.first["no_batch"])


def test_an_unknown_provider_is_an_error_that_names_it(coach):
    with pytest.raises(UnknownProviderError, match="'house'.*Did you mean 'houses'"):
        coach.team_train(["house"])


def test_a_failure_names_step_and_cause_and_the_others_are_trained(tmp_path):
    coach = coach_of(tmp_path, [Houses, Broken])
    with pytest.raises(RunFailedError, match="broken__prepare: .*ValueError: no such town"):
        coach.team_train()
    assert set(coach.trained) == {"houses"}


def test_an_interruption_stops_the_step_and_is_named(tmp_path):
    coach = coach_of(tmp_path, [Stopped])
    with pytest.raises(RunFailedError, match="was interrupted"):
        coach.team_train()
    [run] = coach.instance.get_runs()
    assert run.status is dg.DagsterRunStatus.CANCELED


def test_a_member_that_was_only_trained_is_evaluated_afterwards(tmp_path):
    coach = coach_of(tmp_path, [Houses, NoBatch], batch_predict=False)
    model = coach.team_train_member(Houses())
    assert coach.trained_ids() == {"houses"}
    assert coach.report().metrics.empty
    coach.post_train_parallel()
    assert list(coach.report().metrics) == [model.train_id]


def test_without_post_processing_there_are_no_metrics(tmp_path):
    coach = coach_of(tmp_path, [Houses], post_process=False)
    coach.team_train()
    assert coach.report().metrics.empty


# -- report ------------------------------------------------------------------------------------


def test_a_report_puts_trains_side_by_side(coach):
    first, second = coach.first["taxes"].train_id, coach.second["taxes"].train_id
    report = coach.report(dataprovider_id="taxes", reference_train_id=first)
    assert list(report.metrics.columns) == list(report.trains["train_id"])
    assert set(report.metrics.columns) == {first, second}
    metrics = report.metrics.loc[("taxes", "test", "ROC AUC")]
    expected = metrics[second] - metrics[first]
    assert report.differences.loc[("taxes", "test", "ROC AUC"), second] == pytest.approx(expected)
    assert report.hyperparameters.loc[("taxes", "num_leaves"), first] == 7
    assert report.attributes.loc[("taxes", "y"), second] == "expensive"
    assert "ROC AUC" in report._repr_html_()
    assert "ROC AUC" in str(report)


def test_a_report_is_written_as_a_page_and_as_a_workbook(coach, tmp_path):
    report = coach.report()
    report.to_html(tmp_path / "report.html")
    report.to_excel(tmp_path / "report.xlsx")
    page = (tmp_path / "report.html").read_text()
    assert all(model.train_id in page for model in coach.first.values())
    assert (tmp_path / "report.xlsx").stat().st_size


def test_a_report_of_a_session_has_its_trains(coach):
    report = coach.report([coach.second["taxes"].train_session_id])
    assert report.trains["train_id"].tolist() == [coach.second["taxes"].train_id]


def test_a_report_of_nothing_says_so(coach):
    with pytest.raises(UntrainedModelError, match="has no matching train|trains of the control DB"):
        coach.report(["nobody"])
    with pytest.raises(UntrainedModelError, match="The reference 'nobody' is not among"):
        coach.report(reference_train_id="nobody")
    with pytest.raises(UntrainedModelError, match="no branch is called 'nowhere'"):
        coach.report(branch="nowhere")
    with pytest.raises(UntrainedModelError, match="match until 2020"):
        coach.report(end=datetime(2020, 1, 1, tzinfo=UTC))


# -- databases ---------------------------------------------------------------------------------


def test_databases_are_open_for_sql(coach):
    with coach.get_db_connection("db") as connection:
        assert connection.exec_driver_sql("select count(*) from houses").scalar() == 400
    with coach.get_db_connection() as connection:
        assert connection.exec_driver_sql("select count(*) from training").scalar() == 4


# -- progress ----------------------------------------------------------------------------------


def test_progress_shows_each_phase_with_its_time(tmp_path, capsys):
    coach_of(tmp_path, [Houses]).team_train()
    lines = capsys.readouterr().out.splitlines()
    phases = ["prepare", "tune", "fit", "evaluate", "batch", "raw", "batch"]
    assert lines[-2].split()[:8] == ["DataProvider", *phases]
    assert lines[-1].count("✓") == 6
    assert "batch/plots" in lines[-1]


def test_progress_keeps_ids_with_two_underscores_apart():
    console = Console(width=100, record=True)
    progress = Progress(["a__fit", "a__b__fit", "a__b__batch_raw"])
    progress.phases["a__b__fit"].doing = "model"
    console.print(progress)
    header, first, second = console.export_text().splitlines()
    assert header.split() == ["DataProvider", "fit", "batch", "raw", "last", "made"]
    assert (first.split(), second.split()) == (["a"], ["a__b", "model"])


def test_a_terminal_of_80_columns_has_a_line_for_each_dataprovider():
    console = Console(force_terminal=True, width=80, record=True)
    phases = ["prepare", "tune", "fit", "evaluate", "batch_raw", "batch", "batch_sinks"]
    progress = Progress([f"apartment_price__{phase}" for phase in phases])
    for phase in progress.phases.values():
        phase.state, phase.seconds = "done", 12.3
    console.print(progress)
    line = console.export_text().splitlines()[-2]
    assert line.split() == ["apartment_price", *["✓", "12.3", "s"] * 7]


def test_a_notebook_sees_all_phases_from_the_beginning_as_a_card():
    progress = Progress(["<b>__prepare", "<b>__fit"])
    progress.phases["<b>__prepare"].state = "failed"
    shown = progress.html()
    assert "<th>prepare</th><th>fit</th>" in shown
    assert "<td>&lt;b&gt;</td><td>✗ 0.0 s</td><td> </td>" in shown


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("file", "redrawn"), [(Terminal(), True), (StringIO(), False)])
def test_a_terminal_sees_the_table_while_it_changes_and_a_pipe_with_colours_once(
    file, redrawn, monkeypatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")
    progress = Progress(["houses__prepare", "houses__fit"])
    progress.phases["houses__prepare"].state = "failed"
    with shown(progress, Console(file=file, width=100)):
        assert ("houses" in file.getvalue()) == redrawn
    text = file.getvalue()
    assert "houses" in text
    assert "✗" in text
    assert ("\x1b[1A" in text) == redrawn


# -- a Model's own methods ---------------------------------------------------------------------


@pytest.fixture
def in_project(coach, monkeypatch):
    """The settings of the project are those of the environment."""
    monkeypatch.setenv("PROJECT_HOME", str(coach.settings.project_home))
    monkeypatch.setenv("DATABASES", f"db|sqlite:///{coach.settings.project_home}/houses.db")
    return Model.load("houses", path=store(coach))


def test_a_model_reads_and_estimates_its_batch_and_saves_it(coach, in_project):
    estimations = in_project.batch_predict()
    pd.testing.assert_frame_equal(estimations, coach.single_batch_predict(in_project))
    in_project.save_batch_predict_estimations()
    with coach.get_db_connection() as connection:
        query = f"select count(*) from estimations where train_id = '{in_project.train_id}'"
        assert connection.exec_driver_sql(query).scalar() == 50


def test_a_model_measures_what_is_in_memory_and_saves_it(coach, in_project):
    before = coach.report([in_project.train_id]).metrics
    in_project.sets = {"test": houses(100, seed=3).assign(town_code=0)}
    rows = in_project.compute_and_save_metrics("trainsets")
    assert {row.set for row in rows} == {"test"}
    after = coach.report([in_project.train_id]).metrics
    assert set(after.index.get_level_values("set")) == {"test"} != set(before.index)


def test_a_model_with_nothing_to_measure_says_what_to_do(in_project):
    for act, said in (
        (lambda: in_project.compute_and_save_metrics("trainsets"), "assign model.sets"),
        (in_project.save_batch_predict_estimations, "call model.batch_predict"),
    ):
        with pytest.raises(Exception, match=said):
            act()


def test_settings_are_asked_by_the_name_of_their_variable(in_project, monkeypatch):
    monkeypatch.setenv("OF_MINE", "x")
    assert in_project.get_config("PLOTS_PATH") == "plots"
    assert in_project.get_config("OF_MINE") == "x"
    assert in_project.get_config("NOBODY", 3) == 3


def test_a_source_without_rows_ends_the_script(tmp_path):
    (tmp_path / "dataproviders").mkdir()
    (tmp_path / "day.csv").write_text("id,size,price\n")
    (tmp_path / "dataproviders" / "m.py").write_text(
        "from xingu import DataProvider\n"
        "class Model(DataProvider):\n"
        "    id = 'm'\n"
        "    train_dataset_sources = {'s': {'url': 'day.csv'}}\n"
        "    x_features = ['size']\n"
        "    y = 'price'\n"
        "    estimator_class = 'xingu.estimators.LightGBMRegressor'\n"
    )
    code = "from xingu import Coach; Coach(progress=False).team_train()"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert "m.train_dataset_sources['s'] gave no rows" in ended.stderr


def test_an_error_of_a_hook_names_the_hook_and_its_cause(tmp_path):
    with pytest.raises(RunFailedError, match="broken.feature_engineering_for_train raised"):
        coach_of(tmp_path, [Broken]).team_train()
