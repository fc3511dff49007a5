"""The pool executes as Dagster's multiprocess executor does, in a few processes that stay."""

import re
import signal
from contextlib import suppress
from pathlib import Path

import dagster as dg
import psutil
import pytest

from tests.support.laboratory import PATIENCE_SECONDS, ended

kind = dg.DagsterEventType


def pids(laboratory) -> dict[str, int]:
    return dict(laboratory.noted("begin"))


def overlapping(laboratory) -> bool:
    """Return whether two ops ran at the same time."""
    rows = [row.split()[0] for row in laboratory.notes.read_text().splitlines()]
    return rows != ["begin", "end"] * (len(rows) // 2)


def abandoned_shared_memory() -> set[Path]:
    """Return semaphores and segments of multiprocessing that no process of the machine uses."""
    found = {one for name in ("sem.mp-*", "psm_*") for one in Path("/dev/shm").glob(name)}
    used = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):  # the process has ended
            used |= {line.split()[-1] for line in maps.read_text().splitlines() if "/shm/" in line}
    return {one for one in found if str(one) not in used and one.exists()}


def test_two_workers_execute_all_steps_and_are_other_processes_than_the_run(laboratory):
    process = laboratory.start("plain")
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    found = pids(laboratory)
    assert len(found) == 6
    assert len(set(found.values())) == 2
    assert process.pid not in found.values()
    assert overlapping(laboratory)


def test_a_step_whose_worker_dies_fails_alone_and_says_how(laboratory):
    code, output = laboratory.run("deaths")
    assert code == 1, output
    failures = {event.step_key: event for event in laboratory.events(kind.STEP_FAILURE)}
    texts = {key: event.step_failure_data.error.message for key, event in failures.items()}
    assert set(texts) == {"exits", "killed", "crashes"}
    assert "unexpectedly exited with code 7" in texts["exits"]
    assert "signal 9 (SIGKILL)" in texts["killed"]
    assert "signal 11 (SIGSEGV)" in texts["crashes"]
    assert re.search(r"It was in <lambda> \(.*jobs\.py, line \d+\)\.", texts["crashes"])
    assert laboratory.steps(kind.STEP_SUCCESS) == {f"fine_{number}" for number in range(4)}
    assert "downstream" not in pids(laboratory)
    assert laboratory.status is dg.DagsterRunStatus.FAILURE


def test_steps_are_retried_also_after_the_death_of_their_worker(laboratory):
    code, output = laboratory.run("retries")
    assert code == 0, output
    begun = [name for name, _ in laboratory.noted("begin")]
    assert {name: begun.count(name) for name in begun} == {"unsteady": 3, "mortal": 2, "asking": 2}
    assert len(laboratory.events(kind.STEP_UP_FOR_RETRY)) == 4


def test_no_step_is_retried_where_retries_are_disabled(laboratory):
    config = laboratory.folder / "config.yaml"
    config.write_text("execution: {config: {retries: {disabled: {}}}}")
    code, _ = laboratory.run("retries", "--config", str(config))
    assert code == 1
    begun = [name for name, _ in laboratory.noted("begin")]
    assert sorted(begun) == ["asking", "mortal", "unsteady"]


def test_a_concurrency_pool_limits_steps(laboratory):
    with laboratory.instance as instance:
        instance.event_log_storage.set_concurrency_slots("narrow", 1)
    code, output = laboratory.run("pools")
    assert code == 0, output
    assert not overlapping(laboratory)
    with laboratory.instance as instance:
        assert instance.event_log_storage.get_concurrency_info("narrow").active_slot_count == 0


def test_tags_limit_steps(laboratory):
    limit = "{key: kind, value: big, limit: 1}"
    config = laboratory.folder / "config.yaml"
    config.write_text(f"execution: {{config: {{tag_concurrency_limits: [{limit}]}}}}")
    code, output = laboratory.run("tags", "--config", str(config))
    assert code == 0, output
    assert len(pids(laboratory)) == 3
    assert not overlapping(laboratory)


def test_the_step_with_the_higher_priority_begins(laboratory):
    assert laboratory.run("priorities", STEPS="1")[0] == 0
    assert list(pids(laboratory)) == ["high", "middle", "low"]


