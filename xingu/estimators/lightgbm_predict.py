"""Predict many rows with a LightGBM booster, a few trees at a time.

LightGBM evaluates all trees for one row before the next row, and spends a third to half of the time
waiting for memory. Here all rows are evaluated on a few trees, which fit into the cache of a core,
before the next few (ADR 0010).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import lightgbm as lgb
import numpy as np

MIN_ROWS = 500
"""With fewer rows, the overhead of more calls exceeds the gain."""
LEAVES_AT_ONCE = 640
"""Number of leaves of the trees that are evaluated together; a leaf takes about 30 bytes."""

Link = Callable[[np.ndarray], np.ndarray]


def predict(booster: lgb.Booster, matrix: np.ndarray, params: Mapping[str, Any]) -> np.ndarray:
    """Return the result of ``booster.predict``, up to rounding in the last of 16 digits.

    Args:
        booster: A fitted booster.
        matrix: Features in the order of fitting, shape (n, features).
        params: Prediction parameters of LightGBM.

    Returns:
        Shape (n,), or (n, classes) for more than two classes.
    """
    if len(matrix) < MIN_ROWS:
        return np.asarray(booster.predict(matrix, **params))
    header = booster.model_to_string(num_iteration=1)
    link = _link(header)
    if link is None:
        return np.asarray(booster.predict(matrix, **params))
    trees = max(1, LEAVES_AT_ONCE // _leaves(header))
    raw = np.zeros(len(matrix))
    for first in range(0, booster.num_trees(), trees):
        part = booster.predict(
            matrix, start_iteration=first, num_iteration=trees, raw_score=True, **params
        )
        raw += np.asarray(part)
    return link(raw)


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Return probabilities of the scores that an objective of one's own yields.

    Args:
        scores: Shape (n,) for two classes, or (n, classes).

    Returns:
        The sigmoid of the scores, or their softmax; of the same shape.
    """
    if scores.ndim == 1:
        return _sigmoid(1.0)(scores)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def log_loss(scores: np.ndarray, data: lgb.Dataset) -> tuple[str, float, bool]:
    """Return the log loss of `probabilities`, in the form of a metric function of LightGBM."""
    chances, codes = probabilities(scores), np.asarray(data.get_label(), dtype=np.intp)
    if chances.ndim == 1:
        chances = np.column_stack([1.0 - chances, chances])
    of_truth = np.maximum(chances[np.arange(len(codes)), codes], np.finfo(float).tiny)
    weights: Any = data.get_weight()
    return "log_loss", float(np.average(-np.log(of_truth), weights=weights)), False


def _link(header: str) -> Link | None:
    """Return the inverse link function of the objective, applied to the sum of the trees.

    None if predictions are not a function of that sum, or the objective is unknown. The formulas
    are those of the objectives in LightGBM's documentation.
    """
    found = re.search(r"^objective=(\w+)(.*)$", header, re.MULTILINE)
    if found is None or re.search(r"^average_output$", header, re.MULTILINE):
        return None
    match found[1], found[2].split():
        case (("regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape"), options):
            return None if "sqrt" in options else lambda raw: raw
        case (("poisson" | "gamma" | "tweedie"), _):
            return np.exp
        case "binary", [option] if option.startswith("sigmoid:"):
            return _sigmoid(float(option.removeprefix("sigmoid:")))
        case "cross_entropy", _:
            return _sigmoid(1.0)
    return None


def _sigmoid(steepness: float) -> Link:
    def link(raw: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # 1 / infinity is the correct limit
            return 1.0 / (1.0 + np.exp(-steepness * raw))

    return link


def _leaves(header: str) -> int:
    found = re.search(r"^\[num_leaves: (\d+)\]$", header, re.MULTILINE)
    return int(found[1]) if found else 31
