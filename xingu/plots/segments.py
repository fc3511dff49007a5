"""The plot of the mean error by segment.

A segment is the rows with one value of a column or, for a column of many numbers, with values
between two quartiles.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from xingu.errors import UndefinedMetricError
from xingu.plots import theme
from xingu.plots.importance import label_axis
from xingu.texts import number

MIN_ROWS, MAX_SEGMENTS, MAX_VALUES = 10, 25, 20
FEW_SEGMENTS = 8
"""More bars need more height than the other plots of a page."""


def error_by_segment(
    errors: pd.Series,
    columns: pd.DataFrame,
    measure: str,
    set_name: str | None = None,
    weight: pd.Series | None = None,
) -> "go.Figure":
    """Draw the mean error of the 25 segments with the largest one as bars, the largest on top.

    Args:
        errors: Error of each row, at least 0, shape (n,). Rows with a NaN are dropped.
        columns: Columns that define segments, same index: the 20 most frequent values of strings,
            categories, booleans and numbers with up to 12 values; the quartiles of other numbers.
            Datetimes and values that cannot be hashed are ignored.
        measure: Name of the error, for the axis.
        set_name: Name of the set, for the title.
        weight: Weight of each row, at least 0, same index; None: equal weights.

    Raises:
        UndefinedMetricError: If no segment has 10 rows.
    """
    weight = pd.Series(1.0, errors.index) if weight is None else weight.astype("float64")
    known = (errors.notna() & (weight > 0)).to_numpy()
    values, weights = errors[known].to_numpy(), weight[known].to_numpy()
    columns, found = columns.loc[known], []
    for name, codes, labels in _segments(columns):
        groups, size = codes + 1, len(labels) + 1  # group 0 is missing values
        rows = np.bincount(groups, minlength=size)[1:]
        count = np.bincount(groups, weights, minlength=size)[1:]
        total = np.bincount(groups, weights * values, minlength=size)[1:]
        found += [
            (total[one] / count[one], f"{name} = {labels[one]}", int(rows[one]))
            for one in np.argsort(-rows)[:MAX_VALUES]
            if rows[one] >= MIN_ROWS
        ]
    if not found:
        raise UndefinedMetricError(f"no segment has {MIN_ROWS} rows")
    worst = sorted(found, key=lambda one: -one[0])[:MAX_SEGMENTS]
    overall = float(np.average(values, weights=weights))
    return _bars(worst, overall, measure, len(found)).update_layout(
        title_text=theme.titled("Error by segment", set_name)
    )


def _bars(
    worst: list[tuple[float, str, int]], overall: float, measure: str, found: int
) -> "go.Figure":
    bars = go.Bar(
        x=[mean for mean, _, _ in worst],
        y=list(range(len(worst))),
        orientation="h",
        name=measure,
        showlegend=False,
        marker={"color": theme.BLUE},
        customdata=[[name, size] for _, name, size in worst],
        hovertemplate="%{customdata[0]}<br>%{x:.5~g} (%{customdata[1]:,} rows)<extra></extra>",
    )
    line = theme.reference_line([overall] * 2, [-0.5, len(worst) - 0.5], "all rows")
    shown = f"the worst {len(worst)} of {found} segments" if len(worst) < found else "all segments"
    return theme.new_figure(
        [bars, line], "", f"{shown}; all rows: {number(overall)}", measure, ""
    ).update_layout(
        xaxis_rangemode="tozero",
        yaxis=label_axis([name for _, name, _ in worst], [f"({size:,})" for _, _, size in worst]),
        bargap=0.25,
        height=180 + 20 * len(worst) if len(worst) > FEW_SEGMENTS else None,
    )


def _segments(columns: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, Sequence[Any]]]:
    """Yield the name of each column, the segment of each row (-1: none), and labels of segments."""
    for name in columns:
        column = columns[name]
        if not isinstance(column, pd.Series):
            continue
        try:
            yield str(name), *_grouped(column)
        except TypeError:  # values that cannot be compared or hashed, such as lists
            continue


def _grouped(column: pd.Series) -> tuple[np.ndarray, Sequence[Any]]:
    """Return codes and values of `column`; for many numbers, codes and labels of quartiles."""
    if pd.api.types.is_datetime64_any_dtype(column):
        raise TypeError("datetimes do not define segments")
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if not numeric or column.nunique() <= 12:
        return pd.factorize(column, sort=False)  # type: ignore[return-value]
    numbers = column.to_numpy(dtype="float64", na_value=np.nan)
    edges = np.unique(np.nanquantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    labels = [f"{low:.4g} – {high:.4g}" for low, high in pairwise(edges)]
    places = np.searchsorted(edges[1:-1], numbers, side="left")
    return np.where(np.isnan(numbers), -1, places), labels
