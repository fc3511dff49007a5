"""Observe many sources: in threads, with a deadline for each and a budget for all.

What several DataProviders share is asked once: the same SQL on the same database, the same address
with the same options. At most `LANES` threads ask one place (a database, a server) at the same
time, each on one connection. A question that misses its deadline is cancelled and its thread is
left behind, so the caller never waits for a driver. Threads are daemons: they do not keep the
process alive.

Questions start in the order of the age of their last start, so that a slow source does not take
the budget of the others in every round.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread

from xingu.errors import SourceError, text_of
from xingu.masking import masked
from xingu.records import Observed
from xingu.sources.databases import Databases
from xingu.sources.files import observe_file
from xingu.sources.questions import Answer, Memory, Name, Question, Watched, questions_of
from xingu.sources.reading import observe_rows
from xingu.sources.session import Session
from xingu.sources.spec import ExternalSource, SourceSpec, UrlSource
from xingu.sources.watermark import ask_watermark, is_rewritten

LANES = 2
"""Number of questions to one place at the same time."""
WORKERS = 16
"""Number of questions at the same time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of observations.

    Attributes:
        source_seconds: Deadline of one source, from the start of its question.
        round_seconds: Budget of all sources together.
    """

    source_seconds: float = 30
    round_seconds: float = 120


def observe_sources(
    watched: Mapping[Name, Watched],
    databases: Databases,
    *,
    limits: Limits = Limits(),
    memory: Memory | None = None,
    before: Mapping[Name, Observed] | None = None,
) -> dict[Name, Observed | str]:
    """Observe sources; what fails or hangs is skipped.

    Args:
        watched: The sources, by any name that the caller gives them.
        databases: Databases by nickname.
        limits: Time limits; the call returns within `round_seconds`.
        memory: Answers of earlier rounds; needed for ``observe_seconds``, for the order of the
            questions, and to skip a query whose database file has not changed.
        before: Earlier observations that the new ones are compared with, by the same names: those
            that the current train has recorded.

    Returns:
        For each source its observation, or the reason why there is none.
    """
    memory, before = Memory() if memory is None else memory, before or {}
    results: dict[Name, Observed | str] = {}
    answers: dict[str, Observed | str] = {}
    names, todo, failed = questions_of(watched, databases)
    for question in todo:
        known = [before[name] for name in names[question.id] if name in before]
        question.known = frozenset(one.version for one in known)
    todo.sort(key=lambda one: memory.started.get(one.id, 0.0))
    fresh = {one.id: answer for one in todo if (answer := memory.answer_of(one))}
    answers |= fresh
    asked = [one for one in todo if one.id not in fresh]
    answers |= _Round(databases, limits, memory).ask(asked)
    for question in todo:
        for name in names[question.id]:
            results[name] = _compared(answers[question.id], before.get(name))
    return {name: failed.get(name) or results[name] for name in watched}


def observe_source(
    provider_id: str,
    spec: ExternalSource,
    databases: Databases,
    declared: Sequence[SourceSpec] = (),
) -> Observed:
    """Observe one source; see `observe_sources`.

    Args:
        provider_id: Id of the DataProvider, for errors.
        spec: The source.
        databases: Databases by nickname.
        declared: All sources of the declaration, for a query that needs the earlier members of its
            group.

    Raises:
        SourceError: If it cannot be observed.
    """
    found = observe_sources({spec.name: Watched(provider_id, spec, declared)}, databases)[spec.name]
    if isinstance(found, str):
        raise SourceError(found)
    return found


def _compared(answer: Observed | str, before: Observed | None) -> Observed | str:
    if isinstance(answer, str) or before is None or not before.version:
        return answer
    return replace(answer, rewritten=is_rewritten(before, answer))


@dataclass(eq=False, slots=True)
class _Lane:
    """A thread that asks one place; `stop` cancels what it is doing."""

    place: str
    question: Question | None = None
    deadline: float = 0.0
    stop: Callable[[], None] = lambda: None
    thread: Thread = field(default_factory=current_thread)
    abandoned: bool = False


@dataclass(slots=True)
class _Round:
    """One round of questions."""

    databases: Databases
    limits: Limits
    memory: Memory
    _end: float = 0.0
    _lock: Lock = field(default_factory=Lock)
    _waiting: dict[str, deque[Question]] = field(default_factory=dict)
    _lanes: set[_Lane] = field(default_factory=set)
    _done: SimpleQueue[tuple[_Lane, Question | None, Observed | str]] = field(
        default_factory=SimpleQueue
    )

    def ask(self, questions: Sequence[Question]) -> dict[str, Observed | str]:
        """Return the answers, or reasons, by id of the question."""
        answers: dict[str, Observed | str] = {}
        self._end = time.monotonic() + self.limits.round_seconds
        for question in questions:
            if reason := self.memory.hangs(question):
                answers[question.id] = reason
            else:
                self._waiting.setdefault(question.place, deque()).append(question)
        open_ = len(questions) - len(answers)
        while open_ and time.monotonic() < self._end:
            self._start_lanes()
            try:
                lane, question, answer = self._done.get(timeout=self._patience())
            except Empty:
                late = self._abandon(time.monotonic())
            else:
                late = {}
                if question is None:
                    self._lanes.discard(lane)
                elif not lane.abandoned:
                    late = {question.id: answer}
            answers |= late
            open_ -= len(late)
        return answers | self._give_up()

    def _start_lanes(self) -> None:
        with self._lock:
            places = [place for place, waiting in self._waiting.items() if waiting]
        for place in places:
            of_place = sum(lane.place == place for lane in self._lanes)
            wanted = min(LANES, len(self._waiting[place]))
            for _ in range(min(wanted - of_place, WORKERS - len(self._lanes))):
                lane = _Lane(place)
                self._lanes.add(lane)
                lane.thread = Thread(
                    target=self._work, args=(lane,), name="xingu-observe", daemon=True
                )
                lane.thread.start()

    def _patience(self) -> float:
        with self._lock:
            ends = [lane.deadline for lane in self._lanes if lane.question]
        return max(0.001, min([self._end, *ends]) - time.monotonic())

    def _abandon(self, now: float) -> dict[str, Observed | str]:
        """Leave the threads behind whose deadline has passed, and return the reasons."""
        late: dict[str, Observed | str] = {}
        with self._lock:
            for lane in list(self._lanes):
                if lane.question is None or lane.deadline > now:
                    continue
                lane.abandoned = True
                self._lanes.discard(lane)
                self.memory.hanging[lane.question.id] = (now, lane.thread)
                late[lane.question.id] = f"no answer within {self.limits.source_seconds:g} s"
                lane.stop()
        return late

    def _give_up(self) -> dict[str, Observed | str]:
        """Return the reasons of what is still open at the end of the budget."""
        spent = f"the {self.limits.round_seconds:g} s of this round were used up"
        with self._lock:
            waiting = [one for waiting in self._waiting.values() for one in waiting]
            self._waiting.clear()
            for lane in self._lanes:
                lane.deadline = 0.0
        late = dict.fromkeys(self._abandon(time.monotonic()), f"no answer before {spent}")
        unasked = f"not asked, because {spent}; it is among the first of the next round"
        return {**late, **{one.id: unasked for one in waiting}}

    def _next(self, lane: _Lane, stop: Callable[[], None]) -> Question | None:
        with self._lock:
            waiting = self._waiting.get(lane.place)
            lane.question = waiting.popleft() if waiting and not lane.abandoned else None
            if lane.question is not None:
                now = time.monotonic()
                lane.stop, lane.deadline = stop, now + self.limits.source_seconds
                self.memory.started[lane.question.id] = now
            return lane.question

    def _work(self, lane: _Lane) -> None:
        try:
            session = Session(self.databases)
            while question := self._next(lane, session.stop):
                answer = self._answer(question, session, lane)
                if isinstance(answer, str):
                    # The transaction of a failed query is aborted.
                    _close(session)
                    session = Session(self.databases)
                with self._lock:
                    lane.question = None
                self._done.put((lane, question, answer))
            _close(session)
        finally:
            self._done.put((lane, None, ""))

    def _answer(self, question: Question, session: Session, lane: _Lane) -> Observed | str:
        spec, watched = question.watched.spec, question.watched
        try:
            stamp = question.stamp()
            if isinstance(spec, UrlSource):
                observed = observe_file("", spec, self.databases.home)
            elif spec.watermark:
                observed = ask_watermark(session, spec)
            else:
                declared = watched.declared or [spec]
                observed = observe_rows(
                    watched.provider_id, declared, spec.name, self.databases, lane
                )
        except Exception as error:  # noqa: BLE001 - the reason is returned
            return masked(text_of(error)).partition("\n")[0]
        if not lane.abandoned:
            self.memory.answers[question.id] = Answer(time.time(), stamp, question.known, observed)
        return observed


def _close(session: Session) -> None:
    with suppress(Exception):  # nothing is written, so nothing is lost
        session.__exit__(None, None, None)
