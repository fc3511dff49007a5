"""A disk that fills up in the middle of a run: what was there before stays, a later run works.

A limit on the size of files makes writes fail in the kernel, as a full disk does. It holds for all
that a process writes, so the runs that meet it have a process of their own.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.project import Project, leftovers
from tests.support.toys import Houses, houses
from xingu import Model
from xingu.estimators import LightGBMRegressor

ROOT = Path(__file__).parents[2]
ROOM = 10_000
"""Bytes of a file that there is room for: a pointer or a manifest, but no frame and no booster."""
PREPARED = {"houses/raw/houses", "houses/cleaned", "houses/batch/raw/houses"}
TUNED = PREPARED | {"houses/features", "houses/splits", "houses/hyperparameters"}


def fill_disk() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, most))


class FullAtFeatures(Houses):
    def feature_engineering_for_train(self, data):
        fill_disk()
        return super().feature_engineering_for_train(data)


class FullAtGathering(Houses):
    """The package is first gathered in the folder of temporary files."""

    def post_process_after_train(self, model):
        fill_disk()


class FillingRegressor(LightGBMRegressor):
    def save(self, folder):
        super().save(folder)
        fill_disk()


class FullAtStoring(Houses):
    """The package is gathered, but there is no room for it where models are."""

    estimator_class = FillingRegressor


def report_run(home: str, name: str) -> None:
    """Train in this process, then print what failed steps said and what was announced."""
    # Its lease ends soon, in case that it cannot be given back: the next run has another instance.
    project = Project(Path(home), [globals()[name]], {"lease_seconds": 1})
    result = project.run("houses/*", raise_on_error=False)
    errors = {
        event.step_key: event.step_failure_data.error.cause.message
        for event in result.get_step_failure_events()
    }
    made = [event.asset_key.to_user_string() for event in result.get_asset_materialization_events()]
    print(json.dumps({"errors": errors, "made": made}))  # noqa: T201


@dataclass(frozen=True)
class Case:
    """Where the disk is found full, the step that ends there, and what was made before."""

    provider: type[Houses]
    step: str
    place: str
    made: set[str]


CASES = [
    Case(FullAtFeatures, "houses__prepare", "home/.xingu/values/houses/features", PREPARED),
    Case(FullAtGathering, "houses__fit", "scratch", TUNED),
    Case(FullAtStoring, "houses__fit", "home/models/houses/trains", TUNED),
]


@dataclass(frozen=True)
class Outcome:
    """What a run on a full disk said and left."""

    case: Case
    folder: Path
    before: dict[str, bytes]
    errors: dict[str, str]
    made: list[str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def changed(self) -> set[str]:
        """Files that are new, gone or other than before the run."""
        now = contents(self.home)
        return {name for name in {*self.before, *now} if self.before.get(name) != now.get(name)}


def contents(folder: Path) -> dict[str, bytes]:
    """Content by name of all files but the control DB, which tells of failed runs too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("control.db")
    }


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.provider.__name__)
def outcome(trained, tmp_path_factory, request):
    """What is left when the disk is full in a project whose models were trained before."""
    case = request.param
    folder = tmp_path_factory.mktemp("disk")
    (folder / "scratch").mkdir()
    shutil.copytree(trained.home, folder / "home")
    before = contents(folder / "home")
    call = f"report_run({str(folder / 'home')!r}, {case.provider.__name__!r})"
    done = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import report_run; {call}"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder / "scratch")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return Outcome(case, folder, before, **json.loads(done.stdout.splitlines()[-1]))


def test_the_step_that_needs_room_fails_and_says_where_and_what_to_do(outcome):
    assert list(outcome.errors) == [outcome.case.step]
    place = re.escape(f"{outcome.folder}/{outcome.case.place}")
    assert re.match(
        rf"xingu\.errors\.StorageFullError: writing .+: no space left on {place}\S* "
        r"\(File too large\): nothing was changed; free space there, or set the path of this "
        r"storage elsewhere\.",
        outcome.errors[outcome.case.step],
    )


def test_only_what_was_made_before_has_moved(outcome):
    assert set(outcome.made) == outcome.case.made
    places = tuple(f".xingu/values/{name}/" for name in outcome.made)
    changed = outcome.changed()
    assert [name for name in changed if not name.startswith(places)] == []
    assert changed >= {f"{place}latest.json" for place in places}


def test_the_model_before_is_the_current_one_and_predicts(outcome, trained):
    model = Model.load("houses", path=outcome.home / "models")
    assert model.train_id == trained.models.current("houses")
    assert len(model.predict(houses(5))) == 5


def test_nothing_half_written_remains(outcome, trained):
    assert leftovers(outcome.home) == []
    trains = [path.name for path in (outcome.home / "models/houses/trains").iterdir()]
    assert trains == [trained.models.current("houses")]
    assert list((outcome.folder / "scratch").iterdir()) == []


def test_a_later_run_with_room_trains(outcome, trained, tmp_path):
    project = Project(Path(shutil.copytree(outcome.home, tmp_path / "home")), [Houses])
    assert project.run("houses/*").success
    assert project.models.current("houses") != trained.models.current("houses")
    model = Model.load("houses", path=project.models.root)
    assert model.train_id == project.models.current("houses")
    assert len(project.load("houses/batch/estimations").frame) == 50
