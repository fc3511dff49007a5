"""The asset `<dp>/hyperparameters`: where they come from, what is recorded, and searches."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.control import rows
from tests.support.project import Project
from tests.support.searches import Hills
from tests.support.toys import Houses
from xingu import Model
from xingu.errors import ControlDbError

SPACE = {
    "learning_rate": ("loguniform", {"low": 0.05, "high": 0.5}),
    "num_leaves": ("int", {"low": 2, "high": 15}),
}
TRAIN = ["raw/houses", "cleaned", "features", "splits", "hyperparameters", "model"]


class Searched(Houses):
    estimator_hyperparams = {"learning_rate": 0.1, "min_child_samples": 5}
    estimator_hyperparams_search_space = SPACE
    hyperopt = {"evaluations": 4, "method": "random"}


def changed(**declared) -> type[Houses]:
    return type("Changed", (Searched,), declared)


def train(project: Project, strategy: str | None = None, **options):
    """Train `houses`, and return origin and hyperparameters."""
    config = {"houses__tune": {"config": {"hyperopt_strategy": strategy}}} if strategy else {}
    selection = [f"houses/{name}" for name in TRAIN]
    result = project.run(*selection, config={"ops": config}, **options)
    if not result.success:
        return result
    chosen = project.load("houses/hyperparameters")
    assert recorded(project)["hyperparams"] == chosen.hyperparams
    return chosen.origin, dict(chosen.hyperparams)


def newest(project: Project) -> str:
    """The train that was fitted last; its checks are not computed here."""
    return project.load("houses/model").train_id


def recorded(project: Project) -> dict:
    """Return the records of the newest train in the control DB."""
    query = "SELECT value FROM training_attributes WHERE attribute = 'hyperparam' AND train_id = "
    return json.loads(rows(project, f"{query}'{newest(project)}'")[0][0])


def test_the_first_train_takes_what_the_provider_declares(tmp_path):
    project = Project(tmp_path, [Searched])
    assert train(project) == ("dp", dict(Searched.estimator_hyperparams))
    assert recorded(project) == {
        "source_train_id": None,
        "params": dict(Houses.estimator_params),
        "hyperparams": dict(Searched.estimator_hyperparams),
    }


def test_a_provider_without_hyperparameters_gets_the_defaults_of_its_estimator(tmp_path):
    project = Project(tmp_path, [Houses])
    assert train(project) == ("defaults", {})
    assert recorded(project)["source_train_id"] is None


@pytest.fixture
def searched(tmp_path):
    """A project whose first train has searched; its id, and what it found."""
    project = Project(tmp_path, [Searched])
    origin, found = train(project, "self")
    assert origin == "self"
    return project, newest(project), found


def test_last_takes_what_was_found_and_says_from_which_train(searched):
    project, first, found = searched
    assert train(project) == (first, found)
    assert recorded(project)["source_train_id"] == first
    second = newest(project)
    assert train(project, "last") == (second, found)


def test_a_search_keeps_what_it_does_not_search(searched):
    _, _, found = searched
    assert found["min_child_samples"] == 5
    assert set(found) == {"learning_rate", "num_leaves", "min_child_samples"}


def test_the_estimator_was_fitted_with_it(searched):
    project, _, found = searched
    assert (
        Model.load("houses", train_id=newest(project), path=project.models.root).algo_params[
            "hyperparams"
        ]
        == found
    )


def test_dp_takes_what_is_declared(searched):
    assert train(searched[0], "dp") == ("dp", dict(Searched.estimator_hyperparams))


@pytest.mark.parametrize("named", ["train", "session"])
def test_a_train_or_session_can_be_named(searched, named):
    project, first, found = searched
    train(project, "dp")
    session = project.models.manifest("houses", first).train_session_id
    assert train(project, first if named == "train" else session) == (first, found)


def test_a_name_that_is_no_train_is_an_error(tmp_path):
    result = train(Project(tmp_path, [Searched]), "mad-cow", raise_on_error=False)
    error = result.get_step_failure_events()[0].step_failure_data.error
    assert "no hyperparameters of 'houses' with the train or session 'mad-cow'" in str(error)


@pytest.mark.parametrize(
    "declared",
    [
        {
            "estimator_hyperparams_search_space": {
                **SPACE,
                "learning_rate": ("float", {"low": 0.9, "high": 1.0}),
            }
        },
        {
            "estimator_hyperparams": {"learning_rate": 0.1},
            "estimator_hyperparams_search_space": {"learning_rate": SPACE["learning_rate"]},
        },
    ],
    ids=["outside the space", "no longer searched"],
)
def test_last_passes_over_what_does_not_fit_any_more(searched, declared):
    project = Project(searched[0].home, [changed(**declared)])
    assert train(project)[0] == "dp"


def test_last_does_not_bring_back_what_was_declared_before(tmp_path):
    train(Project(tmp_path, [Searched]))
    train(Project(tmp_path, [Searched]))
    project = Project(tmp_path, [changed(estimator_hyperparams={"learning_rate": 0.3})])
    assert train(project) == ("dp", {"learning_rate": 0.3})


def test_without_an_option_of_the_run_the_setting_decides(tmp_path):
    project = Project(tmp_path, [Searched], {"hyperopt_strategy": "dp"})
    assert train(project)[0] == "dp"


def test_without_a_search_space_self_takes_what_is_declared(tmp_path):
    declared = {
        "estimator_hyperparams": {"num_leaves": 3},
        "estimator_hyperparams_search_space": {},
    }
    assert train(Project(tmp_path, [changed(**declared)]), "self") == ("dp", {"num_leaves": 3})


# -- searches ----------------------------------------------------------------------------------


def test_each_trial_is_a_row_and_the_steps_are_recorded(searched):
    project, first, _ = searched
    found = rows(project, "SELECT number, state, train_id, params, value FROM trials ORDER BY 1")
    assert [row[:3] for row in found] == [(number, "done", first) for number in range(4)]
    assert all(set(json.loads(row[3])) == set(SPACE) and row[4] > 0 for row in found)
    steps = rows(project, "SELECT status FROM training_steps WHERE status LIKE 'train_hyperopt%'")
    assert sorted(steps) == [("train_hyperopt_end",), ("train_hyperopt_start",)]


def test_a_search_that_has_ended_is_not_taken_up_again(searched):
    project, _, _ = searched
    train(project, "self")
    assert rows(project, "SELECT count(*), count(DISTINCT train_id) FROM trials") == [(8, 2)]


def test_the_asset_shows_trials_and_plots(tmp_path):
    project = Project(tmp_path, [changed(hyperopt={"evaluations": 9, "initial_points": 4})])
    train(project, "self")
    shown = project.metadata("houses/hyperparameters")
    assert shown["origin"] == "self"
    assert (shown["trials"], shown["failed trials"], shown["plots"]) == (9, 0, 3)
    best = shown["table of trials"].records[0].data
    assert best["RMSE"] == shown["best RMSE"]
    assert best["trial"] == shown["best trial"]
    folder = tmp_path / "plots" / "houses" / newest(project) / "hyperparameters"
    names = {"optimization_history", "parallel_coordinates", "hyperparameter_importance"}
    assert {path.stem for path in folder.glob("*.html")} == names
    assert (folder.parent / "index.html").exists()


class SlowHills(Hills):
    estimator_params = {"seconds": 0.15}


HILLS = [f"hills/{name}" for name in TRAIN[:-1]]


def hills(home: Path, cls=Hills, **settings) -> Project:
    return Project(home, [cls], {"hyperopt_strategy": "self", "hyperopt_workers": 1, **settings})


def search_of_the_test() -> None:
    home, url = (os.environ[name] for name in ("TEST_HOME", "TEST_URL"))
    hills(Path(home), SlowHills, control_db=url).run(*HILLS)


def killed_after(trials: int, project: Project, url: str) -> None:
    """Search in a process of its own, and kill it."""
    command = "from tests.graph.test_tuning import search_of_the_test as work; work()"
    environment = {**os.environ, "TEST_HOME": str(project.home), "TEST_URL": url}
    with subprocess.Popen([sys.executable, "-c", command], env=environment) as process:
        while process.poll() is None:
            time.sleep(0.03)
            with suppress(ControlDbError):  # it is not there yet
                if count(project) >= trials:
                    process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL


def count(project: Project) -> int:
    return rows(project, "SELECT count(*) FROM trials")[0][0]


def test_a_search_that_was_killed_goes_on_and_ends_as_if_it_was_not(tmp_path, control_url):
    project = hills(tmp_path, SlowHills, control_db=control_url)
    killed_after(4, project, control_url)
    before = count(project)
    assert 4 <= before < 12
    project.run(*HILLS)
    by_train = "SELECT count(*) FROM trials GROUP BY train_id ORDER BY min(started)"
    assert rows(project, by_train) == [(before,), (12 - before,)]

    (tmp_path / "whole").mkdir()
    whole = hills(tmp_path / "whole", SlowHills, control_db=control_url, table_prefix="whole_")
    whole.run(*HILLS)
    both = [each.load("hills/hyperparameters") for each in (project, whole)]
    assert both[0].hyperparams == both[1].hyperparams
    points = [[(trial.params, trial.value) for trial in one.trials] for one in both]
    assert points[0] == points[1]
    query = "SELECT number, params, state, value FROM {} ORDER BY number"
    assert rows(project, query.format("trials")) == rows(whole, query.format("whole_trials"))
    # It is at its end now: the next one is a new search.
    project.run(*HILLS)
    assert count(project) == 24


def test_a_search_where_every_trial_fails_fails_the_asset_with_the_first_cause(tmp_path):
    steep = type("Steep", (Hills,), {"estimator_params": {"edge": -1}})
    result = hills(tmp_path, steep).run(*HILLS, raise_on_error=False)
    error = result.get_step_failure_events()[0].step_failure_data.error
    assert "all 12 trials of the search failed, the first with ValueError" in str(error)
    states = rows(hills(tmp_path), "SELECT DISTINCT state FROM trials")
    assert states == [("failed",)]


def imported_by(code: str) -> str:
    """Which libraries of search and of plots a process has imported after `code`."""
    names = "[name for name in ('skopt', 'optuna', 'plotly') if name in sys.modules]"
    command = [sys.executable, "-c", f"import sys; {code}; print({names})"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_loading_a_model_imports_no_library_of_search(tmp_path):
    project = Project(tmp_path, [Houses])
    train(project)
    wanted = f"train_id={newest(project)!r}, path={str(project.models.root)!r}"
    load = f"from xingu import Model; Model.load('houses', {wanted})"
    assert imported_by(load) == "[]"


def test_definitions_import_no_library_of_search():
    assert imported_by("import xingu_dagster.project") in ("[]", "['plotly']")
