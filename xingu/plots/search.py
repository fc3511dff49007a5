"""Plots of a search: how it went, which points it tried, and what mattered.

Its one idea: every hyperparameter becomes a number first, the position of a text among the texts
that were tried. It knows trials, and no method of search.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from xingu.plots import theme
from xingu.plots.importance import importance
from xingu.tuning.trials import Trial

LEAST_TRIALS = 8
"""With fewer, the importance of hyperparameters would be noise."""
WIDE = 100
"""A range is drawn by its logarithm where its ends are so many times apart."""


def search_plots(trials: Sequence[Trial], metric: str, direction: str) -> dict[str, "go.Figure"]:
    """Draw a search; trials that failed are only counted.

    Args:
        trials: The trials, in their order.
        metric: What their `value` is.
        direction: ``minimize`` or ``maximize``.
    """
    done = [trial for trial in trials if trial.value is not None]
    if not done:
        return {}
    figures = {
        "Optimization history": history(trials, metric, direction),
        "Parallel coordinates": parallel_coordinates(done, metric, direction),
    }
    if len(done) >= LEAST_TRIALS:
        title = {"text": "Importance of hyperparameters"}
        subtitle = f"share of the differences in {metric} that a forest explains with each"
        figures["Hyperparameter importance"] = importance(
            hyperparameter_importance(done)
        ).update_layout(title={**title, "subtitle": {"text": subtitle}})
    return figures


def history(trials: Sequence[Trial], metric: str, direction: str) -> "go.Figure":
    """Draw the value of each trial, and the best so far."""
    done = [trial for trial in trials if trial.value is not None]
    numbers = [trial.number + 1 for trial in done]
    values = [float(trial.value or 0) for trial in done]
    best = list(accumulate(values, min if direction == "minimize" else max))
    texts = ["<br>".join(f"{k}: {v}" for k, v in trial.params.items()) for trial in done]
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
    counted = f"{len(trials)} trials, {failed} of them failed" if failed else f"{len(done)} trials"
    note = f"{counted}; {'lower' if direction == 'minimize' else 'higher'} is better"
    return theme.new_figure([line, dots], "Optimization history", note, "trial", metric)


def parallel_coordinates(done: Sequence[Trial], metric: str, direction: str) -> "go.Figure":
    """Draw each trial as a line through its hyperparameters, coloured by its value."""
    values = [float(trial.value or 0) for trial in done]
    axes = [_axis(str(name), column) for name, column in _columns(done).items()]
    lines = go.Parcoords(
        line={
            "color": values,
            "colorscale": "Viridis",
            "reversescale": direction == "minimize",
            "showscale": True,
            "colorbar": {"title": {"text": metric}},
        },
        dimensions=[{"label": metric, "values": values}, *axes],
    )
    figure = theme.new_figure(
        [lines], "Parallel coordinates", "drag along an axis to select trials; yellow is best",
        "", "",
    )  # fmt: skip
    return figure.update_layout(margin={"t": 140, "l": 90, "r": 60, "b": 60})


def hyperparameter_importance(done: Sequence[Trial]) -> pd.Series:
    """Return what share of the values' differences a forest explains with each hyperparameter."""
    from sklearn.ensemble import ExtraTreesRegressor

    columns = _columns(done)
    frame = pd.DataFrame({name: _scaled(column) for name, column in columns.items()})
    forest = ExtraTreesRegressor(200, min_samples_leaf=2, random_state=0)
    forest.fit(frame.to_numpy(), [float(trial.value or 0) for trial in done])
    return pd.Series(forest.feature_importances_, index=list(columns))


def _columns(done: Sequence[Trial]) -> Mapping[str, pd.Series]:
    names = list(done[0].params)
    return {name: pd.Series([trial.params.get(name) for trial in done]) for name in names}


def _is_number(column: pd.Series) -> bool:
    return all(type(value) in (int, float) for value in column)


def _is_wide(column: pd.Series) -> bool:
    return column.min() > 0 and column.max() / column.min() > WIDE


def _scaled(column: pd.Series) -> np.ndarray:
    if not _is_number(column):
        return pd.factorize(column.map(str), sort=True)[0].astype("float64")
    numbers = column.astype("float64")
    return np.log10(numbers.to_numpy()) if _is_wide(numbers) else numbers.to_numpy()


def _axis(name: str, column: pd.Series) -> dict[str, object]:
    places = _scaled(column)
    axis: dict[str, object] = {"label": name, "values": places}
    if not _is_number(column):
        labels = sorted(set(column.map(str)))
        return {**axis, "tickvals": list(range(len(labels))), "ticktext": labels}
    if _is_wide(column.astype("float64")):
        ticks = np.linspace(places.min(), places.max(), 6)
        return {**axis, "tickvals": ticks, "ticktext": [f"{10**tick:.3g}" for tick in ticks]}
    return axis
