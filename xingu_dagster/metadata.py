"""Metadata of values for the UI: row counts, columns, first rows, metrics."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from xingu.directions import without_class
from xingu.records import POSITIVE_CLASS, MetricRow
from xingu.texts import number

PREVIEW_ROWS, PREVIEW_COLUMNS = 5, 30
METRIC_COLUMNS = ("set", "name", "value_number", "value_text")

Metadata = dict[str, Any]


def namespaced(metadata: Metadata) -> Metadata:
    """Return metadata with ``xingu/`` before each key that is not one of Dagster's own."""
    own = ("dagster/", "xingu/")
    return {
        key if key.startswith(own) else f"xingu/{key}": value for key, value in metadata.items()
    }


def _short(value: float) -> str:
    text = number(value, 4) if math.isfinite(value) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(number: float) -> float:
    """Return a number with the four significant digits that the UI shows."""
    return float(f"{number:.4g}")


def uri_metadata(address: object) -> Metadata:
    """Return the URI of a local path, or an address that may be shown, as it is."""
    text = str(address)
    return {"dagster/uri": text if "://" in text else Path(text).absolute().as_uri()}


def table_metadata(frame: pd.DataFrame) -> Metadata:
    """Return row count and column schema of `frame`."""
    return {"dagster/row_count": len(frame), "dagster/column_schema": _schema(frame)}


def frame_metadata(frame: pd.DataFrame) -> Metadata:
    """Return row count, column schema and first rows of `frame`."""
    return {
        **table_metadata(frame),
        "first rows": dg.MetadataValue.table(_first_rows(frame), schema=_preview_schema(frame)),
    }


def sets_metadata(frames: Mapping[str, pd.DataFrame]) -> Metadata:
    """Return the number of rows of each set, and the metadata of the first set."""
    first = next(iter(frames.values()))
    return {
        **frame_metadata(first),
        "dagster/row_count": sum(len(frame) for frame in frames.values()),
        **{f"rows {name}": len(frame) for name, frame in frames.items()},
    }


def metrics_frame(rows: Sequence[MetricRow]) -> pd.DataFrame:
    """Return metrics as a table with the columns set, name, value_number and value_text."""
    table = pd.DataFrame([asdict(row) for row in rows], columns=[*METRIC_COLUMNS])
    return table.astype(
        {"set": "str", "name": "str", "value_number": "float64", "value_text": "str"}
    )


def metrics_metadata(table: pd.DataFrame) -> Metadata:
    """Return values by ``set metric``, whose history the UI plots, and a table of them.

    Metrics of single classes of many are in the table only.
    """
    rows = list(table[[*METRIC_COLUMNS]].itertuples(index=False, name=None))
    named = {name: text for _, name, _, text in rows if name == POSITIVE_CLASS}
    values = {
        f"{name}" if pd.isna(part) else f"{part} {name}": _shown(value, text)
        for part, name, value, text in rows
        if name not in named and without_class(name) == name
    }
    cells = {(name, part): value for part, name, value, _ in rows if pd.notna(value)}
    sets = dict.fromkeys(part for part, *_ in rows if pd.notna(part))
    names = dict.fromkeys(name for name, part in cells if part in sets)
    lines = ["| metric | " + " | ".join(sets) + " |", "|---" * (len(sets) + 1) + "|"]
    lines += [
        f"| {name} | "
        + " | ".join(_short(cells.get((name, part), math.nan)) for part in sets)
        + " |"
        for name in names
    ]
    return {**named, "metrics": dg.MetadataValue.md("\n".join(lines)), **values}


def estimations_metadata(table: pd.DataFrame) -> Metadata:
    """Return the mean over all rows of each metric of single estimations."""
    means = table.groupby("name", sort=False)["value_number"].mean()
    return {f"mean {name}": rounded(value) for name, value in means.items() if np.isfinite(value)}


def _shown(number: float, text: Any) -> float | str:
    """Return a number, or a text for NaN and infinity, which are not valid JSON."""
    return rounded(number) if np.isfinite(number) else str(number if pd.isna(text) else text)


def _schema(frame: pd.DataFrame) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(str(name), str(dtype))
            for name, dtype in zip(frame.columns, frame.dtypes, strict=True)
        ]
    )


def _preview_schema(frame: pd.DataFrame) -> dg.TableSchema:
    names = ["index", *map(str, frame.columns[:PREVIEW_COLUMNS])]
    return dg.TableSchema([dg.TableColumn(name) for name in names])


def _first_rows(frame: pd.DataFrame) -> list[dg.TableRecord]:
    rows = frame.iloc[:PREVIEW_ROWS, :PREVIEW_COLUMNS]
    names = ["index", *map(str, rows.columns)]
    return [
        dg.TableRecord(dict(zip(names, map(cell, row), strict=True)))
        for row in rows.itertuples(name=None)
    ]


def cell(value: Any, length: int = 100) -> str | int | float | bool:
    """Return a value as JSON type; texts, and what is no JSON value, are cut at `length`."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text[:length]
