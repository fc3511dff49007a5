"""ProviderSpec: the declarations of a DataProvider, read once, and the specs of its assets."""

import inspect
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import dagster as dg

from xingu.automation.policy import Policy, parse_batch_policy, parse_policy
from xingu.checks.catalog import planned_checks
from xingu.checks.check import AssetPath, Check, Declared
from xingu.checks.gates import Gate, check_metrics_of, parse_gates
from xingu.directions import BUILTIN_DIRECTIONS
from xingu.errors import DeclarationError
from xingu.masking import masked, shown_address
from xingu.model.source_declarations import BATCH_SOURCES, TRAIN_SOURCES, declared_sources
from xingu.names import key_part
from xingu.provider.base import DataProvider
from xingu.provider.code_version import code_version
from xingu.provider.incremental import Incremental, parse_incremental
from xingu.provider.methods import GLOBAL_METRICS, TRAINSETS_METRICS
from xingu.sinks.spec import Sink, TableSink, check_partitioned, parse_sinks
from xingu.sources import parse_sources
from xingu.values import Key
from xingu.workspace import Workspace
from xingu_dagster.code_references import code_references
from xingu_dagster.exits import reported_exits
from xingu_dagster.kinds import library_of, source_kinds
from xingu_dagster.metadata import uri_metadata
from xingu_dagster.project_resource import ProjectResource
from xingu_dagster.resources import workspace_of
from xingu_dagster.step_settings import StepSettings, parse_step_settings
from xingu_dagster.translator import AssetProps, XinguTranslator, names_by_key_part
from xingu_dagster.upstream import Upstream, upstream_of

logger = logging.getLogger(__name__)

OF_A_TRAIN: Sequence[AssetPath] = (("trainset_estimations",), ("trainset_metrics",))
"""Assets whose checks are about a fitted train."""


