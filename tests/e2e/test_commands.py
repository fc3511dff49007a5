"""The real command, in a process of its own, in a project folder of its own."""

import os
import signal
import time

import pytest

from tests.support.shop import open_shop
from tests.support.toys import houses


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A project whose model `houses` was trained by one command."""
    shop = open_shop(tmp_path_factory.mktemp("shop"))
    shop.code, shop.output = shop.materialize('key:"houses/*"')
    shop.first_processes = shop.processes()
    return shop


def test_a_command_trains_a_model_that_predicts(shop):
    assert shop.code == 0, shop.output
    estimations = shop.model().predict(houses(5))["estimation"]
    assert estimations.tolist() == pytest.approx(houses(5)["price"].tolist(), abs=100)


def test_phases_run_in_workers_and_not_in_the_process_of_the_run(shop):
    phases = ("prepare", "tune", "fit", "evaluate", "batch")
    workers = {shop.first_processes[f"houses__{phase}"] for phase in phases}
    assert len(workers) <= (os.cpu_count() or 1)
    assert shop.first_processes[""] not in workers


def test_progress_is_in_the_output(shop):
    for line in ("houses: raw/houses in", "houses: model in", "houses: batch/estimations in"):
        assert line in shop.output


def test_a_failing_hook_ends_the_command_with_code_1_and_its_name(shop):
    code, output = shop.materialize('key:"broken/*"')
    assert code == 1
    assert "broken.feature_engineering_for_train raised ValueError: no such town" in output


def test_a_command_loads_what_it_was_not_asked_to_make(shop):
    code, output = shop.materialize('key:"houses/trainset_metrics"')
    assert code == 0, output
    assert set(shop.processes()) - {""} == {"houses__evaluate"}
    assert "houses: loaded splits" in output
    assert "houses: trainset_metrics in" in output


def test_a_run_that_is_killed_while_it_fits_leaves_the_model_before_and_a_new_run_trains(shop):
    before = shop.model().train_id
    marker = shop.home / "fitting"
    process = shop.start('key:"houses/model"', STOP_AT=str(marker))
    until = time.monotonic() + 60
    while not marker.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)  # its own session: the command and its steps
    process.communicate()
    assert marker.exists()
    assert shop.model().train_id == before
    assert len(shop.model().predict(houses(5))) == 5
    code, output = shop.materialize('key:"houses/model" or key:"houses/trainset_estimations"')
    assert code == 0, output
    assert shop.model().train_id != before
