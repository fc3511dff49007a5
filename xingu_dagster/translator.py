"""Every asset key, group, kind, tag, owner and description of a DataProvider, in one place."""

import inspect
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import dagster as dg

from xingu.checks.catalog import Check, planned_checks
from xingu.checks.gates import Gate, check_metrics_of, parse_gates
from xingu.directions import BUILTIN_DIRECTIONS
from xingu.errors import DeclarationError, HookError
from xingu.names import key_part
from xingu.provider.base import DataProvider
from xingu.provider.code_version import code_version
from xingu.provider.hooks import call_hook
from xingu.provider.methods import GLOBAL_METRICS, TRAINSETS_METRICS
from xingu.values import Key

ProviderClass = type[DataProvider]

PREPARED = ("cleaned", "features", "splits")
EVALUATED = ("trainset_estimations", "trainset_metrics", "plots")
BATCH = ("cleaned", "features", "estimations", "metrics", "plots")

TEXTS: Mapping[str, str] = {
    "cleaned": "One frame of all sources, cleaned (`clean_data_for_train`).",
    "features": "The cleaned frame with features (`feature_engineering_for_train`).",
    "splits": "The rows in disjoint sets (`data_split_for_train`).",
    "hyperparameters": "Parameters of the estimator, and where they came from.",
    "trainset_estimations": "What the model estimates for the sets that it was trained on.",
    "trainset_metrics": "Metrics of the model for each set.",
    "plots": "Plots of the model for each set.",
    "batch/cleaned": "One frame of all batch sources, cleaned (`clean_data_for_batch_predict`).",
    "batch/features": "Batch rows with features (`feature_engineering_for_batch_predict`).",
    "batch/estimations": "One estimation for each batch row.",
    "batch/metrics": "Metrics of the batch and of its estimations.",
    "batch/plots": "Plots of the batch.",
}


