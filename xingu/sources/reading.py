"""Read the sources of a DataProvider: groups sequentially, everything else in parallel.

A job is a group, or one source without a group. A job runs in one thread, on one connection per
database, and is either read completely from the cache or completely from its sources.
"""

import logging
import os
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Protocol

import pandas as pd

from xingu.errors import DeclarationError, SourceError, did_you_mean
from xingu.records import Observed
from xingu.sources.addresses import local_path, location
from xingu.sources.cache import SourceCache, cache_key
from xingu.sources.databases import Databases
from xingu.sources.files import observe_file, read_file
from xingu.sources.retrying import retried
from xingu.sources.session import Session, named_source
from xingu.sources.spec import AssetSource, ExternalSource, SourceSpec, SqlSource, UrlSource
from xingu.sources.watermark import ask_watermark, note_of, observed_of, observed_rows

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceResult:
    """The frame of one source."""

    name: str
    frame: pd.DataFrame
    seconds: float
    """Duration of reading it, from the cache or from the source."""
    cached: bool
    observed: Observed = field(default_factory=lambda: Observed(""))
    """Result of an observation just before the source was read."""


@dataclass(slots=True)
class _Job:
    """The members of a group up to the last requested one, and the names of the requested ones."""

    specs: list[ExternalSource] = field(default_factory=list)
    requested: set[str] = field(default_factory=set)


