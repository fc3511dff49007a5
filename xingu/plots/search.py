"""Plots of a hyperparameter search: history, parallel coordinates, importances.

Every hyperparameter is drawn as a number: its value, the logarithm of a value that spans a wide
range, or for other types the position among the sorted values that were tried.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from xingu.errors import UndefinedMetricError
from xingu.plots import theme
from xingu.plots.builtin import Draw
from xingu.plots.importance import importance, shortened
from xingu.records import Trial

MIN_TRIALS = 8
"""With fewer trials, the importance of hyperparameters would be noise."""
WIDE = 20
"""An axis is logarithmic if its maximum is more than this many times its minimum."""
MAX_TICKS = 16
"""Number of labels that fit on an axis."""
MAX_LABEL, MAX_LABELS = 22, 130
"""Characters of one label above an axis, and of all labels side by side without overlap."""


def search_plots(trials: Sequence[Trial], metric: str, direction: str) -> dict[str, Draw]:
    """Return the functions that draw the plots of a search, by plot name.

    Trials without a finite value are counted but not drawn; without any other trial there are no
    plots.

    Args:
        trials: Trials in the order in which they began.
        metric: Name of the metric that is the trials' `value`.
        direction: ``minimize`` or ``maximize``.
    """
    done = _measured(trials)
    if not done:
        return {}
    plots: dict[str, Draw] = {
        "Optimization history": partial(history, trials, metric, direction),
        "Parallel coordinates": partial(parallel_coordinates, done, metric, direction),
    }
    if len(done) >= MIN_TRIALS:
        plots["Hyperparameter importance"] = partial(hyperparameter_importance, done, metric)
    return plots


def history(trials: Sequence[Trial], metric: str, direction: str) -> "go.Figure":
    """Draw the value of each trial and the best value so far."""
    done = _measured(trials)
    numbers, values = [trial.number + 1 for trial in done], _values(done)
    best = list(accumulate(values, min if direction == "minimize" else max))
    texts = ["<br>".join(f"{k}: {_text(v)}" for k, v in one.params.items()) for one in done]
    dots = go.Scatter(
        x=numbers,
        y=values,
        mode="markers",
        name="trial",
        marker={"color": theme.BLUE, "size": 9},
        customdata=texts,
        hovertemplate="trial %{x}: %{y:.6~g}<br>%{customdata}<extra></extra>",
    )
    line = go.Scatter(
        x=numbers, y=best, mode="lines", name="best so far",
        line={"color": theme.ORANGE, "width": 3, "shape": "hv"}, hoverinfo="skip",
    )  # fmt: skip
    failed = len(trials) - len(done)
    counted = f"{len(trials)} trial{'s'[: len(trials) > 1]}"
    counted += f", {failed} of them failed" if failed else ""
    note = f"{counted}; {'lower' if direction == 'minimize' else 'higher'} is better"
    figure = theme.new_figure([line, dots], "Optimization history", note, "trial", metric)
    room = max(0.5, numbers[-1] / 50)
    step = 1 if numbers[-1] <= MAX_TICKS else None
    figure.update_xaxes(range=[1 - room, numbers[-1] + room], dtick=step)
    if _is_wide(pd.Series(values)):
        axis = _axis(metric, pd.Series(values))
        ticks = [10**place for place in axis["tickvals"]]
        figure.update_yaxes(type="log", tickvals=ticks, ticktext=axis["ticktext"])
    return figure


def parallel_coordinates(done: Sequence[Trial], metric: str, direction: str) -> "go.Figure":
    """Draw each trial as a line through its hyperparameters, coloured by its rank."""
    values = pd.Series(_values(done))
    columns = [(metric, values), *_columns(done).items()]
    # Colour by rank: by value, a few bad trials would give all others the same colour.
    ranks = values.rank(ascending=direction == "maximize")
    lines = go.Parcoords(
        line={"color": ranks, "colorscale": "Viridis", "reversescale": True},
        dimensions=[_axis(name, column) for name, column in columns],
    )
    note = "the darker, the better; drag along an axis to select trials"
    figure = theme.new_figure([lines], "Parallel coordinates", note, "", "")
    longest = min(MAX_LABEL, max(len(name) for name, _ in columns))
    if longest * len(columns) <= MAX_LABELS:
        return figure.update_layout(margin={"t": 140, "l": 90, "r": 60, "b": 60})
    # Tilted labels overlap the numbers at the ends of axes, so these are made invisible.
    figure.update_traces(labelangle=-25, rangefont={"color": "rgba(0,0,0,0)"})
    return figure.update_layout(margin={"t": 170, "l": 90, "r": 90, "b": 60})


def hyperparameter_importance(done: Sequence[Trial], metric: str) -> "go.Figure":
    """Draw the importance of each hyperparameter in a forest that predicts `metric` from them.

    Raises:
        UndefinedMetricError: If no hyperparameter changes `metric`.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    columns = _columns(done)
    frame = pd.DataFrame({name: _scaled(column) for name, column in columns.items()})
    forest = ExtraTreesRegressor(200, min_samples_leaf=2, random_state=0)
    forest.fit(frame.to_numpy(), _values(done))
    shares = pd.Series(forest.feature_importances_, index=list(columns))
    if not shares.any():
        raise UndefinedMetricError(f"no hyperparameter makes a difference in {metric}")
    title = {"text": "Hyperparameter importance"}
    subtitle = {"text": f"share of the variance of {metric} that a forest explains with each"}
    return importance(shares).update_layout(title={**title, "subtitle": subtitle})


