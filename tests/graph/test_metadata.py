"""Metadata of assets in the UI."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from tests.support.project import Project
from tests.support.toys import Houses
from xingu_dagster.factory import build_provider_assets
from xingu_dagster.metadata import METRIC_COLUMNS, metrics_metadata
from xingu_dagster.translator import XinguTranslator


def test_metrics_are_shown_by_set_and_texts_beside_the_table():
    rows = [
        ("train", "r2", 0.75, None),
        ("test", "r2", 0.5, None),
        ("test", "rmse", 2.0, None),
        ("test", "advice", np.nan, "look"),
        (None, "trees", 200.0, None),
    ]
    shown = metrics_metadata(pd.DataFrame(rows, columns=[*METRIC_COLUMNS]))
    assert shown.pop("metrics").value.splitlines() == [
        "| metric | train | test |",
        "|---|---|---|",
        "| r2 | 0.75 | 0.5 |",
        "| rmse | nan | 2 |",
    ]
    assert shown == {
        "train r2": 0.75,
        "test r2": 0.5,
        "test rmse": 2.0,
        "test advice": "look",
        "trees": 200.0,
    }


def test_numbers_have_four_significant_digits_and_infinity_is_a_text():
    rows = [("test", "r2", 0.123456789, None), ("test", "loss", 123456.789, None)]
    rows.append(("test", "odds", np.inf, None))
    shown = metrics_metadata(pd.DataFrame(rows, columns=[*METRIC_COLUMNS]))
    shown.pop("metrics")
    assert shown == {"test r2": 0.1235, "test loss": 123500.0, "test odds": "inf"}


def test_without_metrics_there_is_an_empty_table():
    shown = metrics_metadata(pd.DataFrame(columns=[*METRIC_COLUMNS]))
    assert shown["metrics"].value == "| metric |  |\n|---|"


# -- metadata that Dagster has a meaning for ------------------------------------------------------

FRAMES = ("raw/houses", "cleaned", "features", "splits", "trainset_estimations", "batch/raw/houses",
          "batch/cleaned", "batch/features", "batch/estimations", "trainset_metrics")  # fmt: skip


class Described(Houses):
    batch_predict_dataset_sources = {
        **Houses.batch_predict_dataset_sources,
        "more": {"url": "s3://bucket/more.parquet"},
    }
    batch_predict_sinks = {
        "file": {"url": "out/prices.csv"},
        "table": {"database": "db", "table": "main.prices"},
    }
    owners = ("team:pricing",)
    tags = {"domain": "sales"}


class Fresh(XinguTranslator):
    def get_asset_spec(self, props):
        policy = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1))
        return super().get_asset_spec(props).replace_attributes(freshness_policy=policy)


@pytest.mark.parametrize("name", FRAMES)
def test_frames_have_their_rows_columns_and_place(trained, name):
    shown = trained.metadata(f"houses/{name}")
    assert shown["dagster/row_count"] > 0
    assert trained.metadata(f"houses/{name}")["dagster/column_schema"].columns
    assert Path(unquote(shown["dagster/uri"].removeprefix("file://"))).is_dir()


def test_the_place_of_a_model_is_its_package(trained):
    shown = trained.metadata("houses/model")
    assert shown["dagster/uri"] == trained.models.package("houses", shown["train_id"]).as_uri()


def test_sinks_have_their_table_or_file(tmp_path):
    sinks = {"batch_predict_sinks": Described.batch_predict_sinks}
    project = Project(tmp_path, [type("Written", (Houses,), sinks)])
    project.run("houses/*")
    assert project.metadata("houses/batch/sinks/table")["dagster/table_name"] == "main.prices"
    shown = project.metadata("houses/batch/sinks/file")
    assert shown["dagster/uri"] == (tmp_path / "out/prices.csv").as_uri()
    assert [one.name for one in shown["dagster/column_schema"].columns][-1] == "train_id"


def specs_of(translator=None):
    assets = build_provider_assets(Described, translator)
    return {spec.key.to_user_string(): spec for one in assets for spec in one.specs}


def test_the_definition_says_which_table_or_address_is_meant():
    specs = specs_of()
    assert specs["houses/batch/sinks/table"].metadata["dagster/table_name"] == "main.prices"
    assert specs["sources/houses/batch/more"].metadata["dagster/uri"] == "s3://bucket/more.parquet"


def test_every_asset_has_owners_tags_kinds_a_group_and_a_description():
    for spec in specs_of().values():
        assert (list(spec.owners), spec.tags["domain"]) == (["team:pricing"], "sales")
        assert spec.kinds
        assert (spec.group_name, bool(spec.description)) == ("houses", True)


def test_a_freshness_policy_of_a_translator_reaches_every_asset():
    assert all(spec.freshness_policy for spec in specs_of(Fresh()).values())


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ("kind:csv", "batch/sinks/file"),
        ("kind:lightgbm", "model"),
        ("tag:domain=sales and key:*/model", "model"),
        ('owner:"team:pricing" and kind:table', "batch/sinks/table"),
        ("group:houses and kind:python", "hyperparameters"),
    ],
)
def test_assets_are_selected_by_group_tag_kind_and_owner(selection, found):
    assets = build_provider_assets(Described)
    keys = dg.AssetSelection.from_string(selection).resolve(assets)
    assert {key.to_user_string() for key in keys} == {f"houses/{found}"}