class _Reader:
    """Runs the jobs of one DataProvider until one fails."""

    def __init__(self, provider_id: str, databases: Databases, cache: SourceCache) -> None:
        self._provider_id = provider_id
        self._databases = databases
        self._cache = cache
        self._stopped = Event()
        self._sessions: set[Session] = set()

    def run(self, job: _Job) -> dict[str, SourceResult]:
        """Return the requested results by name; a job whose connection drops is run again."""
        what = f"{self._provider_id}: reading {', '.join(sorted(job.requested))}"
        return retried(lambda: self.run_once(job), what, stopped=self._stopped)

    def run_once(self, job: _Job) -> dict[str, SourceResult]:
        """Return the requested results by name."""
        with Session(self._databases) as session:
            self._sessions.add(session)
            try:
                return self._run(job, session)
            finally:
                self._sessions.discard(session)

    def _run(self, job: _Job, session: Session) -> dict[str, SourceResult]:
        marks = self._watermarks(job, session)
        keys = self._keys(job, marks) if self._cache.active else {}
        found = self._cached(keys, warn=False)
        if found is not None:
            return found
        with self._cache.locked(list(keys.values()), lambda: self._log_waiting(job)):
            # Another process may have stored them in the meantime.
            return self._cached(keys, warn=True) or self._fetch(job, session, marks, keys)

    def stop(self) -> None:
        """Cancel the running jobs in the background; drivers without support finish their query."""
        self._stopped.set()
        for session in list(self._sessions):
            session.stop()

    def _watermarks(self, job: _Job, session: Session) -> dict[str, Observed]:
        """Return what the watermarks say before any row is read.

        A change between the watermark and the query is in the rows, and the next observation
        differs from the recorded one: it causes one train too many, never one too few.
        """
        marks: dict[str, Observed] = {}
        for spec in job.specs:
            if isinstance(spec, SqlSource) and spec.watermark and spec.name in job.requested:
                with self._named(spec):
                    marks[spec.name] = ask_watermark(session, spec)
        return marks

    def _keys(self, job: _Job, marks: Mapping[str, Observed]) -> dict[str, str | None]:
        """Return the cache key of each requested member; it includes the members before it."""
        keys: dict[str, str | None] = {}
        parts: list[Any] = []
        for spec in job.specs:
            mark = marks[spec.name].version if spec.name in marks else ""
            versions = [version for version in (spec.version, mark) if version]
            parts.append(self._key_parts(spec) + versions)
            if spec.name in job.requested:
                keys[spec.name] = cache_key(parts)
        return keys

    def _key_parts(self, spec: ExternalSource) -> list[Any]:
        if isinstance(spec, SqlSource):
            bound = [sorted(spec.parameters.items())] if spec.parameters else []
            return ["sql", self._databases.identity(spec.database), spec.query, *bound]
        home = self._databases.home
        path = local_path(spec.url, home)
        # The version of a local file is cheap to get; that of a remote one is not.
        version = observe_file(self._provider_id, spec, home).version if path else ""
        address = str(path) if path else location(spec.url)
        return ["url 2", address, version, spec.format, spec.compression, spec.params]

    def _cached(self, keys: dict[str, str | None], *, warn: bool) -> dict[str, SourceResult] | None:
        if not keys or not self._cache.has_all(keys.values()):
            return None
        results: dict[str, SourceResult] = {}
        for name, key in keys.items():
            started = time.perf_counter()
            entry = self._cache.load(key, warn=warn) if key else None
            if entry is None:
                return None
            seconds, observed = time.perf_counter() - started, observed_of(entry.note)
            results[name] = SourceResult(name, entry.frame, seconds, True, observed)
        for result in results.values():
            self._log("%s: took %s from the cache, %d rows × %d columns in %.2f s", result)
        return results

    def _fetch(
        self,
        job: _Job,
        session: Session,
        marks: Mapping[str, Observed],
        keys: dict[str, str | None],
    ) -> dict[str, SourceResult]:
        results: dict[str, SourceResult] = {}
        for spec in job.specs:
            if self._stopped.is_set():
                break
            started = time.perf_counter()
            frame, observed = self._read(spec, session)
            seconds = time.perf_counter() - started
            if spec.name in job.requested:
                observed = marks.get(spec.name) or observed or observed_rows(frame)
            result = SourceResult(spec.name, frame, seconds, False, observed or Observed(""))
            self._log("%s: read %s, %d rows × %d columns in %.2f s", result)
            self._warn_of_doubled(spec, frame)
            if spec.name in job.requested:
                results[spec.name] = result
                self._store(spec, result, keys)
        return results

    def _read(self, spec: ExternalSource, session: Session) -> tuple[pd.DataFrame, Observed | None]:
        """Return the rows, and of a file its version."""
        if isinstance(spec, UrlSource):
            return read_file(self._provider_id, spec, self._databases.home)
        with self._named(spec):
            if self._stopped.is_set():
                raise SourceError("another source has failed")
            return session.query(spec.database, spec.query, spec.parameters), None

    @contextmanager
    def _named(self, spec: ExternalSource) -> Iterator[None]:
        """Name DataProvider and source in errors."""
        with named_source(self._provider_id, spec.name):
            yield

    def _store(
        self, spec: ExternalSource, result: SourceResult, keys: dict[str, str | None]
    ) -> None:
        if spec.name not in keys:
            return
        label = f"{self._provider_id}: source {spec.name!r}"
        key = keys[spec.name]
        if key is None:
            logger.warning("%s is not cached: its `params` hold code or objects", label)
        elif len(result.frame.columns) or spec.group:
            # A single statement without rows is run for its side effects, so it is never cached.
            self._cache.store(key, result.frame, label, note_of(result.observed))

    def _warn_of_doubled(self, spec: ExternalSource, frame: pd.DataFrame) -> None:
        if not frame.columns.is_unique:
            logger.warning(
                "%s: source %r has two columns called %s; rename one, for example in the query.",
                self._provider_id,
                spec.name,
                ", ".join(map(repr, frame.columns[frame.columns.duplicated()].unique())),
            )

    def _log(self, message: str, result: SourceResult) -> None:
        logger.info(message, self._provider_id, result.name, *result.frame.shape, result.seconds)

    def _log_waiting(self, job: _Job) -> None:
        names = ", ".join(sorted(job.requested))
        logger.info("%s: waiting for another process that reads %s", self._provider_id, names)


