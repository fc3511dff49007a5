"""Find the facts that decisions of a tick depend on: sources, trains, and runs of the instance.

One `FactFinder` belongs to one sensor and lives as long as the code location: it keeps what
observations have found, so that a source is not asked more often than its declaration allows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import dagster as dg

from xingu.automation.facts import Attempt, Decision, Facts, Outcome, State, Trained
from xingu.automation.history import current_and_newest, last_batch, trains_since_search
from xingu.automation.policy import Policy
from xingu.errors import text_of
from xingu.masking import masked
from xingu.records import BatchPartition, Observed
from xingu.sources import AssetSource, Memory, Watched, observe_sources, parse_sources
from xingu.sources.parameters import bind_partition
from xingu.sources.watermark import upstream_version
from xingu.tracking.query import check_results
from xingu.values import Key
from xingu.values.record import partition_key
from xingu.workspace import Workspace
from xingu_dagster.partitions import latest_partition
from xingu_dagster.phases.step import UNFINISHED
from xingu_dagster.phases.upstream import latest_data_versions
from xingu_dagster.spec import BATCH_SOURCES, TRAIN_SOURCES, ProviderSpec

TICK_SECONDS = 40
"""Largest budget of observations in a tick: Dagster ends a tick after 60 seconds."""
LONGEST = 63
"""Longest part of the key of a tag."""
SOURCE = tuple[str, str]
"""Id of a DataProvider, and name of one of its sources."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One DataProvider, as a sensor sees it.

    Attributes:
        spec: The DataProvider.
        policy: Its policy.
        keys: The assets that a run materializes.
        batch: Whether its batch is estimated; else it is trained.
    """

    spec: ProviderSpec
    policy: Policy
    keys: tuple[dg.AssetKey, ...]
    batch: bool = False

    @property
    def id(self) -> str:
        """Id of the DataProvider."""
        return self.spec.id

    @property
    def step_prefix(self) -> str:
        """First part of the names of its steps, which is unique in a code location."""
        return self.spec.op_prefix

    @property
    def pre_reqs(self) -> Sequence[str]:
        """Prerequisites that a run can train with it."""
        return () if self.batch else self.spec.pre_reqs

    @property
    def tag(self) -> str:
        """Tag of the runs that its policy has asked for; the value is the code version."""
        return f"xingu.{'batch' if self.batch else 'retrain'}/{self._short}"

    @property
    def change_tag(self) -> str:
        """Tag with the `Decision.change` that a run was asked for."""
        return f"xingu.change/{self._short}"

    @property
    def _short(self) -> str:
        """Name that Dagster accepts as the second part of a tag: at most 63 characters."""
        digest = blake2b(self.step_prefix.encode(), digest_size=6).hexdigest()
        name = self.step_prefix
        return name if len(name) <= LONGEST else f"{name[: LONGEST - 13]}-{digest}"

    @property
    def partitions(self) -> dg.PartitionsDefinition | None:
        """Partitions of the batch; None: it has none, or is not estimated."""
        return self.spec.batch_partitions if self.batch else None

    def batch_keys(self, partition: BatchPartition | None) -> list[Key]:
        """Return the keys, in the value store, of the estimations and of the raw assets."""
        raw = [("raw", part) for part in self.spec.batch_sources]
        keys = [self.spec.key("batch", *path) for path in (("estimations",), *raw)]
        return [partition_key(key, partition.key) for key in keys] if partition else keys

    def run_tags(self, change: str) -> dict[str, str]:
        """Return the tags by which later ticks recognize a run."""
        return {self.tag: self.spec.code_version, self.change_tag: change}

    def config(self, decision: Decision) -> dict[str, Any]:
        """Return the config of its steps in a run."""
        if self.batch:
            return {}
        given: dict[str, Any] = {}
        if decision.search:
            given["tune"] = {"hyperopt_strategy": "self"}
        if self.policy.then == "register":
            given |= {"fit": {"register_only": True}, "evaluate": {"register_only": True}}
        return {f"{self.step_prefix}__{phase}": {"config": one} for phase, one in given.items()}


class FactFinder:
    """Finds the facts of one tick after the other.

    Args:
        subjects: The DataProviders, prerequisites first.
    """

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.subjects = subjects
        self.now = datetime.min.replace(tzinfo=UTC)
        self._memory = Memory()

    def begin(self, workspace: Workspace, instance: dg.DagsterInstance, now: datetime) -> None:
        """Begin a tick: observe all sources, and list the runs that are not finished."""
        self.now, self._workspace, self._instance = now, workspace, instance
        self._runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
        # Once for the whole tick, in which a period may end.
        self._partitions = {
            one.id: latest_partition(one.partitions, instance) for one in self.subjects
        }
        self._trains = {one.id: self._earlier(one) for one in self.subjects}
        self._observed, self._failed = self._observe()

    def partition(self, subject: Subject) -> BatchPartition | None:
        """Return the latest partition, which is the one that is estimated; None: there is none."""
        return self._partitions[subject.id]

    def lacks_partition(self, subject: Subject) -> bool:
        """Return whether the batch has partitions, but none that could be estimated yet."""
        return subject.partitions is not None and self.partition(subject) is None

    def facts(self, subject: Subject, state: State, joined: Mapping[str, str]) -> Facts:
        """Return what is known about a DataProvider, without earlier runs.

        Args:
            subject: The DataProvider.
            state: State after the tick before.
            joined: Its prerequisites that this tick asks a run for, and their changes.

        Raises:
            XinguError: If storage or the control DB cannot be read.
        """
        found = self._trains[subject.id]
        if isinstance(found, Exception):
            raise found
        current, newest = found
        models = self._workspace.models
        needed = [subject.id] if subject.batch else subject.spec.pre_reqs
        return Facts(
            current=current,
            newest=newest,
            observed=self._of(subject, self._observed),
            unobserved=self._of(subject, self._failed),
            code_version=subject.spec.code_version,
            pre_reqs={name: models.current(name) for name in needed},
            joined=joined,
            busy=[name for name in needed if self._running(subject.spec.model_key(name))],
            running=self._running(self._product(subject)),
            drifted=self._drifted(subject, current),
            state=state,
        )

    def with_runs(self, subject: Subject, facts: Facts) -> Facts:
        """Return facts with the earlier runs that the policy has asked for."""
        limits = subject.policy.limits
        records = self._instance.get_run_records(
            dg.RunsFilter(tags={subject.tag: subject.spec.code_version}),
            limit=limits.per_day + limits.failures + 10,
        )
        since = None
        if subject.policy.how.search_every and not subject.batch:
            since = trains_since_search(self._workspace.models, subject.id)
        return replace(
            facts,
            attempts=[_attempt(one, subject.change_tag) for one in records],
            since_search=since,
        )

    # -- trains and runs ----------------------------------------------------------------------

    def _earlier(self, subject: Subject) -> tuple[Trained | None, Trained | None] | Exception:
        try:
            if not subject.batch:
                return current_and_newest(self._workspace.models, subject.id)
            estimations, *raw = subject.batch_keys(self.partition(subject))
            return last_batch(self._workspace.values, subject.id, estimations, raw), None
        except Exception as error:  # noqa: BLE001 - it is the reason of this DataProvider's skip
            return error

    @staticmethod
    def _product(subject: Subject) -> dg.AssetKey:
        path = ("batch", "estimations") if subject.batch else ("model",)
        return subject.spec.asset_key(*path)

    def _running(self, key: dg.AssetKey) -> str | None:
        """Return the run that materializes an asset, or waits to do so."""
        for run in self._runs:
            if run.asset_selection is not None and key in run.asset_selection:
                return run.run_id
        return None

    def _drifted(self, subject: Subject, current: Trained | None) -> list[str]:
        if not subject.policy.when.drift or current is None:
            return []
        results = check_results(self._workspace.control, subject.id, current.train_id)
        return sorted(name for (_, name), (passed, _) in results.items()
                      if name.endswith("_drift") and not passed)  # fmt: skip

    # -- sources ------------------------------------------------------------------------------

    def _observe(self) -> tuple[dict[SOURCE, Observed], dict[SOURCE, str]]:
        watched: dict[SOURCE, Watched] = {}
        before: dict[SOURCE, Observed] = {}
        observed: dict[SOURCE, Observed] = {}
        failed: dict[SOURCE, str] = {}
        for one in self.subjects:
            if one.policy.when.new_data is None or self.lacks_partition(one):
                continue
            known = self._trains[one.id]
            last = None if isinstance(known, Exception) else known[1] or known[0]
            try:
                for name, source in self._sources(one):
                    if isinstance(source, Observed):
                        observed[one.id, name] = source
                        continue
                    watched[one.id, name] = source
                    if last is not None and name in last.sources:
                        before[one.id, name] = last.sources[name]
            except Exception as error:  # noqa: BLE001 - hooks raise anything
                failed[one.id, "sources"] = masked(text_of(error)).partition("\n")[0]
        limits = self._workspace.observe_limits
        found = observe_sources(
            watched,
            self._workspace.databases,
            limits=replace(limits, round_seconds=min(limits.round_seconds, TICK_SECONDS)),
            memory=self._memory,
            before=before,
        )
        observed |= {name: one for name, one in found.items() if isinstance(one, Observed)}
        failed |= {name: one for name, one in found.items() if isinstance(one, str)}
        return observed, failed

    def _sources(self, subject: Subject) -> Iterator[tuple[str, Watched | Observed]]:
        """Yield what has to be observed, or the data version of what other assets make."""
        spec = subject.spec
        hook, attribute = BATCH_SOURCES if subject.batch else TRAIN_SOURCES
        # Read again: a hook may return other queries every day.
        declared = bind_partition(
            f"{spec.id}.{attribute}",
            parse_sources(spec.id, attribute, spec.read_declarations(hook, attribute)),
            self.partition(subject),
        )
        parts = spec.batch_sources if subject.batch else spec.train_sources
        part_of = {name: part for part, name in parts.items()}
        for one in declared:
            upstream = spec.upstream(part_of.get(one.name, one.name), batch=subject.batch)
            # As the record of a train: what other assets make is known by their data versions.
            if versions := latest_data_versions(self._instance, upstream.assets):
                yield one.name, upstream_version(versions)
            elif not isinstance(one, AssetSource):
                yield one.name, Watched(spec.id, one, declared)

    @staticmethod
    def _of(subject: Subject, found: Mapping[SOURCE, Any]) -> dict[str, Any]:
        return {name: one for (dp_id, name), one in found.items() if dp_id == subject.id}


def _attempt(record: dg.RunRecord, tag: str) -> Attempt:
    run = record.dagster_run
    outcome: Outcome = "running"
    if run.is_finished:
        outcome = "success" if run.is_success else "failure"
    ended = datetime.fromtimestamp(record.end_time, UTC) if record.end_time else None
    change = run.tags.get(tag, "")
    return Attempt(run.run_id, change, record.create_timestamp, ended, outcome)