class XinguTranslator:
    """The names of one DataProvider's assets."""

    def __init__(self, cls: ProviderClass) -> None:
        self.cls = cls
        self.id = str(cls.id)
        self.group = key_part(self.id)
        self.code_version = code_version(cls)

    # -- sources ------------------------------------------------------------------------------

    @cached_property
    def train_sources(self) -> Mapping[str, str]:
        """Source names of the train by key part."""
        return self._sources("get_dataset_sources_for_train", "train_dataset_sources")

    @cached_property
    def batch_sources(self) -> Mapping[str, str]:
        """Source names of the batch by key part; none: there is no batch."""
        hook = "get_dataset_sources_for_batch_predict"
        return self._sources(hook, "batch_predict_dataset_sources")

    def _sources(self, hook: str, attribute: str) -> dict[str, str]:
        try:
            names = list(call_hook(self.cls(), hook, None))
        except HookError as error:
            # A hook may need the trained model; then the attribute says how sources are called.
            names = list(getattr(self.cls, attribute))
            if not names:
                raise DeclarationError(
                    f"{error}. The graph is drawn without a model: return the sources for "
                    f"model=None too, or name them in {attribute}.",
                    dataprovider_id=self.id,
                ) from error
        by_part: dict[str, str] = {}
        for name in names:
            part = key_part(name)
            if part in by_part:
                raise DeclarationError(
                    f"{self.id}.{attribute}: {by_part[part]!r} and {name!r} both become the asset "
                    f"key part {part!r}; rename one.",
                    dataprovider_id=self.id,
                )
            by_part[part] = name
        return by_part

    # -- keys ---------------------------------------------------------------------------------

    def key(self, *parts: str) -> Key:
        """Return the key of one asset: ``key("batch", "features")``."""
        return (self.group, *parts)

    def asset_key(self, *parts: str) -> dg.AssetKey:
        """Return the same as Dagster's type."""
        return dg.AssetKey(self.key(*parts))

    @staticmethod
    def model_key(dp_id: str) -> Key:
        """Return the key of the model of any DataProvider."""
        return (key_part(dp_id), "model")

    def source_key(self, part: str, *, batch: bool = False) -> dg.AssetKey:
        """Return the key of the outside data of a source."""
        return dg.AssetKey(("sources", self.group, *(("batch",) if batch else ()), part))

    @cached_property
    def pre_reqs(self) -> Sequence[str]:
        """Ids of the prerequisites, in order."""
        return sorted(self.cls.pre_req)

    # -- checks -------------------------------------------------------------------------------

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """The checks that are wanted and have something to check, by name.

        Raises:
            DeclarationError: If one is declared that does not exist.
        """
        planned, gates = planned_checks(self.id, self.cls.checks), self.gates
        applicable = {
            "batch_parity": bool(self.batch_sources),
            "quality_gates": any(not gate.relative for gate in gates),
            "not_worse_than_current": any(gate.relative for gate in gates),
        }
        return {name: check for name, check in planned.items() if applicable.get(name, True)}

    @cached_property
    def gates(self) -> Sequence[Gate]:
        """What a train must reach.

        Raises:
            DeclarationError: If it cannot be understood, or names a metric that nobody measures.
        """
        if not self.cls.quality_gates:
            return []
        gates = parse_gates(self.id, self.cls.quality_gates, self.cls.metric_directions)
        if not any(name.startswith((TRAINSETS_METRICS, GLOBAL_METRICS)) for name in dir(self.cls)):
            check_metrics_of(self.id, gates, BUILTIN_DIRECTIONS)
        return gates

    # -- specs --------------------------------------------------------------------------------

    def spec(
        self,
        *parts: str,
        deps: Sequence[dg.AssetKey],
        kinds: Sequence[str],
        text: str | None = None,
    ) -> dg.AssetSpec:
        """Return the spec of one asset."""
        return dg.AssetSpec(
            self.asset_key(*parts),
            deps=deps,
            description=text or TEXTS["/".join(parts)],
            group_name=self.group,
            code_version=self.code_version,
            skippable=True,
            kinds=set(kinds),
            owners=self.owners,
            tags=dict(self.cls.tags),
        )

    @cached_property
    def owners(self) -> Sequence[str]:
        """Owners as declared."""
        return list(self.cls.owners)

    @cached_property
    def model_kinds(self) -> Sequence[str]:
        """The library of the estimator, by which the UI picks an icon."""
        declared = self.cls.estimator_class
        name = declared if isinstance(declared, str) else getattr(declared, "__module__", "")
        known = ("lightgbm", "xgboost", "catboost", "sklearn")
        return [kind if kind != "sklearn" else "scikitlearn" for kind in known if kind in name]

    @cached_property
    def description(self) -> str:
        """The docstring of the DataProvider."""
        own = self.cls.__dict__.get("__doc__")
        return inspect.cleandoc(own) if own else f"The model {self.id!r}."

    def raw_text(self, declared: Mapping[str, Any]) -> str:
        """Return the description of a raw asset: its query or its address."""
        if "query" in declared:
            query = inspect.cleandoc(str(declared["query"]))
            return f"Result of a query on `{declared.get('source')}`.\n\n```sql\n{query}\n```"
        return "Content of a declared file or address."

    def train_specs(self) -> list[dg.AssetSpec]:
        """Return the specs of the phase `prepare`."""
        raw = [
            self.spec(
                "raw",
                part,
                deps=[self.source_key(part)],
                kinds=["dataframe"],
                text=self._raw_text("train_dataset_sources", name),
            )
            for part, name in self.train_sources.items()
        ]
        models = [dg.AssetKey(self.model_key(pre_req)) for pre_req in self.pre_reqs]
        before = [*(spec.key for spec in raw), *models]
        chain = []
        for name in PREPARED:
            chain.append(self.spec(name, deps=before, kinds=["dataframe"]))
            before = [chain[-1].key]
        return [*raw, *chain]

    @cached_property
    def batch_sources_need_model(self) -> bool:
        """Whether a hook of the DataProvider, which is given the model, says what a batch reads."""
        hook = "get_dataset_sources_for_batch_predict"
        return getattr(self.cls, hook) is not getattr(DataProvider, hook)

    def batch_source_specs(self) -> list[dg.AssetSpec]:
        """Return the specs of the raw batch assets."""
        model = [self.asset_key("model")] if self.batch_sources_need_model else []
        return [
            self.spec(
                "batch",
                "raw",
                part,
                deps=[self.source_key(part, batch=True), *model],
                kinds=["dataframe"],
                text=self._raw_text("batch_predict_dataset_sources", name),
            )
            for part, name in self.batch_sources.items()
        ]

    def batch_specs(self) -> list[dg.AssetSpec]:
        """Return the specs of the phase `batch`."""
        model = self.asset_key("model")
        raw = [self.asset_key("batch", "raw", part) for part in self.batch_sources]
        cleaned, features, estimations = (self.asset_key("batch", name) for name in BATCH[:3])
        measured = [estimations, features, model]
        return [
            self.spec("batch", "cleaned", deps=[*raw, model], kinds=["dataframe"]),
            self.spec("batch", "features", deps=[cleaned, model], kinds=["dataframe"]),
            self.spec("batch", "estimations", deps=[features, model], kinds=["dataframe"]),
            self.spec("batch", "metrics", deps=measured, kinds=["dataframe"]),
            self.spec("batch", "plots", deps=measured, kinds=["plotly"]),
        ]

    def _raw_text(self, attribute: str, name: str) -> str:
        return self.raw_text(getattr(self.cls, attribute).get(name, {}))
