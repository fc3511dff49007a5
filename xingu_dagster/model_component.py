"""XinguModel: a model as YAML, without code.

Its class is made of plain data (`xingu.provider.declared`). Errors of its declarations name the
line of the YAML.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

from xingu.errors import DeclarationError
from xingu.provider.base import DataProvider
from xingu.provider.declared import define_provider
from xingu.provider.discovery import DataProviderFactory
from xingu.sources import parse_sources
from xingu.tuning.space import parse_space
from xingu_dagster.automation import SensorOptions
from xingu_dagster.component import (
    ModelComponent,
    XinguProjectComponent,
    models_of_yaml,
    resource_of,
)
from xingu_dagster.project import XinguProject
from xingu_dagster.scaffolders import XinguModelScaffolder
from xingu_dagster.spec import BATCH_SOURCES, TRAIN_SOURCES
from xingu_dagster.translator import XinguTranslator


class XinguSource(dg.Resolvable, dg.Model):
    """Rows of a database, a file or an asset: `source` and `query`, `url`, or `asset`."""

    source: str | None = Field(None, description="Nickname of a database.")
    query: str | None = Field(None, description="SQL, which runs as given.")
    url: str | None = Field(None, description="File or address: parquet, CSV, JSON.")
    params: Mapping[str, Any] | None = Field(None, description="Arguments of the pandas reader.")
    asset: str | None = Field(None, description="Key of an asset, whose stored value is read.")
    depends_on: Sequence[str] | None = Field(
        None, description="Keys of assets that the rows come from."
    )
    group: str | None = Field(
        None, description="Sources of a group are read one after the other, on one connection."
    )

    def declared(self) -> dict[str, Any]:
        """Return what is set."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class XinguDimension(dg.Resolvable, dg.Model):
    """Values of one hyperparameter: a range, or choices."""

    type: str = Field("float", description="int, float, uniform, loguniform, or categorical.")
    low: float | int | None = Field(None, description="Lower bound, included.")
    high: float | int | None = Field(None, description="Upper bound, included.")
    choices: Sequence[Any] | None = Field(None, description="Values of categorical.")

    def declared(self) -> tuple[str, dict[str, Any]]:
        """Return the notation of Xingu 2.0."""
        options = self.model_dump(exclude={"type"}).items()
        return self.type, {name: value for name, value in options if value is not None}


class XinguSplit(dg.Resolvable, dg.Model):
    """Sets of the split: at random, or by the order of a column."""

    by: str | None = Field(None, description="Column of times; its last rows are test and val.")
    test: float = Field(DataProvider.test_size, description="Share of all rows, in [0, 1).")
    val: float = Field(DataProvider.val_size, description="Share of all rows, in [0, 1).")
    random_state: int = Field(DataProvider.random_state, description="Seed of a random split.")


ATTRIBUTES = {
    "features": "x_features",
    "estimator_features": "x_estimator_features",
    "target": "y",
    "index": "row_index",
    "sample_weight": "sample_weight",
    "estimator": "estimator_class",
    "estimator_class_params": "estimator_class_params",
    "params": "estimator_params",
    "hyperparams": "estimator_hyperparams",
    "hyperopt": "hyperopt",
    "checks": "checks",
    "gates": "quality_gates",
    "batch_sinks": "batch_predict_sinks",
    "retrain": "retrain",
    "batch_when": "batch_predict_when",
    "batch_partitions": "batch_partitions",
    "batch_incremental": "batch_incremental",
    "metric_directions": "metric_directions",
    "proba_class_index": "proba_class_index",
    "owners": "owners",
    "tags": "tags",
    "dagster": "dagster",
}
"""Attributes of a DataProvider that the YAML gives as they are, by name in the YAML."""

LOCATIONS = {
    **{attribute: name for name, attribute in ATTRIBUTES.items()},
    "id": "id",
    "base": "base",
    "pre_req": "pre_req",
    "estimated_columns": "pre_req",
    "train_dataset_sources": "sources",
    "batch_predict_dataset_sources": "batch_sources",
    "estimator_hyperparams_search_space": "search_space",
    "split_by": "split",
    "test_size": "split",
    "val_size": "split",
}
"""Names in the YAML by attribute of a DataProvider, for errors."""


