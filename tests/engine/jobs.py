"""Jobs whose ops do to their worker what a test needs; the environment says how the pool is set."""

import ctypes
import multiprocessing
import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from xingu_dagster.engine.executor import build_executor

kept = []

if os.environ.get("THREAD") and multiprocessing.parent_process() is None:
    threading.Thread(target=threading.Event().wait, daemon=True).start()


def note(text: str) -> None:
    """Append a line to the file that the test reads."""
    with Path(os.environ["NOTES"]).open("a") as notes:
        process = type(multiprocessing.current_process()).__name__
        notes.write(f"{text} {process} {os.getpid()}\n")


@contextmanager
def span(name: str):
    note(f"begin {name}")
    try:
        yield
    finally:
        note(f"end {name}")


def op(name: str, body=lambda: None, **options):
    """Make an op without inputs that notes its begin and its end."""

    @dg.op(name=name, out=dg.Out(dg.Nothing), **options)
    def made():
        with span(name):
            body()

    return made


def after(name: str, *before: str, body=lambda: None):
    """Make an op that begins after others."""

    @dg.op(name=name, ins={one: dg.In(dg.Nothing) for one in before}, out=dg.Out(dg.Nothing))
    def made():
        with span(name):
            body()

    return made


def job(name: str, *ops):
    @dg.job(name=name, executor_def=EXECUTOR)
    def made():
        results = {}
        for one in ops:
            results[one.name] = one(**{before: results[before] for before in one.ins})

    return made


def setting(name: str) -> int:
    return int(os.environ.get(name, "0"))


EXECUTOR = build_executor(
    "pool", setting("STEPS") or 2, setting("MEMORY_MB"), setting("PER_WORKER")
)


def wait() -> None:
    time.sleep(0.3)


def sleep_long() -> None:
    time.sleep(120)


def fail_twice() -> None:
    if Path(os.environ["NOTES"]).read_text().count("begin unsteady ") < 3:
        raise ValueError("not yet")


def die_once() -> None:
    if Path(os.environ["NOTES"]).read_text().count("begin mortal ") < 2:
        os.kill(os.getpid(), signal.SIGKILL)


def ask_for_a_retry() -> None:
    if Path(os.environ["NOTES"]).read_text().count("begin asking ") < 2:
        raise dg.RetryRequested(max_retries=1, seconds_to_wait=0.1)


def die_later() -> None:
    threading.Timer(0.7, os._exit, [1]).start()


def grow() -> None:
    kept.append(b"x" * 300_000_000)


@dg.op(out=dg.DynamicOut(int))
def numbers():
    for number in range(3):
        yield dg.DynamicOutput(number, str(number))


@dg.op(out=dg.Out(dg.Nothing))
def use_number(number):
    note(f"number {number}")


@dg.job(executor_def=EXECUTOR)
def dynamic():
    numbers().map(use_number)


@dg.op(out={"given": dg.Out(dg.Nothing, is_required=False), "omitted": dg.Out(is_required=False)})
def choose():
    yield dg.Output(None, "given")


@dg.job(executor_def=EXECUTOR)
def skipping():
    given, omitted = choose()
    after("taken", "given")(given=given)
    use_number(omitted)


def first(context: dg.OpExecutionContext):
    raise ValueError("no such database")


@dg.op(required_resource_keys={"database"}, out=dg.Out(dg.Nothing))
def needing():
    note("begin needing")


@dg.job(executor_def=EXECUTOR, resource_defs={"database": dg.ResourceDefinition(first)})
def without_resource():
    needing()
    op("other")()


def _short_jobs():
    priority = "dagster/priority"
    return [
        job("plain", *(op(f"op_{number}", wait) for number in range(6))),
        job(
            "deaths",
            op("exits", lambda: os._exit(7)),
            op("killed", lambda: os.kill(os.getpid(), signal.SIGKILL)),
            op("crashes", lambda: ctypes.string_at(0)),
            *(op(f"fine_{number}", wait) for number in range(4)),
            after("downstream", "exits"),
        ),
        job(
            "retries",
            op("unsteady", fail_twice, retry_policy=dg.RetryPolicy(max_retries=2)),
            op("mortal", die_once, retry_policy=dg.RetryPolicy(max_retries=1)),
            op("asking", ask_for_a_retry),
        ),
        job("pools", *(op(f"op_{number}", wait, pool="narrow") for number in range(3))),
        job("tags", *(op(f"op_{number}", wait, tags={"kind": "big"}) for number in range(3))),
        job(
            "priorities",
            op("low", tags={priority: "-1"}),
            op("middle"),
            op("high", tags={priority: "5"}),
        ),
    ]


def _long_jobs():
    return [
        job(
            "sleeping", op("long_1", sleep_long), op("long_2", sleep_long), after("last", "long_1")
        ),
        job("growing", op("big", grow), after("next_one", "big"), after("last", "next_one")),
        job(
            "affine",
            *(op(f"{name}__one", wait) for name in "abcd"),
            *(after(f"{name}__two", f"{name}__one", body=wait) for name in "abcd"),
            *(after(f"{name}__three", f"{name}__two", body=wait) for name in "abcd"),
        ),
        job(
            "dying_idle",
            op("idle", die_later),
            op("slow", lambda: time.sleep(2)),
            after("late_1", "slow", body=wait),
            after("late_2", "slow", body=wait),
        ),
    ]


@dg.repository
def repository():
    return [*_short_jobs(), *_long_jobs(), dynamic, skipping, without_resource]
