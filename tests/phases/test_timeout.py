"""A time limit interrupts the code of a step, and nothing else."""

import multiprocessing
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from xingu.errors import StepTimeoutError
from xingu_dagster.phases import timeout
from xingu_dagster.phases.timeout import limited

ENDLESS = "with recursive c(n) as (select 1 union all select n + 1 from c) select max(n) from c"


def naps(*seconds):
    for one in seconds:
        time.sleep(one)
        yield one


def stuck():
    yield sqlite3.connect(":memory:").execute(ENDLESS).fetchall()


def execute_stuck():
    timeout.GRACE_SECONDS = 0.2
    list(limited(stuck(), 0.1, "houses__prepare", print))


@pytest.mark.parametrize("seconds", [None, 5])
def test_a_step_that_is_fast_enough_is_not_changed(seconds):
    assert list(limited(naps(0.01, 0.02), seconds, "step", print)) == [0.01, 0.02]


def test_the_time_of_all_parts_counts():
    results, made = limited(naps(0.15, 0.15, 0.15), 0.25, "step", print), []
    with pytest.raises(StepTimeoutError, match=r"step was stopped, .* 0.25 s"):
        made.extend(results)
    assert time.sleep(0.1) is None  # no alarm is left


def test_what_happens_between_the_parts_is_not_interrupted():
    results = limited(naps(0.01, 0.01), 0.1, "step", print)
    next(results)
    time.sleep(0.2)
    with pytest.raises(StepTimeoutError):
        next(results)


def test_code_that_goes_on_after_errors_is_stopped_too():
    def stubborn():
        try:
            time.sleep(5)
        except Exception:
            yield "went on"

    with pytest.raises(StepTimeoutError):
        list(limited(stubborn(), 0.1, "step", print))


def test_the_step_can_clean_up():
    cleaned = []

    def tidy():
        try:
            yield time.sleep(5)
        finally:
            cleaned.append(True)

    with pytest.raises(StepTimeoutError):
        list(limited(tidy(), 0.1, "step", print))
    assert cleaned == [True]


def test_an_alarm_of_the_process_comes_after_the_step():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        assert list(limited(naps(0.05), 1, "step", print)) == [0.05]
        time.sleep(0.3)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert rung == [True]


def test_a_process_of_steps_that_cannot_be_interrupted_ends():
    process = multiprocessing.get_context("spawn").Process(target=execute_stuck)
    process.start()
    process.join(30)
    assert process.exitcode == timeout.EXIT_CODE


def in_a_thread(function):
    """Call a function in another thread and return its result, or the error."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(function)
        return future.exception() or future.result()


def counting():
    """Work in Python for 20 s."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pass
    yield "went on"


def test_code_in_another_thread_is_stopped_too():
    error = in_a_thread(lambda: list(limited(counting(), 0.2, "step", print)))
    assert isinstance(error, StepTimeoutError)


def test_a_thread_that_is_fast_enough_is_not_interrupted_later():
    def fast():
        made = list(limited(naps(0.01), 0.1, "step", print))
        time.sleep(0.2)
        return made

    assert in_a_thread(fast) == [0.01]