def _measured(trials: Sequence[Trial]) -> list[Trial]:
    return [one for one in trials if one.value is not None and math.isfinite(one.value)]


def _values(done: Sequence[Trial]) -> list[float]:
    return [float(trial.value or 0) for trial in done]


def _columns(done: Sequence[Trial]) -> Mapping[str, pd.Series]:
    def column(name: str) -> pd.Series:
        # dtype object: None among numbers would become NaN otherwise.
        return pd.Series([trial.params.get(name) for trial in done], dtype=object)

    return {str(name): column(name) for name in done[0].params}


def _is_number(column: pd.Series) -> bool:
    return all(isinstance(value, Real) and not isinstance(value, bool) for value in column)


def _is_wide(column: pd.Series) -> bool:
    return column.min() > 0 and column.max() > column.min() * WIDE


def _scaled(column: pd.Series) -> np.ndarray:
    if not _is_number(column):
        return pd.factorize(column.map(str), sort=True)[0].astype("float64")
    numbers = column.astype("float64")
    return np.log10(numbers.to_numpy()) if _is_wide(numbers) else numbers.to_numpy()


def _axis(name: str, column: pd.Series) -> dict[str, Any]:
    places, ticks = _scaled(column), {}
    at = np.unique(places)
    if not _is_number(column):
        ticks = dict(zip(at, sorted(set(column.map(str))), strict=True))
    elif _is_wide(column.astype("float64")):
        ticks = {place: f"{10**place:.4g}" for place in _round_numbers(at[0], at[-1])}
    elif len(at) == 1 or np.diff(at).min() * MAX_TICKS >= at[-1] - at[0]:
        ticks = {place: f"{place:.6g}" for place in at}
    texts = [shortened(text, MAX_LABEL) for text in ticks.values()]
    axis = {"label": shortened(name, MAX_LABEL), "values": places}
    return {**axis, "tickvals": list(ticks), "ticktext": texts} if ticks else axis


def _round_numbers(low: float, high: float) -> list[float]:
    """Return log10 of the tick positions: both ends, and round numbers not too close to them."""
    steps, distance = (1, 2, 5) if high - low < 3 else (1,), (high - low) / MAX_TICKS
    decades = range(math.floor(low), math.ceil(high))
    numbers = [decade + math.log10(step) for decade in decades for step in steps]
    inside = [one for one in numbers if low + distance < one < high - distance]
    return [low, *inside[:: 1 + len(inside) // MAX_TICKS], high]


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
