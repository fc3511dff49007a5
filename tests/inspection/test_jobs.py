"""Jobs run at once, and one that hangs or fails becomes a finding."""

import threading

from xingu.inspection.findings import Finding
from xingu.inspection.jobs import Doing, Job, run_jobs


def found_by(jobs, seconds=5.0, at_once=8) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {job.subject: [] for job in jobs}
    for job, finding in run_jobs(jobs, seconds, at_once):
        if finding:
            found[job.subject].append(finding.text)
    return found


def test_a_job_that_hangs_is_a_finding_and_keeps_those_before():
    forever = threading.Event()

    def hangs():
        yield Finding("warning", "slow", "before")
        yield Doing("asking")
        forever.wait()

    def quick():
        yield Finding("error", "quick", "wrong")

    found = found_by([Job("slow", hangs), Job("quick", quick)], seconds=0.3, at_once=1)
    forever.set()
    assert found["quick"] == ["wrong"]
    assert found["slow"][0] == "before"
    assert "no answer within 0.3 s (asking)" in found["slow"][1]


def test_the_limit_is_that_of_each_answer_not_of_the_whole_job():
    wait = threading.Event()

    def many_answers():
        for number in range(6):
            yield Doing(str(number))
            wait.wait(0.1)

    assert found_by([Job("steady", many_answers)], seconds=0.4) == {"steady": []}


def test_jobs_run_at_the_same_time():
    meet = threading.Barrier(3, timeout=5)

    def waits():
        meet.wait()
        yield from ()

    assert found_by([Job(str(at), waits) for at in range(3)]) == {"0": [], "1": [], "2": []}


def test_an_exception_is_a_finding():
    def fails():
        yield Doing("something")
        raise ValueError("password=hidden-word")

    assert found_by([Job("one", fails)]) == {"one": ["ValueError: password=***"]}