@dg.scaffold_with(XinguModelScaffolder)
class XinguModel(ModelComponent, dg.Resolvable, dg.Model):
    """A model without code: sources, features, target, estimator."""

    id: str = Field("", description="Name of the model; by default that of the folder.")
    description: str = Field("", description="What the model estimates.")
    sources: dict[str, XinguSource] = Field({}, description="Rows to train with, by name.")
    batch_sources: dict[str, XinguSource] = Field({}, description="Rows to estimate, by name.")
    features: Sequence[str] = Field([], description="Columns that the model gets.")
    estimator_features: Sequence[str] = Field([], description="Those of the estimator, if others.")
    target: str | None = Field(None, description="Column to estimate.")
    index: str | None = Field(None, description="Column that identifies a row.")
    sample_weight: str | None = Field(None, description="Column of row weights.")
    estimator: str = Field(
        "xingu.estimators.LightGBMRegressor", description="Dotted name of the Estimator class."
    )
    estimator_class_params: Mapping[str, Any] = Field({}, description="Arguments of that class.")
    params: Mapping[str, Any] = Field({}, description="Fixed parameters of the algorithm.")
    hyperparams: Mapping[str, Any] = Field({}, description="Parameters that a search may replace.")
    search_space: dict[str, XinguDimension] = Field({}, description="Where a search looks.")
    hyperopt: Mapping[str, Any] = Field({}, description="Settings of the search.")
    split: XinguSplit = Field(
        default_factory=lambda: XinguSplit.model_construct(), description="Sets of the split."
    )
    checks: Mapping[str, Any] = Field({}, description="Built-in checks by name: off, warn, error.")
    gates: Mapping[str, Any] = Field({}, description="What a train must reach, by set and metric.")
    batch_sinks: Mapping[str, Any] = Field({}, description="Where estimations are written, too.")
    retrain: Any = Field(None, description="When it is trained by itself, as on_new_data.")
    batch_when: Any = Field(None, description="When its batch is estimated by itself.")
    batch_partitions: Mapping[str, Any] | None = Field(
        None, description="Partitions of the batch, as daily: 2026-01-01, or static: [keys]."
    )
    batch_incremental: bool | Mapping[str, Any] = Field(
        False, description="Estimate new and changed rows only; key: columns that identify a row."
    )
    metric_directions: Mapping[str, Any] = Field({}, description="minimize, maximize or zero.")
    proba_class_index: int | None = Field(None, description="Class that is estimated.")
    pre_req: Sequence[str] | Mapping[str, str] = Field(
        [],
        description="Ids of prerequisites; as a mapping, with the column that their estimations of "
        "each row become.",
    )
    owners: Sequence[str] = Field([], description="E-mail addresses, or team:name.")
    tags: Mapping[str, str] = Field({}, description="Tags of the assets.")
    dagster: Mapping[str, Any] = Field(
        {},
        description="Settings of the steps of Dagster by phase, * for all: pool, retry, timeout, "
        "op_tags.",
    )
    base: str | None = Field(None, description="Dotted name of a DataProvider class with hooks.")
    settings: Mapping[str, Any] = Field(
        {}, description="Fields of XinguResource, unless an XinguProjectComponent has them."
    )
    key_prefix: str | None = Field(
        None, description="First parts of the keys; by default those of the XinguProjectComponent."
    )
    resource_key: str | None = Field(
        None, description="Key of an XinguResource that other definitions have."
    )

    _context: Any = PrivateAttr(None)

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "XinguModel":
        """Return the component that a YAML describes."""
        model = super().load(attributes, context)
        model._context = context
        return model

    @property
    def dp_id(self) -> str:
        """Id of the DataProvider."""
        return self.id or (self._context.path.name if self._context else "model")

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the assets, and the resources unless another component has them.

        Raises:
            DeclarationError: If a declaration cannot be used; the text names its line.
        """
        project = self._project_component(context)
        try:
            cls = self.provider(context.path / "defs.yaml")
            if project is None:
                # A project checks the prerequisites of all.
                DataProviderFactory([cls], elsewhere=models_of_yaml(context, besides=self.dp_id))
                translator, key = XinguTranslator(self.key_prefix or ""), self.resource_key
                settings = resource_of(self.settings, context.project_root)
            else:
                translator, key = project.get_translator(), project.resource_key
                settings = project.resource(context)
            built = XinguProject(
                {self.dp_id: cls},
                settings=settings,
                translator=translator,
                resource_key=key,
                # Each component has definitions of its own, whose names must not collide.
                sensors=SensorOptions(per_dataprovider=True),
            )
            assets = built.assets()
        except DeclarationError as error:
            raise self._with_position(error) from error
        alone = project is None and self.resource_key is None
        return dg.Definitions(
            assets, sensors=built.sensors(), resources=built.resources() if alone else None
        )

    def provider(self, origin: Path) -> type[DataProvider]:
        """Return the class of the DataProvider.

        Raises:
            DeclarationError: If a value is no plain data, or the search space is malformed.
        """
        space = {name: one.declared() for name, one in self.search_space.items()}
        parse_space(space, f"{self.dp_id}.estimator_hyperparams_search_space")
        declared = {
            "id": self.dp_id,
            TRAIN_SOURCES[1]: self._sources(TRAIN_SOURCES[1], self.sources),
            BATCH_SOURCES[1]: self._sources(BATCH_SOURCES[1], self.batch_sources),
            **{attribute: _plain(getattr(self, name)) for name, attribute in ATTRIBUTES.items()},
            "estimator_hyperparams_search_space": space,
            "split_by": self.split.by,
            "test_size": self.split.test,
            "val_size": self.split.val,
            "random_state": self.split.random_state,
            "pre_req": list(self.pre_req),
            "estimated_columns": dict(self.pre_req) if isinstance(self.pre_req, Mapping) else {},
        }
        declared["quality_gates"] = _gates(declared["quality_gates"])
        # YAML reads a bare `off` as False.
        declared["checks"] = {
            name: "off" if one is False else one for name, one in declared["checks"].items()
        }
        given = {name: value for name, value in declared.items() if value not in (None, "", {}, [])}
        return define_provider(self.dp_id, given, origin, self.base, self.description)

    def _sources(self, attribute: str, sources: Mapping[str, XinguSource]) -> dict[str, Any]:
        declared = {name: one.declared() for name, one in sources.items()}
        if declared:
            parse_sources(self.dp_id, attribute, declared)
        return declared

    def _project_component(self, context: dg.ComponentLoadContext) -> XinguProjectComponent | None:
        """Return the project that this model joins; None: it is one of its own."""
        if self.settings:
            return None
        found = context.component_tree.get_all_components(XinguProjectComponent)
        if self.key_prefix is not None:
            found = [one for one in found if one.key_prefix == self.key_prefix]
        if self.resource_key is not None:
            found = [one for one in found if one.resource_key == self.resource_key]
        if len(found) > 1:
            raise self._with_position(
                DeclarationError(
                    f"{self.dp_id}.id: {len(found)} components XinguProjectComponent could have "
                    "this model; name one by its key_prefix or resource_key."
                )
            )
        return found[0] if found else None

    def _with_position(self, error: DeclarationError) -> DeclarationError:
        """Return an error that begins with file and line of the attribute that it is about."""
        positions = self._context and self._context.resolution_context.source_position_tree
        if not positions:
            return error
        match = re.search(
            rf"{re.escape(self.dp_id)}\.(\w+)(?:\[['\"]([^'\"]+)['\"]\])?", str(error)
        )
        path = ["attributes"]
        if match:
            path += [one for one in (LOCATIONS.get(match[1], match[1]), match[2]) if one]
        source = positions.source_error(path, "", value_error=True)
        return type(error)(
            f"{source.file_name}:{source.start_line_no}: {error}", **getattr(error, "facts", {})
        )


def _gates(declared: Any) -> Any:
    """Return gates with a tuple for each pair of operator and value; others stay lists."""
    if isinstance(declared, dict):
        return {name: _gates(one) for name, one in declared.items()}
    if not isinstance(declared, list):
        return declared
    found = [_gates(one) for one in declared]
    return found if any(isinstance(one, tuple) for one in found) else tuple(found)


def _plain(value: Any) -> Any:
    """Return a value of the YAML as lists and dictionaries."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
