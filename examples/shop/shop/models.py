"""The models: all that Xingu adds to the definitions of the shop."""

from pathlib import Path

import dagster as dg
from xingu_dagster import AssetProps, XinguProject, XinguResource, XinguTranslator

from shop import HOME, LAKE


class ShopTranslator(XinguTranslator):
    """Connects queries to the tables of dlt, and trains when rows have changed.

    A source is read when what makes it was updated. What follows is made in one run, if the rows
    that were read are others than before.
    """

    def table_asset_key(self, nickname, table):
        """Return the asset that loads a table."""
        return dg.AssetKey(["erp", table.name]) if table.schema == "erp" else None

    def get_owners(self, props: AssetProps):
        """Return the owners."""
        return ["team:data-science"]

    def get_automation_condition(self, props: AssetProps):
        """Return when Dagster materializes an asset by itself."""
        eager = dg.AutomationCondition.eager()
        if "raw" in props.path:
            return eager
        changed = dg.AutomationCondition.data_version_changed()
        if props.path[-1] != "cleaned":
            changed |= dg.AutomationCondition.will_be_requested()
        return eager.replace("any_deps_updated", dg.AutomationCondition.any_deps_match(changed))


models = XinguProject(
    Path(__file__).parent / "dataproviders",
    settings=XinguResource(project_home=str(HOME), databases={"lake": f"duckdb:///{LAKE}"}),
    translator=ShopTranslator(),
)
