"""The running step of a phase: selected assets, values in memory and in storage, ids of the train.

A value is taken from the memory of the step, else from its run in storage, else it is the latest.
A value is stored before its materialization is yielded.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

import dagster as dg

from xingu.checks.check import AssetPath
from xingu.errors import CheckFailedError
from xingu.files.frames import Layout
from xingu.model import Model
from xingu.names import session_id_of, train_id_of
from xingu.options import InForce, RunOptions
from xingu.records import BatchPartition, TrainRun
from xingu.stages.builder import ProviderBuilder
from xingu.tracking.leases import Lease
from xingu.tracking.record import claim_session, claim_train, record_step
from xingu.values import Key, Label, Record, Stored, partition_key
from xingu_dagster.engine import memory
from xingu_dagster.metadata import Metadata, namespaced, uri_metadata
from xingu_dagster.options import USED_BY, options_by_phase, phase_of
from xingu_dagster.spec import ProviderSpec

logger = logging.getLogger(__name__)

READ_LATER = {("splits",), ("batch", "raw")}
"""Assets, or folders of assets, that later steps read."""

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


TRIGGERS = {
    "dagster/from_automation_condition": "automation",
    "dagster/schedule_name": "schedule",
    "dagster/sensor_name": "sensor",
    "dagster/backfill": "backfill",
    "dagster/from_ui": "ui",
}
"""Triggers of runs, by the tag that Dagster gives such a run; the first that is there counts."""


def trigger_of(tags: Mapping[str, str]) -> str:
    """Return the trigger of a run: an entry of `TRIGGERS`, ``coach`` or ``command``.

    Dagster's own tags count first: a re-execution from the UI inherits ours of the first run.
    """
    found = (trigger for tag, trigger in TRIGGERS.items() if tag in tags)
    return next(found, tags.get("xingu/trigger", "command"))


def timed(compute: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `compute` returns, and its duration in seconds."""
    started = time.perf_counter()
    value = compute()
    return value, time.perf_counter() - started


