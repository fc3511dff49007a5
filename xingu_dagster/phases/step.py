"""The running step of a phase: which assets were asked for, where values come from and go to.

Its one idea: a value is taken from this step's memory, else from what this run stored, else from
the latest; whatever is made is stored before it is announced. Phases only say what is made of what.
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

from xingu.identity import session_id_of, train_id_of
from xingu.inventory.recording import claim_session, claim_train, record_step
from xingu.model import Model, TrainRun
from xingu.stages.builder import ProviderBuilder
from xingu.storage.frames import Layout
from xingu.storage.values import Key, Label, Record, Stored
from xingu_dagster.engine import memory
from xingu_dagster.metadata import Metadata
from xingu_dagster.resources import Workplace
from xingu_dagster.translator import XinguTranslator

logger = logging.getLogger(__name__)

READ_LATER = {("splits",), ("batch", "raw")}
"""Assets, or folders of assets, that steps after the one that makes them read."""

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


class PhaseStep:
    """One execution of one phase of one DataProvider."""

    def __init__(self, context: dg.AssetExecutionContext, names: XinguTranslator) -> None:
        self.context = context
        self.names = names
        self.workplace: Workplace = context.resources.xingu
        self._memory: dict[Key, Stored] = {}

    @cached_property
    def builder(self) -> ProviderBuilder:
        """How this DataProvider is made, with its prerequisites from the model storage."""
        return ProviderBuilder(self.names.cls, self.workplace.models.load)

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
    def config(self) -> Mapping[str, Any]:
        """What was chosen for this run."""
        return self.context.op_execution_context.op_config or {}

    def selected(self, *parts: str) -> bool:
        """Return whether this asset was asked for."""
        return self.names.asset_key(*parts) in self.context.selected_asset_keys

    # -- values -------------------------------------------------------------------------------

    def stored(self, *parts: str, value_id: str | None = None) -> Stored:
        """Return a value with its record, from memory or from storage."""
        key = self.names.key(*parts)
        if key not in self._memory:
            started = time.perf_counter()
            values = self.workplace.values
            value_id = value_id or values.find(key, self.run_ids)
            recalled = memory.recall(key, value_id) if value_id else None
            self._memory[key] = recalled or values.read(key, self.run_ids, value_id)
            seconds = time.perf_counter() - started
            logger.info("%s: loaded %s (%.2f s)", self.names.id, "/".join(parts), seconds)
        return self._memory[key]

    def get(self, *parts: str) -> Any:
        """Return a value, from memory or from storage."""
        return self.stored(*parts).value

    def remembers(self, *parts: str) -> bool:
        """Return whether a value is in memory."""
        return self.names.key(*parts) in self._memory

    def forget(self, *parts: str) -> None:
        """Let go of a value that nothing in this step needs any more."""
        self._memory.pop(self.names.key(*parts), None)

    def versions(self, *assets: Sequence[str]) -> list[str]:
        """Return the data versions of assets that this step has made or loaded."""
        return [self._memory[self.names.key(*parts)].record.data_version for parts in assets]

    def derived_version(self, *assets: Sequence[str], extra: Sequence[str] = ()) -> str:
        """Return a version that changes with the code and with the versions of `assets`."""
        parts = (self.names.code_version, *self.versions(*assets), *extra)
        return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()

    def make(
        self,
        parts: Sequence[str],
        by: Callable[[], Any],
        *,
        version: str | None = None,
        describe: Callable[[Any], Metadata] = lambda _: {},
        facts: Mapping[str, Any] | None = None,
        layout: Layout = "fast",
    ) -> dg.MaterializeResult:
        """Compute a value, store it and announce it.

        Args:
            parts: The asset.
            by: Computes the value.
            version: The data version; None: that of the content.
            describe: Gives the metadata of the value.
            facts: What is recorded with the value for later steps.
            layout: ``open``: people open it; ``fast``: only phases read it.
        """
        started = time.perf_counter()
        value = by()
        seconds = time.perf_counter() - started
        label = Label(version, facts or {})
        return self.keep(parts, value, label, seconds, describe(value), layout)

    def keep(
        self,
        parts: Sequence[str],
        value: Any,
        label: Label,
        seconds: float,
        metadata: Metadata,
        layout: Layout = "fast",
    ) -> dg.MaterializeResult:
        """Store a value that took `seconds` to make, and announce it; see `make`."""
        key = self.names.key(*parts)
        started = time.perf_counter()
        run_id = self.context.run.run_id
        record = self.workplace.values.write(key, run_id, value, label, layout)
        self._memory[key] = Stored(value, record)
        if tuple(parts[:-1]) in READ_LATER or tuple(parts) in READ_LATER:
            memory.remember(key, record.value_id, self._memory[key])
        self.workplace.values.prune(key, lambda: self._busy_runs)
        logger.info(
            "%s: %s in %.2f s, stored in %.2f s",
            self.names.id,
            "/".join(parts),
            seconds,
            time.perf_counter() - started,
        )
        return dg.MaterializeResult(
            asset_key=dg.AssetKey(key),
            metadata={**metadata, **self._storage_metadata(key, record, seconds)},
            data_version=dg.DataVersion(record.data_version),
        )

    def _storage_metadata(self, key: Key, record: Record, seconds: float) -> Metadata:
        place = self.workplace.values.folder(key) / record.value_id
        return {
            "seconds": round(seconds, 3),
            "bytes": record.bytes,
            "path": dg.MetadataValue.path(str(place)),
        }

    @cached_property
    def _busy_runs(self) -> list[str]:
        filters = dg.RunsFilter(statuses=UNFINISHED)
        return [run.run_id for run in self.context.instance.get_runs(filters)]

    # -- trains -------------------------------------------------------------------------------

    @cached_property
    def train_run(self) -> TrainRun:
        """The ids of the train of this run; every process of the run gets the same ones."""
        place, run, dp_id = self.workplace, self.context.run, self.names.id
        root = run.root_run_id or run.run_id
        session = place.train_session_id or claim_session(place.control, root, session_id_of(root))
        wished = TrainRun(dp_id, train_id_of(root, dp_id), session, run.run_id)
        train_id = claim_train(
            place.control, wished, root, lambda name: place.models.has(dp_id, name)
        )
        return replace(wished, train_id=train_id)

    @contextmanager
    def recorded(self, what: str, run: TrainRun | None = None) -> Iterator[None]:
        """Record that a part of a train begins, and ends unless the block raises."""
        control, train = self.workplace.control, run or self.train_run
        record_step(control, train, f"{what}_start")
        yield
        record_step(control, train, f"{what}_end")

    def current_train(self, dp_id: str, preferred: Sequence[str] = ()) -> str:
        """Return the `train_id` that this run trained of a DataProvider, else the current one.

        Args:
            dp_id: Id of the DataProvider.
            preferred: Train or session ids; the first that it has wins over the current one.

        Raises:
            UntrainedModelError: If it was never trained.
        """
        key = XinguTranslator.model_key(dp_id)
        record = self.workplace.values.record(key, self.run_ids)
        if record is not None and record.run_id in self.run_ids:
            return record.facts["train_id"]
        return self.workplace.models.find(dp_id, preferred=preferred)

    def model(self, train_id: str) -> Model:
        """Return this DataProvider's Model of a train."""
        return self.workplace.models.load(self.names.id, train_id)
