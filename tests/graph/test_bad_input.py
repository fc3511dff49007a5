"""Bad input ends a run with a message that says what to do, and leaves nothing half-written."""

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from tests.support.project import Project, everything_told, leftovers
from tests.support.toys import Houses, Taxes, query
from xingu.errors import (
    CorruptPackageError,
    DeclarationError,
    DuplicateProviderError,
    EmptySourceError,
    HookError,
    MissingFileError,
    PrerequisiteCycleError,
    QueryError,
    SourceError,
    StateError,
    UnknownDatabaseError,
    UntrainedModelError,
    XinguError,
)
from xingu.provider.discovery import DataProviderFactory
from xingu_dagster.project import build_definitions

POINTERS = ("latest.json", "current.json")


class Watched(Houses):
    """Notes when what a model knows is loaded."""

    restored: list = []

    def __setstate__(self, state):
        self.restored.append(state)
        super().__setstate__(state)


class Silent(Houses):
    def last_pre_process_for_batch_predict(self, data):
        pass


def variant(base=Houses, **members):
    return type("Variant", (base,), members)


def file(url):
    return {"houses": {"url": str(url)}}


def pointers(home: Path) -> dict[str, bytes]:
    """The content of every pointer by the folder that it is in, below `home`."""
    return {
        path.parent.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*.json")
        if path.name in POINTERS
    }


def announced(project: Project) -> set[str]:
    """Names of the assets that a run of the project has materialized."""
    events = project.instance.get_latest_materialization_events(project.instance.all_asset_keys())
    return {"/".join(key.path) for key, event in events.items() if event is not None}


def unannounced(project: Project, before: dict[str, bytes]) -> list[str]:
    """Pointers that moved since `before`, though no run of the project announced the asset."""
    names = announced(project)
    told = {f".xingu/values/{name}" for name in names}
    told |= {f"{name}/replay_sample" for name in told}
    told |= {f"models/{name.removesuffix('/model')}" for name in names if name.endswith("/model")}
    now = pointers(project.home)
    moved = {name for name in {*before, *now} if before.get(name) != now.get(name)}
    return sorted(moved - told)


@contextmanager
def refused(project: Project, error: type[XinguError], message: str) -> Iterator[None]:
    """Hold that the run inside fails so, and moves no pointer of what it did not finish."""
    before = pointers(project.home)
    with pytest.raises(error, match=message):
        yield
    assert unannounced(project, before) == []
    assert leftovers(project.home) == []


@pytest.fixture
def home(trained, tmp_path):
    """The home of a project whose models are trained, to do harm to."""
    return Path(shutil.copytree(trained.home, tmp_path / "home"))


# -- sources ------------------------------------------------------------------------------------


def test_an_unknown_nickname_is_refused_before_any_query(home):
    sources = {**query("select * from houses"), "more": {"source": "bd", "query": "select 1"}}
    project = Project(home, [variant(train_dataset_sources=sources)])
    with refused(
        project,
        UnknownDatabaseError,
        r"houses\.train_dataset_sources\['more'\]: no database is called 'bd'; known: db, xingu\.",
    ):
        project.run("houses/*")
    assert announced(project) == set()


def test_a_refused_query_is_shown(home):
    project = Project(home, [variant(train_dataset_sources=query("select sice from houses"))])
    with refused(project, QueryError, r"(?s)'houses'.*'db'.*no such column.*select sice from hou"):
        project.run("houses/*")


def test_a_missing_file_is_named(home):
    project = Project(home, [variant(train_dataset_sources=file(home / "gone.csv"))])
    with refused(
        project, MissingFileError, r"houses: source 'houses': .*gone\.csv does not exist; corr"
    ):
        project.run("houses/*")


def test_a_missing_database_file_is_named_and_not_made(home):
    project = Project(home, [Houses])
    assert project.config
    (home / "houses.db").unlink()
    with refused(project, MissingFileError, r"'db'.*houses\.db.*no such file; create it"):
        project.run("houses/*")
    assert not (home / "houses.db").exists()


def test_a_train_source_without_rows_is_named(home):
    empty = query("select * from houses where id < 0")
    project = Project(home, [variant(train_dataset_sources=empty)])
    with refused(
        project, EmptySourceError, r"houses\.train_dataset_sources\['houses'\] gave no rows; look"
    ):
        project.run("houses/*")


# -- prerequisites and declarations -------------------------------------------------------------


def test_a_prerequisite_that_was_never_trained_is_told_before_any_query(project):
    with refused(project, UntrainedModelError, "No saved model of 'houses'.*train it first: mater"):
        project.run("taxes/*")
    assert announced(project) == set()


def test_a_batch_without_a_model_is_told_before_any_query(project):
    with refused(project, UntrainedModelError, "materialize houses/model"):
        project.run(*(f"houses/batch/{name}" for name in ("raw/houses", "cleaned")))
    assert announced(project) == set()


def declared(home: Path, name: str, source: str) -> Project:
    """A project whose DataProviders are in a folder `name`."""
    (home / name).mkdir()
    (home / name / "all.py").write_text(f"from tests.support.toys import Houses\n{source}")
    return Project(home, [], {"dataproviders_folder": name})


def test_ids_that_become_the_same_key_give_no_graph(home):
    source = "class A(Houses):\n    id = 'a-b'\nclass B(Houses):\n    id = 'a.b'\n"
    project = declared(home, "colliding_providers", source)
    with refused(
        project, DuplicateProviderError, r"'a-b'.*'a\.b'.*both become the asset key 'a_b'; rename"
    ):
        build_definitions(project.config)


