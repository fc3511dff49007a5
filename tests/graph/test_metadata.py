"""Tests of the metadata of metrics in the UI."""

import numpy as np
import pandas as pd

from xingu_dagster.metadata import METRIC_COLUMNS, metrics_metadata


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
