"""Steps of a run in threads of this process."""

import os
import threading
import time

import dagster as dg
import numpy  # noqa: F401 - loads BLAS
from threadpoolctl import threadpool_info, threadpool_limits

from xingu_dagster.engine import cores
from xingu_dagster.engine.executor import thread_executor
from xingu_dagster.engine.runs import RunRequest
from xingu_dagster.exits import reported_exits
from xingu_dagster.running import run


def run_steps(*bodies):
    """Execute functions side by side, each as a step."""
    assets = [dg.asset(key=f"dp{number}__fit")(body) for number, body in enumerate(bodies)]
    job = dg.Definitions(assets).resolve_implicit_global_asset_job_def()
    keys = frozenset(one.key for one in assets)
    request = RunRequest(job.with_executor_def(thread_executor(len(bodies))), keys)
    with dg.DagsterInstance.ephemeral() as instance:
        return run(request, instance)


def blas_threads():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def meeting(*bodies):
    """Let each body begin after all others have, and end after the one before it."""
    begun, ended = threading.Barrier(len(bodies), timeout=20), [threading.Event() for _ in bodies]

    def met(number, body):
        def step():
            begun.wait()
            body()
            if number:
                ended[number - 1].wait(20)
                time.sleep(0.1)
            ended[number].set()

        return step

    return [met(number, body) for number, body in enumerate(bodies)]


def test_steps_run_side_by_side_in_one_process():
    seen = []
    note = lambda: seen.append((os.getpid(), threading.get_ident()))  # noqa: E731
    assert run_steps(*meeting(note, note)).success
    assert {process for process, _ in seen} == {os.getpid()}
    assert len(set(seen)) == 2


def test_a_run_leaves_no_limit_of_blas_behind(monkeypatch):
    monkeypatch.setattr(cores, "all_cores", lambda: 4)
    seen = []
    note = lambda: seen.append(blas_threads())  # noqa: E731
    with threadpool_limits(3):
        before = blas_threads()
        assert run_steps(*meeting(note, note, note)).success
        assert blas_threads() == before
    assert seen == [{1}] * 3


def test_a_step_that_ends_the_process_fails_alone_and_its_call_is_restored():
    before = os._exit

    def leave():
        with reported_exits("dp0__fit"):
            os._exit(0)

    def stay():
        with reported_exits("dp1__fit"):
            time.sleep(0.2)

    assert list(run_steps(leave, stay).failures) == ["dp0__fit"]
    assert os._exit is before


def test_the_other_steps_end_when_one_fails():
    ended = []

    def fail():
        raise ValueError("mine")

    def work():
        time.sleep(0.3)
        ended.append(True)

    failures = run_steps(fail, work).failures
    assert {step: failure.text for step, failure in failures.items()} == {"dp0__fit": "mine"}
    assert ended == [True]
