"""`xingu train` and its like, as real processes in a project of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import dagster as dg
import psutil
import pytest

from tests.support.shop import open_shop
from xingu.registry.listing import current_trains
from xingu.registry.store import ModelStore

PROVIDERS = """
from tests.support import toys


class Gated(toys.Houses):
    id = "gated"
    quality_gates = {"test": {"R2": (">=", 0.9999)}}


class Searched(toys.Houses):
    id = "searched"
    estimator_hyperparams_search_space = {"num_leaves": ("int", dict(low=2, high=8))}
"""
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    shop = open_shop(tmp_path_factory.mktemp("shop"))
    (shop.home / shop.environment["DATAPROVIDER_FOLDER"] / "more.py").write_text(PROVIDERS)
    del shop.environment["DATABASES"], shop.environment["DAGSTER_HOME"]
    return shop


def start(shop, *arguments: str, **environment: str) -> subprocess.Popen:
    given = {name: text for name, text in os.environ.items() if name != "DAGSTER_HOME"}
    return subprocess.Popen(
        [sys.executable, "-m", "xingu_dagster.cli", *arguments],
        cwd=shop.home,
        env={**given, **shop.environment, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(shop, *arguments: str) -> tuple[int, str, str]:
    process = start(shop, *arguments)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, output, errors


def databases(shop) -> tuple[str, str, str]:
    return "--databases", "db", f"sqlite:///{shop.home}/houses.db"


def runs_of(shop) -> list[dg.DagsterRun]:
    with dg.DagsterInstance.local_temp(str(shop.home / ".dagster")) as instance:
        return list(instance.get_runs())


def step_times(shop, run_id: str) -> dict[str, tuple[float, float]]:
    with dg.DagsterInstance.local_temp(str(shop.home / ".dagster")) as instance:
        stats = instance.get_run_step_stats(run_id)
    return {one.step_key: (one.start_time or 0, one.end_time or 0) for one in stats}


def test_the_line_of_xingu_2_trains_and_estimates(shop):
    line = ("--dps", "houses,taxes", *databases(shop), "--query-cache-path", "data")
    code, output, errors = call(shop, *line, "--trained-models-path", "packages")
    assert code == 0, errors
    current = current_trains(ModelStore(shop.home / "packages"))
    houses, taxes = (record["train_id"] for record in current)
    assert f"✓ houses: train {houses} is current" in output
    assert f"✓ taxes: train {taxes} is current" in output
    assert "R2" in output
    assert f"packages/houses/trains/{houses}" in output
    assert "taxes: batch done in" in errors
    assert "DEBUG" not in output + errors
    assert "SupersessionWarning" not in output + errors
    assert any((shop.home / "data").rglob("*"))
    (run,) = runs_of(shop)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert run.tags["xingu/trigger"] == "command"
    assert run.tags["xingu/train/houses"] == houses


def test_failure_refusal_and_success_are_told_apart_and_do_not_stop_each_other(shop):
    code, output, _ = call(
        shop, "train", "--json", "--dps", "broken,gated,houses", *databases(shop),
        "--parallel-train-max-workers", "1",
    )  # fmt: skip
    document = json.loads(output)
    assert (code, document["schema"], document["status"]) == (1, "xingu.train/1", "failed")
    broken, gated, houses = document["dataproviders"]
    assert [one["status"] for one in (broken, gated, houses)] == ["failed", "refused", "success"]
    assert "broken.feature_engineering_for_train raised ValueError" in (
        broken["failures"][0]["message"])  # fmt: skip
    assert "models.py:" in broken["failures"][0]["cause"]
    assert broken["phases"]["fit"]["state"] == "skipped"
    assert "test R2 is" in gated["failures"][0]["message"]
    assert (gated["current"], houses["current"]) == (False, True)
    assert houses["metrics"]["test"]["R2"] > 0.9
    assert Path(houses["files"]["model"]).is_dir()
    log = Path(document["log"]).read_text()
    assert "STEP_FAILURE" in log
    times = step_times(shop, document["run_id"])
    trains = sorted(times[f"{dp}__{phase}"] for dp in ("gated", "houses")
                    for phase in ("prepare", "tune", "fit"))  # fmt: skip
    assert all(end <= begin + 0.01 for (_, end), (begin, _) in pairwise(trains))


def test_a_search_has_the_options_of_the_command_and_trains_nothing(shop):
    code, output, errors = call(
        shop, "tune", "--dps", "searched", "--hyperopt-evaluations", "2", "--refresh-sources",
        "--json", *databases(shop),
    )  # fmt: skip
    assert code == 0, errors
    document = json.loads(output)
    (searched,) = document["dataproviders"]
    assert searched["search"]["trials"] == 2
    assert "fit" not in searched["phases"]
    with dg.DagsterInstance.local_temp(str(shop.home / ".dagster")) as instance:
        run = instance.get_run_by_id(document["run_id"])
    assert run.run_config["resources"]["xingu_options"]["config"]["refresh_sources"] is True


def test_a_gate_that_refuses_is_code_3_and_says_what_it_measured(shop):
    code, output, _ = call(shop, "train", "--dps", "gated", "--no-batch-predict", *databases(shop))
    assert code == 3
    assert "✗ gated: refused, train" in output
    assert "test R2 is 0." in output
    assert "must be >= 0.9999" in output


def test_an_unknown_dataprovider_is_code_2_with_the_nearest_id(shop):
    code, output, errors = call(shop, "train", "--json", "--dps", "housse", *databases(shop))
    assert (code, json.loads(output)["status"]) == (2, "failed")
    assert "Did you mean 'houses'?" in errors
    assert "Traceback" not in errors
    assert "Log:" not in errors  # the message says all


def test_an_interrupted_run_is_canceled_and_leaves_no_process(shop):
    marker = shop.home / "tuned"
    process = start(shop, "train", "--dps", "houses", *databases(shop), STOP_AT=str(marker))
    until = time.monotonic() + PATIENCE_SECONDS
    while not marker.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    assert marker.exists()
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, errors
    assert "was interrupted and is canceled" in output
    assert runs_of(shop)[0].status is dg.DagsterRunStatus.CANCELED
    assert not psutil.wait_procs(family, timeout=10)[1]
