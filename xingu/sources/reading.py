"""Read the sources of a DataProvider: groups in order, everything else side by side.

Its one idea: a job is a group, or one source without a group; a job runs in one thread, on one
connection for each database that it names, and is either wholly in the cache or wholly read.
"""

import hashlib
import logging
import os
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import pandas as pd

from xingu.errors import DeclarationError, SourceError, XinguError, did_you_mean
from xingu.sources.cache import SourceCache, cache_key
from xingu.sources.databases import Connection, Databases
from xingu.sources.digest import frame_digest
from xingu.sources.files import file_version, local_path, read_file
from xingu.sources.secrets import without_secrets
from xingu.sources.spec import SourceSpec, SqlSource, UrlSource

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What one source gave."""

    name: str
    frame: pd.DataFrame
    seconds: float
    """How long it took, from the cache or not."""
    cached: bool


@dataclass(slots=True)
class _Job:
    """The members of a group up to the last wanted one, and which of them are wanted."""

    specs: list[SourceSpec] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)


class _Reader:
    """Runs jobs for one DataProvider, until one fails."""

    def __init__(self, provider_id: str, databases: Databases, cache: SourceCache) -> None:
        self._provider_id = provider_id
        self._databases = databases
        self._cache = cache
        self._stopped = Event()
        self._connections: set[Connection] = set()

    def run(self, job: _Job) -> dict[str, SourceResult]:
        """Return the wanted results by name."""
        keys = self._keys(job) if self._cache.active else {}
        found = self._cached(keys)
        if found is not None:
            return found
        with self._cache.locked(list(keys.values()), lambda: self._say_waiting(job)):
            # Meanwhile another process may have read them.
            return self._cached(keys) or self._fetch(job, keys)

    def stop(self) -> None:
        """End the running jobs as soon as their drivers can; waits for none."""
        self._stopped.set()
        Thread(target=self._cancel, name="xingu-cancel", daemon=True).start()

    def _cancel(self) -> None:
        # A query that is just about to begin does not hear it the first time.
        while self._connections:
            for connection in list(self._connections):
                connection.cancel()
            time.sleep(0.2)

    def _keys(self, job: _Job) -> dict[str, str | None]:
        """Return the cache key of each wanted member; what came before it is part of it."""
        keys: dict[str, str | None] = {}
        texts: list[Any] = []
        for spec in job.specs:
            texts.append(self._text(spec))
            if spec.name in job.wanted:
                keys[spec.name] = cache_key(texts)
        return keys

    def _text(self, spec: SourceSpec) -> list[Any]:
        if isinstance(spec, SqlSource):
            return ["sql", self._databases.identity(spec.database), spec.query]
        home = self._databases.home
        place = local_path(spec.url, home)
        # A local file is there to ask: an edited one must not be taken for the old one.
        version = file_version(self._provider_id, spec, home) if place else ""
        address = str(place or without_secrets(spec.url))
        return ["url", address, version, spec.format, spec.params]

    def _cached(self, keys: dict[str, str | None]) -> dict[str, SourceResult] | None:
        if not keys or not self._cache.may_have(keys.values()):
            return None
        results: dict[str, SourceResult] = {}
        for name, key in keys.items():
            started = time.perf_counter()
            frame = self._cache.load(key) if key else None
            if frame is None:
                return None
            results[name] = SourceResult(name, frame, time.perf_counter() - started, cached=True)
        for result in results.values():
            self._log("%s: took %s from the cache, %d rows × %d columns in %.2f s", result)
        return results

    def _fetch(self, job: _Job, keys: dict[str, str | None]) -> dict[str, SourceResult]:
        results: dict[str, SourceResult] = {}
        with ExitStack() as stack:
            open_: dict[str, Connection] = {}
            for spec in job.specs:
                if self._stopped.is_set():
                    break
                started = time.perf_counter()
                frame = self._read(spec, open_, stack)
                result = SourceResult(spec.name, frame, time.perf_counter() - started, cached=False)
                self._log("%s: read %s, %d rows × %d columns in %.2f s", result)
                if spec.name in job.wanted:
                    results[spec.name] = result
                    self._keep(spec, frame, keys)
        return results

    def _read(
        self, spec: SourceSpec, open_: dict[str, Connection], stack: ExitStack
    ) -> pd.DataFrame:
        if isinstance(spec, UrlSource):
            return read_file(self._provider_id, spec, self._databases.home)
        try:
            if spec.database not in open_:
                connection = stack.enter_context(self._databases.connect(spec.database))
                open_[spec.database] = connection
                self._connections.add(connection)
                stack.callback(self._connections.discard, connection)
            if self._stopped.is_set():
                raise SourceError("another source has failed")
            return open_[spec.database].query(spec.query)
        except XinguError as error:
            facts = {**error.facts, "dataprovider_id": self._provider_id, "source": spec.name}
            raise type(error)(
                f"{self._provider_id}: source {spec.name!r}: {error}", **facts
            ) from None

    def _keep(self, spec: SourceSpec, frame: pd.DataFrame, keys: dict[str, str | None]) -> None:
        if spec.name not in keys:
            return
        label = f"{self._provider_id}: source {spec.name!r}"
        key = keys[spec.name]
        if key is None:
            logger.warning("%s is not cached: its `params` hold code or objects", label)
        elif len(frame.columns) or spec.group:
            # Alone, a statement without rows is there for what it does: it runs every time.
            self._cache.store(key, frame, label)

    def _log(self, text: str, result: SourceResult) -> None:
        logger.info(text, self._provider_id, result.name, *result.frame.shape, result.seconds)

    def _say_waiting(self, job: _Job) -> None:
        names = ", ".join(sorted(job.wanted))
        logger.info("%s: waiting for another process that reads %s", self._provider_id, names)


def read_sources(
    provider_id: str,
    specs: Sequence[SourceSpec],
    databases: Databases,
    cache: SourceCache,
    *,
    names: Collection[str] | None = None,
    max_workers: int = 0,
) -> Iterator[SourceResult]:
    """Read sources and yield them in the declared order, each as soon as its turn has come.

    Members of a group run in the declared order on one connection, groups run in parallel. The
    first error of any of them ends all.

    Args:
        provider_id: Id of the DataProvider, for messages and the log.
        specs: All sources of the declaration.
        databases: Databases by nickname.
        cache: Where results are kept.
        names: Yield only these; the earlier members of their groups run as well. None: all.
        max_workers: Jobs at once; 0: as many as cores.

    Raises:
        DeclarationError: If one of `names` is not declared.
        SourceError: If a source cannot be had.
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
            job_of |= dict.fromkeys(job.wanted, pool.submit(reader.run, job))
        for spec in specs:
            if spec.name in job_of:
                yield _await(job_of[spec.name], job_of.values()).pop(spec.name)
    except BaseException:  # also a consumer that has enough
        reader.stop()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def observe_source(
    provider_id: str,
    spec: SourceSpec,
    databases: Databases,
    *,
    declared: Sequence[SourceSpec] = (),
) -> str:
    """Return a version of the outside data that changes when the data may have changed.

    A database in a file is asked for its size and time, an address for what its server says of
    it; other databases run the query, and the version is a digest of the result.

    Args:
        provider_id: Id of the DataProvider, for messages.
        spec: The source.
        databases: Databases by nickname.
        declared: All sources of the declaration, for a query that needs what the earlier members
            of its group do.

    Raises:
        SourceError: If the data cannot be had.
    """
    if isinstance(spec, UrlSource):
        facts = [file_version(provider_id, spec, databases.home)]
    else:
        databases.check(provider_id, "sources", [spec])
        facts = [databases.identity(spec.database), spec.query]
        file = databases.file(spec.database)
        if file is not None and file.is_file():
            facts += [_stamp(one) for one in (file, _log_of(file, "-wal"), _log_of(file, ".wal"))]
        else:
            everything = declared or [spec]
            read = read_sources(
                provider_id, everything, databases, SourceCache(None), names=[spec.name]
            )
            facts += [frame_digest(result.frame) for result in read]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _plan(
    provider_id: str, specs: Sequence[SourceSpec], names: Collection[str] | None
) -> list[_Job]:
    known = [spec.name for spec in specs]
    wanted = set(known if names is None else names)
    for name in sorted(wanted.difference(known)):
        raise DeclarationError(
            f"{provider_id}: there is no source {name!r}; declared: {', '.join(known)}."
            f"{did_you_mean(name, known)}",
            dataprovider_id=provider_id,
            source=name,
        )
    jobs: dict[Any, _Job] = {}
    for spec in specs:
        # A group is a text, so a tuple can never be the name of one.
        job = jobs.setdefault(spec.group if spec.group is not None else (spec.name,), _Job())
        job.specs.append(spec)
        if spec.name in wanted:
            job.wanted.add(spec.name)
    for job in jobs.values():
        while job.specs and job.specs[-1].name not in job.wanted:
            job.specs.pop()
    return [job for job in jobs.values() if job.wanted]


def _await(
    mine: Future[dict[str, SourceResult]], others: Collection[Future[dict[str, SourceResult]]]
) -> dict[str, SourceResult]:
    """Return the result of `mine`, or raise the first error of any of `others` before it."""
    pending = set(others)
    while True:
        for future in others:
            if future.done() and future.exception():
                future.result()
        if mine.done():
            return mine.result()
        pending = wait(pending, return_when=FIRST_COMPLETED).not_done


def _log_of(file: Any, ending: str) -> Any:
    return file.with_name(file.name + ending)


def _stamp(file: Any) -> str:
    try:
        status = file.stat()
    except FileNotFoundError:
        return "none"
    except OSError as error:
        raise SourceError(f"{file} cannot be looked at: {error}; check its permissions.") from error
    return f"{status.st_size} {status.st_mtime_ns}"
