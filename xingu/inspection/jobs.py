"""Run jobs that may hang: several at once, each with a time limit for every single thing it does.

A job that exceeds the limit is left behind in its thread, which ends with the process.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from xingu.inspection.findings import Finding, finding_of


@dataclass(frozen=True, slots=True)
class Doing:
    """The current activity of a job; it restarts the time limit."""

    text: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    Attributes:
        subject: What it is about, for findings.
        run: Yields findings, and what it does next. An exception becomes a finding.
    """

    subject: str
    run: Callable[[], Iterator[Finding | Doing]]


@dataclass(slots=True)
class _Running:
    job: Job
    since: float
    doing: str = ""


_Event = tuple[int, "Finding | Doing | None"]


def run_jobs(
    jobs: Sequence[Job], seconds: float, at_once: int = 8
) -> Iterator[tuple[Job, Finding | None]]:
    """Yield the findings of all jobs as they come, and None for each job that has ended.

    Args:
        jobs: The jobs.
        seconds: Time limit of each thing that a job does.
        at_once: Largest number of jobs that run at the same time.
    """
    events: SimpleQueue[_Event] = SimpleQueue()
    waiting, running = list(enumerate(jobs)), dict[int, _Running]()
    while waiting or running:
        while waiting and len(running) < at_once:
            number, job = waiting.pop(0)
            running[number] = _Running(job, time.monotonic())
            Thread(target=_work, args=(number, job, events), daemon=True).start()
        first = min(one.since for one in running.values())
        try:
            number, event = events.get(timeout=max(first + seconds - time.monotonic(), 0))
        except Empty:
            late = [at for at in running if running[at].since + seconds <= time.monotonic()]
            for one in map(running.pop, late):
                yield one.job, _overdue(one, seconds)
                yield one.job, None
            continue
        if number not in running:  # it was left behind
            continue
        one = running[number]
        if isinstance(event, Doing):
            one.since, one.doing = time.monotonic(), event.text
            continue
        if event is None:
            del running[number]
        yield one.job, event


def _work(number: int, job: Job, events: "SimpleQueue[_Event]") -> None:
    try:
        for one in job.run():
            events.put((number, one))
    except Exception as error:  # noqa: BLE001 - one job must not stop the others
        events.put((number, finding_of(error, job.subject)))
    finally:
        events.put((number, None))


def _overdue(one: _Running, seconds: float) -> Finding:
    doing = f" ({one.doing})" if one.doing else ""
    text = (
        f"no answer within {seconds:g} s{doing}; check that it runs and can be reached from here, "
        "or give it more time with --timeout."
    )
    return Finding("error", one.job.subject, text)
