"""The questions of observations, without repetitions, and answers of earlier rounds."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TypeVar
from urllib.parse import urlsplit

from xingu.errors import XinguError, text_of
from xingu.records import Observed
from xingu.sources.addresses import local_path, location
from xingu.sources.cache import cache_key
from xingu.sources.databases import Databases
from xingu.sources.spec import AssetSource, ExternalSource, SourceSpec, SqlSource, UrlSource

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Watched:
    """One source of one DataProvider that is observed.

    Attributes:
        provider_id: Id of the DataProvider.
        spec: The source.
        declared: All sources of the declaration: a query without watermark may need the earlier
            members of its group.
    """

    provider_id: str
    spec: ExternalSource
    declared: Sequence[SourceSpec] = ()


@dataclass(slots=True)
class Question:
    """A question that is asked once for all sources that share it.

    Attributes:
        id: Hash of what decides the answer.
        place: Database or server that is asked.
        watched: One of the sources.
        seconds: Least time between two observations, in seconds.
        stamp: Returns size and time of the files of the database, if the answer follows from them.
        known: Versions that the callers compare the answer with.
    """

    id: str
    place: str
    watched: Watched
    seconds: float
    stamp: Callable[[], str | None]
    known: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """An observation of an earlier round.

    Attributes:
        time: Seconds since the epoch.
        stamp: Stamp of the files of the database before the question.
        known: Versions that the callers compared it with.
        observed: The observation.
    """

    time: float
    stamp: str | None
    known: frozenset[str]
    observed: Observed


@dataclass(slots=True)
class Memory:
    """Answers of earlier rounds in this process, by id of the question.

    Attributes:
        answers: The latest answers.
        started: When each question was asked last, in seconds of the monotonic clock.
        hanging: Threads that were left behind, and since when.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    hanging: dict[str, tuple[float, Thread]] = field(default_factory=dict)

    def answer_of(self, question: Question) -> Observed | None:
        """Return the answer of an earlier round, if it need not be asked again.

        An answer that differs from what a later train has read is older than that train, and is
        asked again.
        """
        found = self.answers.get(question.id)
        if found is None or question.known - found.known - {found.observed.version}:
            return None
        if 0 <= time.time() - found.time < question.seconds:
            return found.observed
        same = found.stamp is not None and found.stamp == question.stamp()
        return found.observed if same else None

    def hangs(self, question: Question) -> str | None:
        """Return the reason not to ask, if the thread of an earlier round has not ended."""
        if question.id not in self.hanging:
            return None
        since, thread = self.hanging[question.id]
        if thread.is_alive():
            waited = time.monotonic() - since
            return f"not asked again: the question that was given up {waited:.0f} s ago still hangs"
        del self.hanging[question.id]
        return None


def questions_of(
    watched: Mapping[Name, Watched], databases: Databases
) -> tuple[dict[str, list[Name]], list[Question], dict[Name, str]]:
    """Return what has to be asked.

    Returns:
        The names of the sources by id of their question, the questions, and the reasons of the
        sources whose database is unknown or malformed, by name.
    """
    names: dict[str, list[Name]] = {}
    found: dict[str, Question] = {}
    failed: dict[Name, str] = {}
    for name, one in watched.items():
        try:
            question = _question(repr(name), one, databases)
        except XinguError as error:
            failed[name] = text_of(error)
            continue
        first = found.setdefault(question.id, question)
        first.seconds = min(first.seconds, question.seconds)
        names.setdefault(question.id, []).append(name)
    return names, list(found.values()), failed


def _question(name: str, watched: Watched, databases: Databases) -> Question:
    spec = watched.spec
    stamp: Callable[[], str | None] = _no_stamp
    if isinstance(spec, UrlSource):
        place, parts = _file_parts(spec, databases.home)
    else:
        databases.check(watched.provider_id, "sources", [spec])
        place = databases.identity(spec.database)
        parts = ["watermark", place, spec.watermark, _values(spec)]
        if not spec.watermark:
            parts = ["rows", *_query_parts(watched, databases)]
            file = databases.file(spec.database)
            if file is not None and spec.group is None:
                stamp = _Stamp(file)
    # Options with code or objects cannot be compared; nothing is shared then.
    key = cache_key(parts) or cache_key([name])
    return Question(key or name, place, watched, spec.observe_seconds, stamp)


def _file_parts(spec: UrlSource, home: Path) -> tuple[str, list[object]]:
    storage = spec.params.get("storage_options") or {}
    path = local_path(spec.url, home)
    if path is not None:
        return "local files", ["file", str(path), storage]
    parts = urlsplit(spec.url)
    return f"{parts.scheme}://{parts.hostname}", ["file", location(spec.url), storage]


def _query_parts(watched: Watched, databases: Databases) -> list[object]:
    """Return the queries whose results decide the rows: those of the group up to the source."""
    spec, parts = watched.spec, list[object]()
    members = [
        one
        for one in (watched.declared if spec.group is not None else ())
        if one.group == spec.group and not isinstance(one, AssetSource)
    ]
    names = [one.name for one in members]
    for one in members[: names.index(spec.name) + 1] if spec.name in names else [spec]:
        if isinstance(one, SqlSource):
            parts.append([databases.identity(one.database), one.query, _values(one)])
        else:
            parts.append([location(one.url), one.params])
    return parts


def _values(spec: SqlSource) -> str:
    return repr(sorted(spec.parameters.items()))


def _no_stamp() -> None:
    return None


@dataclass(frozen=True, slots=True)
class _Stamp:
    """Size and time of a database file and its logs; None without the file."""

    file: Path

    def __call__(self) -> str | None:
        stamps: list[str] = []
        for ending in ("", "-wal", ".wal"):
            try:
                status = self.file.with_name(self.file.name + ending).stat()
            except OSError:
                stamps.append("none")
            else:
                stamps.append(f"{status.st_size} {status.st_mtime_ns}")
        return None if stamps[0] == "none" else " ".join(stamps)
