"""Graphs of one DataProvider whose assets a subclass of XinguTranslator names."""

import dagster as dg

from tests.support.project import Project
from xingu import Model
from xingu.workspace import Workspace
from xingu_dagster.factory import build_provider_assets
from xingu_dagster.io_managers import XinguIOManager
from xingu_dagster.options import options_resource
from xingu_dagster.translator import XinguTranslator


def translated(project: Project, translator: XinguTranslator) -> Project:
    """Return `project`, with the names that `translator` gives to its assets."""
    workspace = Workspace(project.config, Model)
    assets = [
        asset
        for cls in project.providers
        for asset in build_provider_assets(cls, translator=translator)
    ]
    resources = {
        "xingu": workspace,
        "xingu_io": XinguIOManager(workspace),
        "xingu_options": options_resource(),
    }
    project.definitions = dg.Definitions(assets, resources=resources)
    return project


def checks_of(definitions: dg.Definitions) -> set[str]:
    """Return the asset checks as ``path of the asset: name``, without the DataProvider."""
    graph = definitions.resolve_asset_graph()
    return {f"{'/'.join(key.asset_key.path[1:])}: {key.name}" for key in graph.asset_check_keys}