def test_a_circle_of_prerequisites_gives_no_graph(home):
    source = "".join(
        f"class {one.upper()}(Houses):\n    id = '{one}'\n    pre_req = {{'{other}'}}\n"
        for one, other in ("ab", "bc", "ca")
    )
    project = declared(home, "circular_providers", source)
    with refused(
        project, PrerequisiteCycleError, "a needs b needs c needs a|b needs c needs a|c n"
    ):
        build_definitions(project.config)


def test_a_sound_folder_gives_a_graph(home):
    source = "class A(Houses):\n    id = 'a-b'\n"
    project = declared(home, "sound_providers", source)
    graph = build_definitions(project.config).resolve_asset_graph()
    assert dg.AssetKey(["a_b", "model"]) in graph.materializable_asset_keys
    assert len(DataProviderFactory(providers_folder=home / "sound_providers")) == 1


def test_sources_that_become_the_same_key_are_both_named(home):
    sources = {name: {"source": "db", "query": "select 1"} for name in ("a-b", "a.b")}
    project = Project(home, [variant(train_dataset_sources=sources)])
    with refused(project, DeclarationError, r"'a-b' and 'a\.b' both become .* 'a_b'; rename one"):
        project.run("houses/*")


# -- hooks --------------------------------------------------------------------------------------

FRAME_HOOKS = [
    "clean_data_for_train",
    "feature_engineering_for_train",
    "last_pre_process_for_train",
    "data_split_for_train",
]


@pytest.mark.parametrize("hook", FRAME_HOOKS)
def test_a_hook_of_the_train_that_returns_nothing_is_named(home, hook):
    project = Project(home, [variant(**{hook: lambda self, data: None})])
    with refused(
        project, HookError, rf"houses\.{hook} returned NoneType; it must .* Is a `return` missing\?"
    ):
        project.run("houses/*")
    assert "houses/splits" not in announced(project)


def test_a_hook_of_the_batch_that_returns_nothing_is_named(home):
    project = Project(home, [Silent])
    with refused(project, HookError, r"houses\.last_pre_process_for_batch_predict returned None"):
        project.run("houses/*")
    assert "houses/batch/cleaned" in announced(project)


def test_a_hook_that_raises_is_named_with_what_it_raised(home):
    def post_process_after_train(self, model):
        return {}["nothing"]

    project = Project(home, [variant(post_process_after_train=post_process_after_train)])
    with refused(
        project, HookError, r"houses\.post_process_after_train raised KeyError: 'nothing'"
    ):
        project.run("houses/*")
    assert "houses/model" not in announced(project)


def keep_a_lock(self, data):
    self.lock = threading.Lock()
    return data


def test_an_attribute_that_cannot_be_pickled_is_named(home):
    project = Project(home, [variant(last_pre_process_for_train=keep_a_lock)])
    with refused(project, StateError, r"houses\..*: self\.lock is a lock, which cannot be pickled"):
        project.run("houses/*")
    assert "houses/features" not in announced(project)


def test_an_attribute_of_the_last_hook_that_cannot_be_pickled_leaves_the_model_before(home):
    project = Project(home, [variant(post_process_after_train=keep_a_lock)])
    before = project.models.current("houses")
    with refused(project, StateError, r"houses\.post_process_after_train: self\.lock is a lock"):
        project.run("houses/*")
    assert project.models.current("houses") == before
    assert [path.name for path in (home / "models/houses/trains").iterdir()] == [before]


# -- packages -----------------------------------------------------------------------------------


def test_a_corrupt_package_is_told_before_anything_of_it_is_loaded_or_queried(tmp_path):
    Project(tmp_path, [Watched]).run("houses/*")
    project = Project(tmp_path, [Watched])
    package = project.models.package("houses", str(project.models.current("houses")))
    booster = Path((package / "estimator" / "booster.txt").path)
    data = bytearray(booster.read_bytes())
    data[len(data) // 2] ^= 1
    booster.write_bytes(data)
    Watched.restored.clear()
    with refused(
        project,
        CorruptPackageError,
        r"estimator/booster\.txt is not what was saved.*Nothing was loaded; restore",
    ):
        project.run("houses/batch/raw/houses", "houses/batch/cleaned", "houses/batch/features")
    assert Watched.restored == []
    assert announced(project) == set()


def test_a_corrupt_prerequisite_ends_the_train_that_needs_it(home):
    project = Project(home, [Houses, Taxes])
    package = project.models.package("houses", str(project.models.current("houses")))
    (package / "provider_state.pkl").unlink()
    with refused(project, CorruptPackageError, r"houses.*provider_state\.pkl is missing"):
        project.run("taxes/*")


# -- secrets ------------------------------------------------------------------------------------


def test_a_database_password_is_nowhere(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    databases = {"off": "postgresql://user:s3cret-Pw@127.0.0.1:1/db"}
    sources = query("select * from houses", "off")
    settings = {"databases": databases, "datasource_cache": "cache"}
    project = Project(tmp_path, [variant(train_dataset_sources=sources)], settings)
    (tmp_path / "dagster").mkdir()
    project.instance = dg.DagsterInstance.local_temp(str(tmp_path / "dagster"))
    caught: list[BaseException] = []
    for selection in ("sources/houses/houses", "houses/*"):
        with pytest.raises(SourceError, match="'off'.*cannot be reached") as failure:
            project.run(selection)
        error = failure.value
        caught += [error, *filter(None, (error.__cause__, error.__context__))]
    told = everything_told(project, caught, caplog)
    assert told.count("STEP_FAILURE") >= 2
    assert "s3cret" not in told