class PhaseStep:
    """One execution of one phase of one DataProvider.

    Attributes:
        context: Context of the running step.
        spec: The DataProvider.
        partition: The partition of the batch that it makes; None: there are none.
        workspace: Stores, databases and folders of the project.
        options_of: Options of the DataProvider in this run, with their origins, by phase.
        lease: The lease of the DataProvider, which the steps of a train hold; None: this is none.

    Raises:
        SettingsError: If an option of the run cannot be used.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        spec: ProviderSpec,
        partition: BatchPartition | None = None,
    ) -> None:
        self.context = context
        self.spec = spec
        self.partition = partition
        self.workspace = spec.workspace(context.resources)
        self.options_of = options_by_phase(
            context, self.workspace.options, spec.op_prefix, spec.resource.options_key
        )
        self.lease: Lease | None = None
        self._memory: dict[Key, Stored] = {}

    @cached_property
    def builder(self) -> ProviderBuilder:
        """The builder of this DataProvider, with prerequisites from the model storage."""
        place = self.workspace
        return ProviderBuilder(
            self.spec.cls, place.models.load, place.model_class, self.spec.checks
        )

    @cached_property
    def run_ids(self) -> list[str]:
        """This run, then the runs that it re-executes, nearest first."""
        run, ids = self.context.run, []
        while run is not None:
            ids.append(run.run_id)
            parent = run.parent_run_id
            run = self.context.instance.get_run_by_id(parent) if parent else None
        return ids

    @property
    def phase(self) -> str:
        """The name of the phase."""
        return phase_of(self.context.op_execution_context.op_def.name, self.spec.op_prefix)

    @property
    def options(self) -> RunOptions:
        """The options of this step."""
        return self.options_of[self.phase].values

    @property
    def used_options(self) -> InForce:
        """Value and origin of the options that this step uses, as a train records them."""
        return self.options_of[self.phase].used(*USED_BY[self.phase])

    def selected_in_run(self, *parts: str) -> bool:
        """Return whether this run makes an asset of the DataProvider, in any of its steps."""
        selected = self.context.run.asset_selection
        return not selected or self.spec.asset_key(*parts) in selected

    def selected(self, *parts: str) -> bool:
        """Return whether this asset was selected."""
        return self.spec.asset_key(*parts) in self.context.selected_asset_keys

    # -- values -------------------------------------------------------------------------------

    @property
    def suffix(self) -> str:
        """The partition, to be appended to the name of an asset in texts; empty: there is none."""
        return f" [{self.partition.key}]" if self.partition else ""

    def key(self, *parts: str) -> Key:
        """Return the key of an asset in the value store, of the partition if it has any."""
        key = self.spec.key(*parts)
        if self.partition is None or parts[0] != "batch":
            return key
        return partition_key(key, self.partition.key)

    def stored(self, *parts: str, value_id: str | None = None) -> Stored:
        """Return a value with its record, from memory or from storage."""
        key = self.key(*parts)
        if key not in self._memory:
            started = time.perf_counter()
            values = self.workspace.values
            value_id = value_id or values.find(key, self.run_ids)
            recalled = memory.recall(key, value_id) if value_id else None
            self._memory[key] = recalled or values.read(key, self.run_ids, value_id)
            seconds = time.perf_counter() - started
            logger.info("%s: loaded %s (%.2f s)", self.spec.id, "/".join(parts), seconds)
        return self._memory[key]

    def get(self, *parts: str) -> Any:
        """Return a value, from memory or from storage."""
        return self.stored(*parts).value

    def remembers(self, *parts: str) -> bool:
        """Return whether a value is in memory."""
        return self.key(*parts) in self._memory

    def forget(self, *parts: str) -> None:
        """Release a value that this step does not need any more."""
        self._memory.pop(self.key(*parts), None)

    def versions(self, *assets: Sequence[str]) -> list[str]:
        """Return the data versions of assets that this step has made or loaded."""
        return [self._memory[self.key(*parts)].record.data_version for parts in assets]

    def derived_version(self, *assets: Sequence[str], extra: Sequence[str] = ()) -> str:
        """Return a version that changes with the code and with the versions of `assets`."""
        parts = (self.spec.code_version, *self.versions(*assets), *extra)
        return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()

    def make(
        self,
        path: AssetPath,
        compute: Callable[[], Any],
        label: Label,
        describe: Callable[[Any], Metadata] = lambda _: {},
        layout: Layout = "fast",
    ) -> dg.MaterializeResult:
        """Compute a value, store it, and return its materialization.

        Args:
            path: The asset.
            compute: Computes the value.
            label: Data version and facts of the value.
            describe: Returns the metadata of the value.
            layout: ``open``: people read the files; ``fast``: only phases do.
        """
        value, seconds = timed(compute)
        return self.keep(path, value, label, seconds, describe(value), layout)

    def keep(
        self,
        path: AssetPath,
        value: Any,
        label: Label,
        seconds: float,
        metadata: Metadata,
        layout: Layout = "fast",
    ) -> dg.MaterializeResult:
        """Store a value that took `seconds` to compute; see `make`."""
        key = self.key(*path)
        if self.partition is not None:
            facts = label.facts.model_copy(update={"partition": self.partition.key})
            label = replace(label, facts=facts)
        started = time.perf_counter()
        record = self.write(key, value, label, layout)
        self._memory[key] = Stored(value, record)
        if READ_LATER & {path, path[:-1]}:
            memory.remember(key, record.value_id, self._memory[key])
        stored = time.perf_counter() - started
        name = "/".join(path) + self.suffix
        logger.info("%s: %s in %.2f s, stored in %.2f s", self.spec.id, name, seconds, stored)
        return dg.MaterializeResult(
            asset_key=self.spec.asset_key(*path),
            metadata=namespaced(metadata | self._storage_metadata(key, record, seconds) | metadata),
            data_version=dg.DataVersion(record.data_version),
        )

    def write(self, key: Key, value: Any, label: Label, layout: Layout = "fast") -> Record:
        """Store a value, and remove old values of `key`."""
        values = self.workspace.values
        record = values.write(key, self.context.run.run_id, value, label, layout)
        values.prune(key, lambda: self._busy_runs)
        return record

    def _storage_metadata(self, key: Key, record: Record, seconds: float) -> Metadata:
        place = self.workspace.values.folder(key) / record.value_id
        return {
            "seconds": round(seconds, 3),
            "bytes": record.bytes,
            "path": dg.MetadataValue.path(str(place)),
            **uri_metadata(place),
        }

    @cached_property
    def _busy_runs(self) -> list[str]:
        filters = dg.RunsFilter(statuses=UNFINISHED)
        return [run.run_id for run in self.context.instance.get_runs(filters)]

    # -- trains -------------------------------------------------------------------------------

    @cached_property
    def train_run(self) -> TrainRun:
        """The ids of the train of this run; every process of the run gets the same ones."""
        place, run, dp_id = self.workspace, self.context.run, self.spec.id
        root = run.root_run_id or run.run_id
        session = self.options.train_session_id or claim_session(
            place.control, root, session_id_of(root)
        )
        proposed = TrainRun(dp_id, train_id_of(root, dp_id), session, run.run_id)
        train_id = claim_train(
            place.control, proposed, root, lambda name: place.models.has(dp_id, name)
        )
        self.tag_run(train_id, {"xingu/session": session})
        return replace(proposed, train_id=train_id)

    def tag_run(self, train_id: str, tags: Mapping[str, str] | None = None) -> None:
        """Tag the run with its trigger and with a train of this DataProvider, for the UI."""
        run = self.context.run
        own = {
            "xingu/trigger": trigger_of(run.tags),
            f"xingu/train/{self.spec.op_prefix}": train_id,
        }
        self.context.instance.add_run_tags(run.run_id, {**own, **(tags or {})})

    @contextmanager
    def recorded(self, part: str, run: TrainRun | None = None) -> Iterator[None]:
        """Record that a part of a train begins, and ends unless the block raises."""
        control, train = self.workspace.control, run or self.train_run
        record_step(control, train, f"{part}_start")
        yield
        record_step(control, train, f"{part}_end")

    def current_train(self, dp_id: str, preferred: Sequence[str] = ()) -> str:
        """Return the train of a DataProvider that this run uses.

        It is the train of this run, unless another one is pinned; else the current one.

        Args:
            dp_id: Id of the DataProvider.
            preferred: Train or session ids; the first that it has wins over the current one.

        Raises:
            UntrainedModelError: If no train is current.
            CheckFailedError: If the train of this run was refused.
        """
        models = self.workspace.models
        key = tuple(self.spec.model_key(dp_id).path)
        record = self.workspace.values.record(key, self.run_ids)
        own = record.facts.train_id if record and record.run_id in self.run_ids else None
        pin = models.pin_of(dp_id)
        if own is None or (pin is not None and pin.train_id != own):
            found = models.find(dp_id, preferred=preferred)
            if own is not None:
                logger.warning("%s: uses the train %s, not %s of this run, because of a pin",
                               dp_id, found, own)  # fmt: skip
            return found
        verdict = models.ledger(dp_id).verdict(own, models.manifest(dp_id, own).trained)
        if verdict is not None and verdict.action == "refuse":
            raise CheckFailedError(
                f"{self.spec.id}: the train {own} of {dp_id} was refused in this run "
                f"({verdict.reason}), so nothing is made with it. To use the current train, "
                f"materialize the same assets without {'/'.join(key)}.",
                dataprovider_id=dp_id,
                train_id=own,
            )
        return own

    def model(self, train_id: str) -> Model:
        """Return this DataProvider's Model of a train."""
        return self.workspace.models.load(self.spec.id, train_id)