def test_dynamic_steps_and_skipped_steps_are_those_of_dagster(laboratory):
    assert laboratory.run("dynamic")[0] == 0
    assert sorted(name for name, _ in laboratory.noted("number")) == ["0", "1", "2"]
    assert laboratory.run("skipping")[0] == 0
    assert laboratory.steps(kind.STEP_SKIPPED) == {"use_number"}
    assert "taken" in laboratory.steps(kind.STEP_SUCCESS)


def test_a_resource_that_cannot_be_made_fails_its_step_alone(laboratory):
    assert laboratory.run("without_resource")[0] == 1
    assert laboratory.steps(kind.STEP_FAILURE) == {"needing"}
    assert laboratory.steps(kind.STEP_SUCCESS) == {"other"}


def test_steps_of_one_dataprovider_stay_in_one_worker(laboratory):
    assert laboratory.run("affine")[0] == 0
    found = pids(laboratory)
    assert len(set(found.values())) == 2
    for name in "abcd":
        assert len({pid for step, pid in found.items() if step.startswith(f"{name}__")}) == 1


def test_a_worker_that_dies_between_two_steps_is_replaced(laboratory):
    code, output = laboratory.run("dying_idle")
    assert code == 0, output
    found = pids(laboratory)
    assert found["idle"] not in (found["late_1"], found["late_2"])


def test_a_worker_is_replaced_after_some_steps(laboratory):
    assert laboratory.run("plain", PER_WORKER="2")[0] == 0
    found = list(pids(laboratory).values())
    assert len(found) == 6
    assert max(found.count(pid) for pid in found) == 2


def test_a_worker_that_has_grown_is_replaced_between_two_steps(laboratory):
    assert laboratory.run("growing", MEMORY_MB="280")[0] == 0
    found = pids(laboratory)
    assert found["big"] not in (found["next_one"], found["last"])


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_termination_interrupts_the_steps_and_leaves_no_process(laboratory, sent):
    process = laboratory.start("sleeping")
    laboratory.wait_for("begin", 2)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(sent)
    assert process.wait(PATIENCE_SECONDS) != 0
    assert ended(family)
    assert {name for name, _ in laboratory.noted("end")} == {"long_1", "long_2"}
    assert laboratory.steps(kind.STEP_FAILURE) == {"long_1", "long_2"}
    assert laboratory.status is dg.DagsterRunStatus.FAILURE


def test_a_terminated_run_is_canceled(laboratory):
    process = laboratory.start("sleeping")
    laboratory.wait_for("begin", 2)
    with laboratory.instance as instance:
        instance.report_run_canceling(instance.get_runs(limit=1)[0])
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_SECONDS)
    assert laboratory.status is dg.DagsterRunStatus.CANCELED


def test_workers_of_a_killed_run_interrupt_their_steps_and_end(laboratory):
    process = laboratory.start("sleeping")
    laboratory.wait_for("begin", 2)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2
    process.kill()
    assert ended(family)
    assert {name for name, _ in laboratory.noted("end")} == {"long_1", "long_2"}


def test_a_run_beside_threads_takes_workers_from_a_fork_server(laboratory):
    process = laboratory.start("deaths", THREAD="1")
    laboratory.wait_for("begin", 1)
    family = psutil.Process(process.pid).children(recursive=True)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert ended(family)
    assert laboratory.steps(kind.STEP_SUCCESS) == {f"fine_{number}" for number in range(4)}
    assert laboratory.steps(kind.STEP_FAILURE) == {"exits", "killed", "crashes"}
    assert "ForkServerProcess" in laboratory.notes.read_text()


def test_a_run_leaves_no_process_no_shared_memory_and_no_socket(laboratory, tmp_path):
    before = abandoned_shared_memory()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = laboratory.start("deaths", TMPDIR=str(temporary))
    laboratory.wait_for("begin", 2)
    family = psutil.Process(process.pid).children(recursive=True)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert ended(family)
    assert list(temporary.iterdir()) == []
    assert abandoned_shared_memory() <= before
