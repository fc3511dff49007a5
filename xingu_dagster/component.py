"""XinguProjectComponent: a folder of DataProviders in the YAML of a Dagster project."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from xingu.provider.base import DataProvider
from xingu.provider.discovery import DataProviderFactory
from xingu_dagster.project import XinguProject
from xingu_dagster.resources import XinguResource
from xingu_dagster.scaffolders import XinguProjectScaffolder
from xingu_dagster.translator import XinguTranslator


class ModelComponent(dg.Component):
    """A component that is one model."""

    pre_req: Any
    """Ids of its prerequisites."""

    @property
    def dp_id(self) -> str:
        """Id of its DataProvider."""
        raise NotImplementedError


@dg.scaffold_with(XinguProjectScaffolder)
class XinguProjectComponent(dg.Component, dg.Resolvable, dg.Model):
    """The DataProviders of a folder, with the resources that they need.

    Models of YAML (`XinguModel`) in the same project join it: they use its settings and key
    prefix, and may be prerequisites of its DataProviders. Override `get_translator` in a subclass
    to name assets differently.
    """

    folder: str = Field(
        "dataproviders", description="Folder of DataProviders, relative to the defs.yaml."
    )
    settings: Mapping[str, Any] = Field(
        {},
        description="Fields of XinguResource, as databases, control_db and models. Relative paths "
        "are relative to project_home, by default the root of the Dagster project. Write "
        "{env: NAME} for an address that holds a password.",
    )
    key_prefix: str = Field(
        "", description="First parts of the keys of all assets, separated by /."
    )
    resource_key: str | None = Field(
        None, description="Key of the resource; by default xingu, after the key prefix."
    )

    database_pools: Mapping[str, str] = Field(
        {},
        description="Concurrency pools of Dagster that steps hold while they read or write "
        "databases, by nickname.",
    )

    def get_translator(self) -> XinguTranslator:
        """Return what names the assets."""
        return XinguTranslator(self.key_prefix, self.database_pools)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the assets of the folder, and the resources."""
        factory = DataProviderFactory(
            providers_folder=context.path / self.folder, elsewhere=models_of_yaml(context)
        )
        return XinguProject(
            factory,
            settings=self.resource(context),
            translator=self.get_translator(),
            resource_key=self.resource_key,
        ).definitions()

    def resource(self, context: dg.ComponentLoadContext) -> XinguResource:
        """Return the resource that the settings describe."""
        return resource_of(self.settings, context.project_root)


def resource_of(settings: Mapping[str, Any], project_root: Path) -> XinguResource:
    """Return the resource that settings of a component describe.

    Equal settings give the same object, because Dagster merges no two. A value ``{env: NAME}``
    becomes ``dg.EnvVar("NAME")``, so that Dagster does not show what the variable holds.
    """
    return _resource(json.dumps(settings, sort_keys=True, default=str), str(project_root))


@lru_cache(maxsize=64)
def _resource(settings: str, project_root: str) -> XinguResource:
    return XinguResource(**{"project_home": project_root, **_with_variables(json.loads(settings))})


def _with_variables(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"env"}:
        return dg.EnvVar(value["env"])
    return {name: _with_variables(one) for name, one in value.items()}


def models_of_yaml(
    context: dg.ComponentLoadContext, besides: str | None = None
) -> list[type[DataProvider]]:
    """Return stand-ins for all models of YAML in a project, with their ids and prerequisites."""
    models = context.component_tree.get_all_components(ModelComponent)
    return [
        type(one.dp_id, (DataProvider,), {"id": one.dp_id, "pre_req": list(one.pre_req)})
        for one in models
        if one.dp_id != besides
    ]
