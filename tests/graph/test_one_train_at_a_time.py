"""At most one run trains a DataProvider at a time, whoever starts it."""

import threading
from datetime import timedelta

import dagster as dg
import pytest

from tests.support.control import control, rows
from tests.support.project import Project
from tests.support.toys import Declared
from xingu.tracking.leases import acquire, holders
from xingu_dagster.phases import exclusive

TRAIN = ["houses/cleaned", "houses/features", "houses/splits", "houses/hyperparameters",
         "houses/model"]  # fmt: skip
ALL = ["houses/raw/houses", *TRAIN, "houses/trainset_estimations", "houses/trainset_metrics"]


class Small(Declared):
    """Trains in no time; `pause` and `measure` run meanwhile."""

    id = "houses"
    train_dataset_sources = {"houses": {"source": "db", "query": "select * from houses"}}
    batch_predict_dataset_sources = train_dataset_sources
    x_features = ["size"]
    y = "price"
    pause = measure = staticmethod(lambda: None)
    clock = timedelta()

    def clean_data_for_train(self, datasets):
        type(self).pause()
        return datasets["houses"].set_index("id")

    def post_process_after_train(self, model):
        model.trained += self.clock

    def compute_trainsets_model_metrics_own(self, XY, Y_pred, model):
        type(self).measure()
        return {"rows": len(XY)}


class Other(Small):
    id = "others"


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.setattr(exclusive, "SHORTEST", 0)

    def make(**settings) -> Project:
        return Project(tmp_path, [Small, Other], {"verify_packages": False, **settings})

    return make


def failures(result) -> str:
    return " ".join(
        event.step_failure_data.error.to_string()
        for event in result.all_events
        if event.is_step_failure
    )


def test_a_run_gives_the_lease_back_with_its_last_step(make):
    project = make()
    assert project.run(*ALL).success
    assert holders(control(project)) == {}
    assert rows(project, "SELECT name, token FROM leases") == [("houses", 1)]


def test_a_run_that_fails_gives_the_lease_back(make, monkeypatch):
    monkeypatch.setattr(Small, "pause", staticmethod(lambda: 1 / 0))
    project = make()
    assert not project.run(*ALL, raise_on_error=False).success
    assert holders(control(project)) == {}


def test_a_second_run_is_refused_if_so_set_and_the_error_names_the_holder(make):
    project = make(train_wait_seconds=0)
    acquire(control(project), "houses", "run-1")
    result = project.run(*ALL, raise_on_error=False)
    assert not result.success
    text = failures(result)
    assert "houses is being trained by the run run-1, since 20" in text
    assert "so this run is refused. Start it again when that one has ended" in text
    assert (
        project.instance.get_latest_materialization_event(dg.AssetKey(["houses", "model"])) is None
    )


def test_a_second_run_waits_and_gives_up_after_the_limit(make, caplog):
    project = make(train_wait_seconds=1)
    acquire(control(project), "houses", "run-1")
    result = project.run(*ALL, raise_on_error=False)
    assert "this run is refused after 1 s (XINGU_TRAIN_WAIT_SECONDS)" in failures(result)
    assert "houses: waits, because it is being trained by the run run-1" in caplog.text


def test_two_runs_at_once_train_one_after_the_other(make, monkeypatch):
    began, proceed, order = threading.Event(), threading.Event(), []

    def pause():
        order.append("begin")
        began.set()
        assert proceed.wait(30)
        order.append("end")

    monkeypatch.setattr(Small, "pause", staticmethod(pause))
    project = make()
    project.instance, control(project).engine
    results = []
    threads = [threading.Thread(target=lambda: results.append(project.run(*ALL))) for _ in "ab"]
    real = dg.RetryRequested

    def waits(**given):
        proceed.set()  # the second run has found that the first one trains
        return real(**given)

    monkeypatch.setattr(dg, "RetryRequested", waits)
    threads[0].start()
    assert began.wait(30)
    threads[1].start()
    for thread in threads:
        thread.join(60)
    assert [result.success for result in results] == [True, True]
    assert len(order) >= 4
    assert order == ["begin", "end"] * (len(order) // 2)


@pytest.mark.parametrize("hook", ["pause", "measure"], ids=["first step", "last step"])
def test_a_run_that_was_replaced_does_not_make_its_train_current(make, monkeypatch, hook):
    project = make()

    def replaced():
        with control(project).write("test") as connection:
            connection.exec_driver_sql("UPDATE leases SET expires = 1")
        acquire(control(project), "houses", "run-2")

    first = project.run(*ALL)
    assert first.success
    current = project.models.current("houses")
    monkeypatch.setattr(Small, hook, staticmethod(replaced))
    result = project.run(*ALL, raise_on_error=False)
    assert not result.success
    assert "has taken over from the run" in failures(result)
    assert project.models.current("houses") == current


def test_a_run_that_has_ended_without_giving_the_lease_back_is_replaced_at_once(make, caplog):
    project = make(train_wait_seconds=0)
    ended = project.run("houses/raw/houses").run_id
    acquire(control(project), "houses", ended)
    assert project.run(*ALL).success
    assert f"takes over from the run {ended}" in caplog.text


def test_what_trains_nothing_does_not_wait(make):
    project = make(train_wait_seconds=0)
    project.run(*ALL)
    acquire(control(project), "houses", "run-1")
    assert project.run(*ALL[:5]).success
    assert project.run("houses/trainset_metrics").success


def test_other_dataproviders_and_batches_do_not_wait(make):
    project = make(train_wait_seconds=0)
    project.run(*ALL)
    acquire(control(project), "houses", "run-1")
    others = [f"others/{name.partition('/')[2]}" for name in ALL]
    batch = [
        f"houses/batch/{name}" for name in ("raw/houses", "cleaned", "features", "estimations")
    ]
    assert project.run(*others, *batch).success
    assert holders(control(project)).keys() == {"houses"}


def test_a_train_becomes_current_although_the_clock_has_gone_back(make, monkeypatch, caplog):
    project = make()
    project.run(*ALL)
    first = project.models.manifest("houses", str(project.models.current("houses")))
    monkeypatch.setattr(Small, "clock", timedelta(days=-1))
    for _ in range(2):
        before = project.models.current("houses")
        project.run(*ALL)
        assert project.models.current("houses") != before
    last = project.models.manifest("houses", str(project.models.current("houses")))
    assert last.trained > first.trained
    assert "it has gone back" in caplog.text


def test_a_run_goes_on_after_postgresql_was_restarted_between_two_transactions(
    make, monkeypatch, postgres_schema
):
    def restart():
        with control(project).read() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    project = make(control_db=postgres_schema)
    monkeypatch.setattr(Small, "measure", staticmethod(restart))
    assert project.run(*ALL).success
    assert project.models.current("houses")


def test_memory_that_runs_out_in_a_hook_is_an_error_that_names_it(make, monkeypatch):
    monkeypatch.setattr(Small, "pause", staticmethod(lambda: bytearray(10**15)))
    text = failures(make().run(*ALL, raise_on_error=False))
    assert "HookError: houses.clean_data_for_train" in text
    assert "MemoryError" in text