def read_sources(
    provider_id: str,
    specs: Sequence[SourceSpec],
    databases: Databases,
    cache: SourceCache,
    *,
    names: Collection[str] | None = None,
    max_workers: int = 0,
) -> Generator[SourceResult, None, None]:
    """Read sources and yield their results in the declared order.

    Members of a group run in the declared order on one connection; groups run in parallel. The
    first error of any source cancels the others, and so does closing the generator: a consumer that
    may raise between two results must close it, or threads wait for ever.

    Args:
        provider_id: Id of the DataProvider, for errors and the log.
        specs: All sources of the declaration.
        databases: Databases by nickname.
        cache: Cache of results.
        names: Sources to yield; earlier members of their groups run as well. None: all.
        max_workers: Maximum number of concurrent jobs; 0: number of cores.

    Raises:
        DeclarationError: If one of `names` is not declared.
        SourceError: If a source cannot be read, or is a Dagster asset.
    """
    jobs = _plan(provider_id, specs, names)
    if not jobs:
        return
    reader = _Reader(provider_id, databases, cache)
    workers = min(max_workers or os.cpu_count() or 1, len(jobs))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="xingu-source")
    try:
        job_of: dict[str, Future[dict[str, SourceResult]]] = {}
        for job in jobs:
            job_of |= dict.fromkeys(job.requested, pool.submit(reader.run, job))
        for spec in specs:
            if spec.name in job_of:
                yield _await(job_of[spec.name], job_of.values()).pop(spec.name)
    except BaseException:  # also GeneratorExit, if the consumer stops early
        reader.stop()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Stoppable(Protocol):
    """Whose `stop` another thread calls to cancel what runs."""

    stop: Callable[[], None]


def observe_rows(
    provider_id: str,
    declared: Sequence[SourceSpec],
    name: str,
    databases: Databases,
    stoppable: Stoppable,
) -> Observed:
    """Read the rows of one source, and return the observation that they mean.

    Args:
        provider_id: Id of the DataProvider, for errors.
        declared: All sources of the declaration.
        name: The source.
        databases: Databases by nickname.
        stoppable: Receives the function that cancels the queries.

    Raises:
        SourceError: If it cannot be read.
    """
    reader = _Reader(provider_id, databases, SourceCache(None))
    stoppable.stop = reader.stop
    (job,) = _plan(provider_id, declared, [name])
    return reader.run_once(job)[name].observed


def _plan(
    provider_id: str, specs: Sequence[SourceSpec], names: Collection[str] | None
) -> list[_Job]:
    known = [spec.name for spec in specs]
    requested = set(known if names is None else names)
    for name in sorted(requested.difference(known)):
        raise DeclarationError(
            f"{provider_id}: there is no source {name!r}; declared: {', '.join(known)}."
            f"{did_you_mean(name, known)}",
            dataprovider_id=provider_id,
            source=name,
        )
    jobs: dict[Any, _Job] = {}
    for spec in specs:
        if isinstance(spec, AssetSource):
            if spec.name in requested:
                raise SourceError(
                    f"{provider_id}: source {spec.name!r} is the Dagster asset {spec.label}, which "
                    "is loaded in runs of Dagster only; materialize the assets that need it.",
                    dataprovider_id=provider_id,
                    source=spec.name,
                )
            continue
        # The name of a group is a string, so a tuple never equals one.
        job = jobs.setdefault(spec.group if spec.group is not None else (spec.name,), _Job())
        job.specs.append(spec)
        if spec.name in requested:
            job.requested.add(spec.name)
    for job in jobs.values():
        while job.specs and job.specs[-1].name not in job.requested:
            job.specs.pop()
    return [job for job in jobs.values() if job.requested]


def _await(
    mine: Future[dict[str, SourceResult]], others: Collection[Future[dict[str, SourceResult]]]
) -> dict[str, SourceResult]:
    """Return the result of `mine`, or raise the first error of any of `others`."""
    pending = set(others)
    while True:
        for future in others:
            if future.done() and future.exception():
                future.result()
        if mine.done():
            return mine.result()
        pending = wait(pending, return_when=FIRST_COMPLETED).not_done
