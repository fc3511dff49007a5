"""The real command with everything that it stores in object storage, on a server of moto."""

import boto3
import pytest

from tests.support.shop import open_shop
from tests.support.toys import houses
from xingu.plots.script import packed_script
from xingu.values import ValueStore

METRICS = ("houses", "trainset_metrics")
FOLDERS = {
    "XINGU_VALUES_PATH": "values",
    "TRAINED_MODELS_PATH": "models",
    "PLOTS_PATH": "plots",
    "DATASOURCE_CACHE_PATH": "cache",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory, s3_url):
    """A project with its storage in a bucket, whose model `houses` was trained by one command."""
    home = tmp_path_factory.mktemp("shop")
    places = {
        name: f"{s3_url}/{home.parent.name}/{home.name}/{folder}"
        for name, folder in FOLDERS.items()
    }
    shop = open_shop(home, **places)
    shop.code, shop.output = shop.materialize('key:"houses/*"')
    return shop


def objects(shop, name: str) -> dict[str, bytes]:
    """Return the content of every object of the storage that `name` sets, by its path there."""
    bucket, _, prefix = shop.environment[name].removeprefix("s3://").partition("/")
    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {
        key.removeprefix(f"{prefix}/"): client.get_object(Bucket=bucket, Key=key)["Body"].read()
        for key in keys
    }


def values(shop) -> ValueStore:
    return ValueStore(shop.environment["XINGU_VALUES_PATH"])


def test_a_command_trains_and_predicts_a_batch(shop):
    assert shop.code == 0, shop.output
    estimations = values(shop).read(("houses", "batch", "estimations")).value.frame
    assert estimations.index.tolist() == list(range(50))
    prices = houses()["price"][:50]
    assert estimations["estimation"].tolist() == pytest.approx(prices.tolist(), abs=100)


def test_the_model_predicts_from_the_bucket(shop):
    assert shop.environment["TRAINED_MODELS_PATH"].startswith("s3://")
    estimations = shop.model().predict(houses(5))["estimation"]
    assert estimations.tolist() == pytest.approx(houses(5)["price"].tolist(), abs=100)


def test_plots_are_whole_pages_in_the_bucket_with_one_plotly(shop):
    plots, folder = shop.environment["PLOTS_PATH"], f"houses/{shop.model().train_id}"
    pages = {
        f"{plots}/{name}": page
        for name, page in objects(shop, "PLOTS_PATH").items()
        if name.endswith(".html")
    }
    assets = [("houses", "plots"), ("houses", "batch", "plots")]
    told = [plot["html"] for key in assets for plot in values(shop).read(key).value]
    assert set(pages) - {f"{plots}/{folder}/index.html"} == set(told)
    assert objects(shop, "PLOTS_PATH")[f"{folder}/plotly.js"] == packed_script()
    folders = {f"{plots}/{folder}", f"{plots}/{folder}/batch"}
    assert {url.rpartition("/")[0] for url in pages} == folders
    for page in pages.values():
        assert page.startswith(b"<!DOCTYPE html>")
        assert page.endswith(b"</html>\n")


def test_no_value_model_page_or_cache_is_on_the_disk(shop):
    files = [path for path in shop.home.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} & {".parquet", ".pkl", ".html"} == set()
    assert not [path for path in files if path.name in ("manifest.json", "latest.json")]


def test_a_command_loads_from_the_bucket_what_it_was_not_asked_to_make(shop):
    before = values(shop).record(METRICS)
    code, output = shop.materialize('key:"houses/trainset_metrics"', DATABASES="")
    assert code == 0, output
    assert set(shop.processes()) - {""} == {"houses__evaluate"}
    assert "houses: loaded splits" in output
    after = values(shop).record(METRICS)
    assert after.value_id != before.value_id
    assert after.facts == before.facts


def test_a_later_command_takes_sources_from_the_bucket(shop):
    kept = objects(shop, "DATASOURCE_CACHE_PATH")
    assert {name.rpartition(".")[2] for name in kept} == {"parquet", "digest"}
    code, output = shop.materialize('key:"houses/raw/houses"')
    assert code == 0, output
    assert "houses: took houses from the cache, 400 rows" in output
