"""Plots of a search: listed and switched off as those of the sets; no trouble loses the search."""

import os
from pathlib import Path

import dagster as dg
import pytest

from tests.support.control import rows
from tests.support.project import Project
from tests.support.searches import Hills
from tests.support.toys import Houses

SEARCH = ("Optimization history", "Parallel coordinates", "Hyperparameter importance")
FILES = ("hyperparameter_importance", "optimization_history", "parallel_coordinates")
SEARCHING = {"hyperopt_strategy": "self", "hyperopt_workers": 1}
TUNED = ("raw/houses", "cleaned", "features", "splits", "hyperparameters")


class Found(Hills):
    hyperopt = {"evaluations": 8, "method": "random", "metric": "MAE"}


def tuned(home: Path, cls=Found, **settings) -> Project:
    project = Project(home, [cls], {**SEARCHING, **settings})
    project.run(*(f"hills/{name}" for name in TUNED))
    return project


def without(*names: str) -> type[Found]:
    return type("Without", (Found,), {"builtin_plots_off": names})


def listed(project: Project, which: str = "channel = 'search'") -> list[tuple]:
    """Channels, names and paths of plots in the control DB."""
    return rows(project, f"SELECT channel, name, path FROM plots WHERE {which} ORDER BY 1, 2, 3")


def files(project: Project) -> list[str]:
    return [Path(path).name for _, _, path in listed(project)]


def test_each_file_is_listed(tmp_path):
    project = tuned(tmp_path)
    kinds = ("html", "json")
    assert files(project) == [f"{name}.{kind}" for name in FILES for kind in kinds]
    assert all((tmp_path / path).exists() for _, _, path in listed(project))


class Searched(Houses):
    estimator_hyperparams_search_space = {"num_leaves": ("int", {"low": 2, "high": 15})}
    hyperopt = {"evaluations": 8, "method": "random"}


def test_drawing_the_sets_again_leaves_the_plots_of_the_search(tmp_path):
    project = Project(tmp_path, [Searched], SEARCHING)
    names = (*TUNED, "model", "trainset_estimations", "plots")
    project.run(*(f"houses/{name}" for name in names))
    before = listed(project, "1 = 1")
    project.run("houses/plots")
    assert {channel for channel, _, _ in before} == {"search", "trainsets", "global"}
    assert listed(project, "1 = 1") == before


def job_of_the_test():
    project = Project(Path(os.environ["TEST_HOME"]), [Found], SEARCHING)
    with_job = dg.Definitions(jobs=[dg.define_asset_job("again")])
    return dg.Definitions.merge(project.definitions, with_job).resolve_job_def("again")


def test_searching_again_in_the_same_train_replaces_what_is_listed(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_HOME", str(tmp_path))
    project, job = Project(tmp_path, [Found], SEARCHING), dg.reconstructable(job_of_the_test)
    keys = [dg.AssetKey(["hills", *name.split("/")]) for name in TUNED]
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        first = dg.execute_job(job, instance, asset_selection=keys, raise_on_error=True)
        before = listed(project)
        options = dg.ReexecutionOptions(first.run_id, step_selection=["hills__tune"])
        dg.execute_job(job, instance, reexecution_options=options, raise_on_error=True)
    assert len(before) == 6
    assert listed(project) == before


@pytest.mark.parametrize("name", SEARCH)
def test_each_plot_is_switched_off_by_its_name(tmp_path, name):
    project = tuned(tmp_path, without(name))
    assert {one for _, one, _ in listed(project)} == set(SEARCH) - {name}
    assert project.metadata("hills/hyperparameters")["plots"] == 2


def test_with_all_plots_off_there_is_no_link(tmp_path):
    project = tuned(tmp_path, without(*SEARCH))
    shown = project.metadata("hills/hyperparameters")
    assert (shown["plots"], listed(project)) == (0, [])
    assert "open plots" not in shown


@pytest.mark.usefixtures("browser")
def test_pictures_are_saved_and_listed_on_demand(tmp_path):
    project = tuned(tmp_path, without(*SEARCH[1:]), plots_format="png")
    assert files(project) == [f"optimization_history.{kind}" for kind in ("html", "json", "png")]
    [picture] = tmp_path.glob("plots/hills/*/hyperparameters/*.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


class Endless(Found):
    """One choice is larger than any float, so no axis can show it."""

    estimator_hyperparams_search_space = {
        **Found.estimator_hyperparams_search_space,
        "edge": ("categorical", {"choices": [10**400, 100]}),
    }


def test_plots_that_cannot_be_drawn_lose_neither_the_search_nor_the_others(tmp_path, caplog):
    project = tuned(tmp_path, Endless)
    assert len(project.load("hills/hyperparameters").trials) == 8
    assert {name for _, name, _ in listed(project)} == {"Optimization history"}
    shown = project.metadata("hills/hyperparameters")
    reason = "of the search of hills: OverflowError: int too large to convert to float"
    failed = [f"plot {name!r} {reason}" for name in SEARCH[1:]]
    assert shown["plots that failed"] == "\n".join(f"- {text}" for text in failed)
    assert (shown["trials"], shown["plots"]) == (8, 1)
    warned = [one.getMessage() for one in caplog.records if one.name == "xingu.error_collector"]
    assert warned == failed


def test_plots_that_cannot_be_saved_do_not_lose_the_search(tmp_path, caplog):
    (tmp_path / "plots").write_text("a file where the folder should be")
    project = tuned(tmp_path)
    assert project.load("hills/hyperparameters").origin == "self"
    shown = project.metadata("hills/hyperparameters")
    said = "saving the plots of the search of hills: "
    assert shown["trials"] == 8
    assert shown["plots that failed"].startswith(f"- {said}")
    assert said in caplog.text
