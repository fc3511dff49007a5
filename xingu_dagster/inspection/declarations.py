"""Read every declaration of a DataProvider apart, so that one error does not hide the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from xingu.checks.catalog import planned_checks
from xingu.checks.gates import parse_gates
from xingu.errors import DeclarationError, HookError, XinguError
from xingu.inspection.findings import Finding, finding_of
from xingu.inspection.sources import DeclaredSources
from xingu.provider.base import DataProvider
from xingu.provider.class_source import Place, place_of
from xingu.provider.hooks import is_overridden
from xingu.records import BatchPartition
from xingu.sinks.spec import parse_sinks
from xingu.sources import SourceSpec, UrlSource, parse_sources
from xingu.sources.parameters import bind_partition, same_rows, uses_partition
from xingu.tuning.declaration import Declaration
from xingu.tuning.plan import SearchPlan
from xingu_dagster.exits import reported_exits
from xingu_dagster.factory import build_provider_assets
from xingu_dagster.partitions import latest_partition
from xingu_dagster.spec import BATCH_SOURCES, TRAIN_SOURCES, ProviderSpec
from xingu_dagster.step_settings import parse_step_settings

STAND_IN = BatchPartition("partition", datetime(2026, 1, 1), datetime(2026, 1, 2))
"""Stands for a partition of a batch that has none yet."""


class Declarations:
    """The declarations of one DataProvider.

    Attributes:
        id: Its id.
        findings: What is wrong with them; filled by `read`.
        sources: Those of its sources that can be read; filled by `read`.
    """

    def __init__(self, cls: type[DataProvider]) -> None:
        self.cls = cls
        self.id = str(cls.id)
        self.findings: list[Finding] = []
        self.sources: list[DeclaredSources] = []

    def read(self) -> None:
        """Read all declarations, and import the Estimator."""
        if self._attempt("__init__", self.cls) is None:
            return
        self._attempt("batch_partitions", lambda: ProviderSpec(self.cls).batch_partitions or True)
        self._attempt("batch_incremental", lambda: ProviderSpec(self.cls).batch_incremental or True)
        for hook, attribute in (TRAIN_SOURCES, BATCH_SOURCES):
            self._read_sources(hook, attribute)
        self._each("batch_predict_sinks", parse_sinks)
        self._each("checks", planned_checks)
        self._read_policies()
        self._each("dagster", parse_step_settings)
        self._each_gate()
        self._read_estimator()
        if not self.findings:  # the rest, as it is read when definitions are loaded
            self._attempt("id", lambda: build_provider_assets(self.cls))

    def _attempt(self, member: str, read: Callable[[], Any], entry: Any = None) -> Any:
        """Return what `read` returns; None: it raised, which is a finding."""
        try:
            with reported_exits(f"{self.id}.{member}"):
                return read()
        except Exception as error:  # noqa: BLE001 - hooks and libraries raise anything
            self.findings.append(finding_of(error, self.id, self._place(member, entry)))
            return None

    def _place(self, member: str, entry: Any = None) -> Place | None:
        if not self._declares(member):
            return place_of(self.cls)
        return place_of(self.cls, member, next(iter(entry)) if isinstance(entry, dict) else None)

    def _declares(self, member: str) -> bool:
        return getattr(self.cls, member, None) is not getattr(DataProvider, member, None)

    # -- sources ------------------------------------------------------------------------------

    def _read_sources(self, hook: str, attribute: str) -> None:
        member = hook if self._declares(hook) else attribute
        spec = ProviderSpec(self.cls)
        declared = self._attempt(member, lambda: spec.read_declarations(hook, attribute))
        if declared is None:
            return
        found: list[SourceSpec] = []
        partition = self._partition() if attribute == BATCH_SOURCES[1] else None
        for one in _entries(declared):
            parse = partial(self._parse, attribute, one, partition)
            found += self._attempt(member, parse, one) or ()
        places = {spec.name: self._place(member, {spec.name: None}) for spec in found}
        self.sources.append(DeclaredSources(self.id, attribute, found, places))
        if attribute == TRAIN_SOURCES[1] and not declared:
            self._require_own_rows()

    def _parse(
        self, attribute: str, declared: Any, partition: BatchPartition | None
    ) -> Sequence[SourceSpec]:
        specs = parse_sources(self.id, attribute, declared)
        bound = bind_partition(f"{self.id}.{attribute}", specs, partition)
        # The file of a partition may not be there yet.
        ours = [isinstance(one, UrlSource) and uses_partition(one) for one in specs]
        return [one for one, is_ours in zip(bound, ours, strict=True) if not is_ours]

    def _partition(self) -> BatchPartition | None:
        """Return a partition to plan queries with; None: the batch has none.

        It is reported if each partition reads the same rows.
        """
        try:
            spec = ProviderSpec(self.cls)
            definition, declared = spec.batch_partitions, spec.batch_declarations
            specs = parse_sources(self.id, BATCH_SOURCES[1], declared) if definition else ()
        except XinguError:  # reported apart
            return None
        if specs and not self._declares(BATCH_SOURCES[0]) and not any(map(uses_partition, specs)):
            place = self._place("batch_partitions")
            self.findings.append(Finding("warning", self.id, same_rows(self.id), place))
        return latest_partition(definition) or (STAND_IN if definition else None)

    def _require_own_rows(self) -> None:
        if not is_overridden(self.cls(), "clean_data_for_train"):
            text = f"{self.id} has no source to train on; declare {TRAIN_SOURCES[1]}."
            self.findings.append(Finding("error", self.id, text, place_of(self.cls)))

    # -- checks and gates ---------------------------------------------------------------------

    def _each(self, attribute: str, parse: Callable[[str, Any], Any]) -> None:
        for one in _entries(getattr(self.cls, attribute)):
            self._attempt(attribute, lambda one=one: parse(self.id, one), one)

    def _read_policies(self) -> None:
        spec = ProviderSpec(self.cls)
        self._attempt("retrain", lambda: spec.policy)
        self._attempt("batch_predict_when", lambda: spec.batch_policy)

    def _each_gate(self) -> None:
        def parse(owner: str, declared: Any) -> None:
            parse_gates(owner, declared, self.cls.metric_directions)

        for sets in _entries(self.cls.quality_gates):
            for name, metrics in sets.items() if isinstance(sets, Mapping) else [("", sets)]:
                for one in _entries(metrics):
                    gates = {name: one} if isinstance(sets, Mapping) else one
                    self._attempt("quality_gates", lambda gates=gates: parse(self.id, gates), sets)

    # -- estimator ----------------------------------------------------------------------------

    def _read_estimator(self) -> None:
        if self.cls.hollow:
            return
        provider = self.cls()
        estimator = self._ask("get_estimator_class", "estimator_class", provider.make_estimator)
        if estimator is None:
            return
        self._attempt("estimator_params", estimator.check_params)
        space = "estimator_hyperparams_search_space"
        self._ask(
            "get_estimator_optimization_search_space", space, lambda: Declaration.of(provider)
        )
        self._attempt("hyperopt", lambda: SearchPlan.of(provider))
        self._require("get_target", "y", provider, "has no target; declare y")
        features = "has no features; declare x_features"
        self._require("get_estimator_features_list", "x_features", provider, features)

    def _ask(self, hook: str, attribute: str, read: Callable[[], Any]) -> Any:
        """Attempt to read; a hook that raises may need what earlier ones have set on `self`."""
        member = hook if self._declares(hook) else attribute
        try:
            with reported_exits(f"{self.id}.{member}"):
                return read()
        except (XinguError, ImportError) as error:
            if not isinstance(error, HookError) or isinstance(error.__cause__, SystemExit):
                self.findings.append(finding_of(error, self.id, self._place(member)))
        except Exception as error:  # noqa: BLE001 - hooks and constructors raise anything
            told = DeclarationError(
                f"{self.id}.{member} cannot be read before a train: {type(error).__name__}: {error}"
            )
            finding = finding_of(told, self.id, self._place(member), "warning")
            self.findings.append(finding)
        return None

    def _require(self, hook: str, attribute: str, provider: DataProvider, text: str) -> None:
        if not self._declares(hook) and not getattr(provider, hook)():
            finding = Finding("error", self.id, f"{self.id} {text}.", self._place(attribute))
            self.findings.append(finding)


def _entries(declared: Any) -> Iterator[Any]:
    """Yield each entry of a dict as a dict; anything else as it is."""
    if isinstance(declared, Mapping):
        yield from ({name: value} for name, value in declared.items())
    elif declared:
        yield declared