class ProviderSpec:
    """The declarations of one DataProvider, and the names of its assets.

    Attributes:
        cls: The class of the DataProvider.
        id: Its id.
        code_version: Version of its code.
        translator: Names the assets.
        resource: The resource that its steps work with.
        op_prefix: First part of the names of its steps, see `step_name`.
        folder: Name of its folder of plots.
    """

    def __init__(
        self,
        cls: type[DataProvider],
        translator: XinguTranslator | None = None,
        resource: ProjectResource | None = None,
    ) -> None:
        self.cls = cls
        self.id = str(cls.id)
        self.code_version = code_version(cls)
        self.translator = translator or XinguTranslator()
        self.resource = resource or ProjectResource()
        self.folder = key_part(self.id)
        self.op_prefix = _op_prefix(self.asset_key("model"))
        self._paths: dict[dg.AssetKey, AssetPath] = {}

    # -- declarations -------------------------------------------------------------------------

    @cached_property
    def train_declarations(self) -> Mapping[str, Any]:
        """Declarations of the sources of the train, by name, as read when the graph was built."""
        return self.read_declarations(*TRAIN_SOURCES)

    @cached_property
    def batch_declarations(self) -> Mapping[str, Any]:
        """Declarations of the sources of the batch, by name, as read when the graph was built."""
        return self.read_declarations(*BATCH_SOURCES)

    @cached_property
    def train_sources(self) -> Mapping[str, str]:
        """Names of the sources of the train, by key part."""
        return names_by_key_part(self.id, TRAIN_SOURCES[1], self.train_declarations)

    @cached_property
    def batch_sources(self) -> Mapping[str, str]:
        """Names of the sources of the batch, by key part; empty: there is no batch."""
        return names_by_key_part(self.id, BATCH_SOURCES[1], self.batch_declarations)

    @cached_property
    def batch_partitions(self) -> dg.PartitionsDefinition | None:
        """The partitions of the batch; None: it has none.

        Raises:
            DeclarationError: If they are malformed, or there is no batch.
        """
        definition = self.translator.get_batch_partitions(self.cls)
        if definition is not None and not self.batch_sources:
            raise DeclarationError(
                f"{self.id}.batch_partitions: there is no batch to divide; declare "
                f"{BATCH_SOURCES[1]} too.",
                dataprovider_id=self.id,
            )
        return definition

    @cached_property
    def batch_incremental(self) -> Incremental | None:
        """How the batch estimates new and changed rows only; None: it estimates all.

        Raises:
            DeclarationError: If the declaration is malformed.
        """
        return parse_incremental(self.id, self.cls.batch_incremental)

    @cached_property
    def sinks(self) -> Mapping[str, Sink]:
        """The sinks of the batch, by key part.

        Raises:
            DeclarationError: If one is malformed, or there is no batch.
        """
        sinks = {sink.name: sink for sink in parse_sinks(self.id, self.cls.batch_predict_sinks)}
        if sinks and not self.batch_sources:
            raise DeclarationError(
                f"{self.id}.batch_predict_sinks: there is no batch to write; declare "
                f"{BATCH_SOURCES[1]} too.",
                dataprovider_id=self.id,
            )
        check_partitioned(self.id, sinks.values(), partitioned=self.batch_partitions is not None)
        parts = names_by_key_part(self.id, "batch_predict_sinks", sinks)
        return {part: sinks[name] for part, name in parts.items()}

    def step_settings(self, phase: str) -> StepSettings:
        """Return pool, retries, timeout and tags of the step of a phase.

        A phase that declares no pool holds the one of the database that it reads or writes.

        Raises:
            DeclarationError: If the declaration cannot be used, or databases have several pools.
        """
        settings = self._step_settings[phase]
        return settings if settings.pool else settings.holding(self.id, phase, self._pools(phase))

    def _pools(self, phase: str) -> Mapping[str, str]:
        """Return the pools of the databases that a phase reads or writes, by nickname."""
        if phase == "batch_sinks":
            names = [one.database for one in self.sinks.values() if isinstance(one, TableSink)]
        else:
            sources = {"prepare": self.train_declarations, "batch_raw": self.batch_declarations}
            entries = sources.get(phase, {}).values()
            names = [one.get("source") for one in entries if isinstance(one, Mapping)]
        pools = {name: self.translator.get_database_pool(name) for name in names if name}
        return {name: pool for name, pool in pools.items() if pool}

    @cached_property
    def _step_settings(self) -> Mapping[str, StepSettings]:
        return parse_step_settings(self.id, self.cls.dagster)

    @property
    def batch_sources_need_model(self) -> bool:
        """Whether the sources of the batch come from a hook, which receives the Model."""
        hook = BATCH_SOURCES[0]
        return getattr(self.cls, hook) is not getattr(DataProvider, hook)

    def read_declarations(self, hook: str, attribute: str) -> Mapping[str, Any]:
        """Return the declared sources; see `xingu.model.source_declarations`."""
        return declared_sources(self.cls, hook, attribute)

    @cached_property
    def pre_reqs(self) -> Sequence[str]:
        """Ids of the prerequisites, sorted."""
        return sorted(self.cls.pre_req)

    @cached_property
    def policy(self) -> Policy | None:
        """When it is trained by itself; None: never.

        Raises:
            DeclarationError: If the policy cannot be used.
        """
        pre_reqs, batch = bool(self.cls.pre_req), bool(self.batch_sources)
        return parse_policy(self.id, self.cls.retrain, pre_reqs=pre_reqs, batch=batch)

    @cached_property
    def batch_policy(self) -> Policy | None:
        """When its batch is estimated by itself; see `policy`."""
        return parse_batch_policy(self.id, self.cls.batch_predict_when, bool(self.batch_sources))

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """The checks that apply, as configured, by name.

        Raises:
            DeclarationError: If a configured check does not exist.
        """
        planned = planned_checks(self.id, self.cls.checks)
        declared = Declared(bool(self.batch_sources), self.gates, self.cls.hollow)
        return {name: check for name, check in planned.items() if check.applies(declared)}

    @property
    def proofs(self) -> set[tuple[str, str]]:
        """Assets and names of the checks that a train has to pass before it becomes current."""
        return {
            ("/".join(path), check.name)
            for check in self.checks.values()
            for path in check.assets
            if check.severity == "error" and path in OF_A_TRAIN
        }

    @cached_property
    def gates(self) -> Sequence[Gate]:
        """The quality gates.

        Raises:
            DeclarationError: If a gate is malformed, or names a metric that does not exist.
        """
        if not self.cls.quality_gates:
            return []
        gates = parse_gates(self.id, self.cls.quality_gates, self.cls.metric_directions)
        if not any(name.startswith((TRAINSETS_METRICS, GLOBAL_METRICS)) for name in dir(self.cls)):
            check_metrics_of(self.id, gates, BUILTIN_DIRECTIONS)
        return gates

    @property
    def estimator_kinds(self) -> Sequence[str]:
        """The library of the estimator, for the icon in the UI; none if it is not known.

        A dotted name is not imported, because that takes seconds.
        """
        try:
            with reported_exits(f"{self.id}.get_estimator_class"):
                declared = self.cls().get_estimator_class() or ""
        except Exception:  # the hook may need attributes that other hooks set
            logger.debug("%s: get_estimator_class raised", self.id, exc_info=True)
            declared = self.cls.estimator_class or ""
        return library_of(declared)

    @property
    def description(self) -> str:
        """The docstring of the DataProvider."""
        own = self.cls.__dict__.get("__doc__")
        return inspect.cleandoc(own) if own else f"The model {self.id!r}."

    # -- assets -------------------------------------------------------------------------------

    def workspace(self, resources: Any) -> Workspace:
        """Return the Workspace of this DataProvider, from the resources of a step."""
        return workspace_of(resources, self.resource.key, self.translator.key_prefix)

    def step_name(self, phase: str, dp_id: str | None = None) -> str:
        """Return the name of the step of a phase: ``<op_prefix>__<phase>``.

        Args:
            phase: The phase.
            dp_id: Id of another DataProvider; None: this one.
        """
        prefix = _op_prefix(self.model_key(dp_id)) if dp_id else self.op_prefix
        return f"{prefix}__{phase}"

    def asset_key(self, *path: str) -> dg.AssetKey:
        """Return the key of an asset, for example of ``("batch", "features")``."""
        return self.translator.get_asset_key(self.id, path)

    def key(self, *path: str) -> Key:
        """Return the key of an asset in the value store."""
        return tuple(self.asset_key(*path).path)

    def model_key(self, dp_id: str) -> dg.AssetKey:
        """Return the key of the model of any DataProvider."""
        return self.translator.get_asset_key(dp_id, ("model",))

    def source_key(self, part: str, *, batch: bool = False) -> dg.AssetKey:
        """Return the key of the external data of a source."""
        return self.translator.get_source_key(self.id, ("batch", part) if batch else (part,))

    def upstream(self, part: str, *, batch: bool = False) -> Upstream:
        """Return where the data of a source comes from."""
        name = (self.batch_sources if batch else self.train_sources)[part]
        return self._upstream[batch].get(name, Upstream())

    def raw_deps(self, part: str, *, batch: bool = False) -> list[dg.AssetKey]:
        """Return the keys of the assets that the data of a source comes from."""
        found = self.upstream(part, batch=batch)
        external = [self.source_key(part, batch=batch)] if found.external else []
        return [*external, *found.assets]

    @cached_property
    def _upstream(self) -> Mapping[bool, Mapping[str, Upstream]]:
        """Where sources of the train (False) and of the batch (True) come from, by name.

        Declarations that name no asset are not looked at, unless queries decide.
        """
        found: dict[bool, Mapping[str, Upstream]] = {False: {}, True: {}}
        for batch, attribute, declared in (
            (False, TRAIN_SOURCES[1], self.train_declarations),
            (True, BATCH_SOURCES[1], self.batch_declarations),
        ):
            if self.translator.maps_tables or any(map(_names_asset, declared.values())):
                specs = parse_sources(self.id, attribute, declared)
                found[batch] = upstream_of(specs, self.translator, self.resource.backends)
        return found

    def asset_spec(
        self,
        *path: str,
        deps: Sequence[dg.AssetKey],
        kinds: Sequence[str] = ("dataframe",),
        description: str = "",
    ) -> dg.AssetSpec:
        """Return the spec of an asset."""
        # In the graph, the name alone does not tell an asset of a batch from one of the train.
        marked = ("batch", *kinds) if path[0] == "batch" else kinds
        metadata: Mapping[str, Any] = code_references(self.cls, path)
        policies = {("model",): self.policy, ("batch", "estimations"): self.batch_policy}
        if policy := policies.get(path):
            metadata = {**metadata, "xingu/by itself": str(policy)}
        props = AssetProps(self.cls, path, marked, description, metadata, deps, self.code_version)
        spec = self._translated(props, self.asset_key(*path))
        if path[0] != "batch" or self.batch_partitions is None:
            return spec
        return spec.replace_attributes(partitions_def=self.batch_partitions)

    def source_spec(self, part: str, *, batch: bool = False) -> dg.AssetSpec:
        """Return the spec of the external data of a source."""
        name = (self.batch_sources if batch else self.train_sources)[part]
        declared = (self.batch_declarations if batch else self.train_declarations)[name]
        purpose = "batch" if batch else "train"
        description = f"External data of the {purpose}: {name}.\n\n{self.raw_description(declared)}"
        path = ("batch", part) if batch else (part,)
        metadata = code_references(self.cls, ("batch", "raw", name) if batch else ("raw", name))
        url = declared.get("url") if isinstance(declared, Mapping) else None
        if isinstance(url, str) and "://" in url:
            metadata = {**metadata, **uri_metadata(shown_address(url))}
        kinds = ("source", *source_kinds(declared, self.resource.backends))
        props = AssetProps(self.cls, path, kinds, description, metadata, is_source=True)
        return self._translated(props, self.source_key(part, batch=batch))

    def _translated(self, props: AssetProps, key: dg.AssetKey) -> dg.AssetSpec:
        """Return the spec that the translator makes.

        Raises:
            DeclarationError: If its key is not the one that the graph uses, is that of another
                asset, or cannot be the path of a folder.
        """
        spec, name = self.translator.get_asset_spec(props), type(self.translator).__name__
        if spec.key != key:
            raise DeclarationError(
                f"{name}.get_asset_spec returned the key {spec.key.to_user_string()} for "
                f"{key.to_user_string()}, by which other assets depend on it; override "
                "get_asset_key or get_source_key, or pass key_prefix.",
                dataprovider_id=self.id,
            )
        if not all(part and part == key_part(part) for part in key.path):
            raise DeclarationError(
                f"{name} named an asset of {self.id} {key.to_user_string()}; each part of a key "
                "must consist of letters, digits and _, because values are stored below it.",
                dataprovider_id=self.id,
            )
        path = ("sources", *props.path) if props.is_source else props.path
        if self._paths.setdefault(key, path) != path:
            raise DeclarationError(
                f"{name} gives the key {key.to_user_string()} to two assets of {self.id}: "
                f"{'/'.join(self._paths[key])} and {'/'.join(path)}.",
                dataprovider_id=self.id,
            )
        return spec

    def checks_on(self, key: dg.AssetKey) -> list[Check]:
        """Return the checks on an asset that `asset_spec` has made a spec of."""
        path = self._paths.get(key)
        return [check for check in self.checks.values() if path in check.assets]

    def raw_description(self, declared: Any) -> str:
        """Return the description of a raw asset: the query or a hint at the address."""
        if isinstance(declared, Mapping) and "asset" in declared:
            return "The value of another asset, as its IO manager stored it."
        if not isinstance(declared, Mapping) or "query" not in declared:
            return "Content of a declared file or address."
        query = masked(inspect.cleandoc(str(declared["query"])))
        return f"Result of a query on `{declared.get('source')}`.\n\n```sql\n{query}\n```"


def _op_prefix(model: dg.AssetKey) -> str:
    """Return the first part of names of steps, from the key of the model."""
    parts = model.path[:-1] if model.path[-1] == "model" else model.path
    return "__".join(map(key_part, parts))


def _names_asset(declared: Any) -> bool:
    return isinstance(declared, Mapping) and ("asset" in declared or "depends_on" in declared)
