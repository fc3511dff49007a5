"""examples/shop: models in a project of Dagster that has tables of dlt and an IO manager."""

import sys

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from tests.support.shop import ROOT
from xingu import Model

TABLES = ("erp/customers", "erp/orders")
MODELS = ("comes_back", "delivery_days")
READ = {
    "analytics/customers",
    "comes_back/raw/customers",
    "comes_back/batch/raw/customers",
    "delivery_days/raw/delivered",
    "delivery_days/batch/raw/open",
}
"""Tables that are read again after dlt has loaded them."""


class Shop:
    """The project after 100 days, all of it materialized."""

    def __init__(self, home):
        from shop.definitions import defs

        self.home, self.definitions = home, defs
        self.instance, self.cursor = dg.DagsterInstance.ephemeral(), None
        self.graph = defs.resolve_asset_graph()
        self.job = defs.resolve_implicit_global_asset_job_def()
        self.everything = {key.to_user_string() for key in self.graph.materializable_asset_keys}
        self.export(100)
        self.materialize(self.everything)
        self.tick()

    def export(self, days):
        from shop.erp import export

        export(self.home / "export", days)

    def materialize(self, names):
        keys = [key_of(name) for name in names]
        self.job.execute_in_process(instance=self.instance, asset_selection=keys)

    def tick(self) -> set[str]:
        """Evaluate automation conditions, materialize what they request, and return its names."""
        found = dg.evaluate_automation_conditions(
            self.definitions, self.instance, cursor=self.cursor
        )
        self.cursor = found.cursor
        requested = {name for name in self.everything if found.get_num_requested(key_of(name))}
        if requested:
            self.materialize(requested)
        return requested

    def is_stale(self, name):
        context = LoadingContextForTest(self.instance)
        resolver = CachingStaleStatusResolver(self.instance, self.graph, context)
        return resolver.get_status(key_of(name)) == StaleStatus.STALE

    def trains(self):
        return {name: Model.load(name, path=self.home / "models").train_id for name in MODELS}


def key_of(name):
    return dg.AssetKey(name.split("/"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    home = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_HOME", str(home))
        patch.syspath_prepend(ROOT / "examples" / "shop")
        yield Shop(home)
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def test_models_are_between_the_tables_of_dlt_and_the_frames_of_the_shop(shop):
    parents = {
        key.to_user_string(): {
            parent.to_user_string() for parent in shop.graph.get(key).parent_keys
        }
        for key in shop.graph.get_all_asset_keys()
    }
    assert parents["delivery_days/raw/delivered"] == set(TABLES)
    assert parents["comes_back/raw/customers"] == {"analytics/customers"}
    assert parents["analytics/late_orders"] == {"delivery_days/batch/estimations"}
    late = pd.read_parquet(shop.home / "analytics" / "late_orders.parquet")
    assert 0 < len(late) < 20


def test_the_same_rows_again_are_read_and_train_no_model(shop):
    trains = shop.trains()
    shop.materialize(TABLES)
    assert [shop.tick(), shop.tick()] == [READ, set()]
    assert shop.trains() == trains


def test_new_rows_put_the_models_out_of_date_and_automation_trains_them(shop):
    trains = shop.trains()
    assert not shop.is_stale("delivery_days/raw/delivered")
    shop.export(130)
    shop.materialize(TABLES)
    assert shop.is_stale("delivery_days/raw/delivered")
    assert shop.tick() == READ
    assert shop.is_stale("delivery_days/cleaned")
    assert shop.is_stale("comes_back/cleaned")
    assert shop.tick() == shop.everything - READ - set(TABLES)
    assert shop.tick() == set()
    assert not any(shop.is_stale(name) for name in shop.everything)
    assert all(train != trains[name] for name, train in shop.trains().items())
