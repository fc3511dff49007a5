"""Select and format the part of a Comparison that is shown: the newest trains of a DataProvider.

Terminal and page render the same `SideBySide`, so that both show the same values.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xingu.records import POSITIVE_CLASS
from xingu.reports.compare import Comparison
from xingu.texts import is_count, number

FACTS = (
    *("git_branch", "git_commit", "git_dirty", "user_name", "host_name", "estimator", "y"),
    *(POSITIVE_CLASS, "hyperparam_choice"),
)
"""Attributes that are shown whenever recorded; others are shown only if they differ."""
HIDDEN = ("trained", "dagster_run_id", "git_diff", "metric_directions", "metric_tolerances",
          "hyperparam_declared", "hyperparam_origin", "settings")  # fmt: skip
"""Attributes that are never shown: always different, too long, or visible as colours."""
MAX_CHARACTERS = 200
"""Longer values of attributes and hyperparameters are truncated."""
MARKS = {1: "▲", -1: "▼", 0: ""}
"""Marks of better and worse values, for readers who do not see the colours."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A metric of one train, formatted.

    Attributes:
        value: The value.
        difference: Difference from the reference; empty if there is none.
        verdict: 1 if it is better than the reference, -1 if worse, else 0.
    """

    value: str
    difference: str = ""
    verdict: int = 0


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Trains of one DataProvider, formatted.

    Attributes:
        dataprovider_id: Id of the DataProvider.
        train_ids: Ids of the trains that are shown, newest first.
        omitted: Number of trains that are not shown.
        reference: Id of the train that differences refer to.
        facts: Name of each attribute, and its value for each train.
        hyperparameters: Name of each hyperparameter that differs, and its value for each train.
        same_hyperparameters: Number of hyperparameters that do not differ.
        metrics: Set and name of each metric, and a cell for each train.
    """

    dataprovider_id: str
    train_ids: list[str]
    omitted: int
    reference: str | None
    facts: list[tuple[str, list[str]]]
    hyperparameters: list[tuple[str, list[str]]]
    same_hyperparameters: int
    metrics: list[tuple[str, str, list[Cell]]]


def side_by_side(report: Comparison, dp_id: str, limit: int) -> SideBySide:
    """Return the newest trains of a DataProvider, with the reference in place of the oldest.

    Args:
        report: The comparison.
        dp_id: Id of the DataProvider.
        limit: Maximum number of trains; the newest one and the reference are always shown.
    """
    shown, reference = trains_shown(report, dp_id, limit), report.references.get(dp_id)
    ids = list(shown["train_id"])
    parameters = own(report.hyperparameters, dp_id, ids)
    parameters = parameters.dropna(how="all")
    differ = _differ(parameters) if len(ids) > 1 else np.ones(len(parameters), bool)
    return SideBySide(
        dataprovider_id=dp_id,
        train_ids=ids,
        omitted=int((report.trains["dataprovider_id"] == dp_id).sum()) - len(ids),
        reference=reference if len(ids) > 1 else None,
        facts=_facts(shown, own(report.attributes, dp_id, ids)),
        hyperparameters=_texts(parameters[differ]),
        same_hyperparameters=int((~differ).sum()),
        metrics=_metrics(report, dp_id, ids, reference),
    )


def trains_shown(report: Comparison, dp_id: str, limit: int) -> pd.DataFrame:
    """Return the rows of `Comparison.trains` that `side_by_side` shows."""
    trains = report.trains[report.trains["dataprovider_id"] == dp_id]
    shown, reference = trains.head(limit), report.references.get(dp_id)
    if reference is None or reference in set(shown["train_id"]):
        return shown
    return pd.concat([shown.head(max(limit - 1, 1)), trains[trains["train_id"] == reference]])


def names_shown(attributes: pd.DataFrame) -> list[str]:
    """Return the names of attributes to show: `FACTS`, numbers of rows, and those that differ.

    Args:
        attributes: Attributes by name, one column per train.
    """
    names = list(attributes.index)
    rows = [name for name in names if name.startswith("rows_")]
    differ = attributes.index[_differ(attributes)]
    others = [name for name in differ if name not in {*FACTS, *HIDDEN, *rows}]
    return [*(name for name in FACTS if name in names), *rows, *others]


def metrics_of(
    report: Comparison, dp_id: str, ids: list[str]
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield set, name, values, differences and verdicts of each metric, in the order of `ids`."""
    values = own(report.metrics, dp_id, ids).dropna(how="all")
    changes = own(report.differences, dp_id, ids).reindex(values.index)
    verdicts = own(report.verdicts_of(ids), dp_id, ids).reindex(values.index).fillna(0)
    tables = [frame.to_numpy() for frame in (values, changes, verdicts)]
    for at, (set_name, name) in enumerate(values.index):
        yield set_name, name, *(table[at] for table in tables)


def own(frame: pd.DataFrame, dp_id: str, train_ids: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a DataProvider and the columns of `train_ids`, without the first level."""
    rows = frame.index.get_level_values(0) == dp_id
    return frame.loc[rows, list(train_ids)].droplevel(0)


def dataproviders_of(report: Comparison) -> list[str]:
    """Return the ids of the DataProviders, that of the newest train first."""
    return list(dict.fromkeys(report.trains["dataprovider_id"]))


def _metrics(
    report: Comparison, dp_id: str, ids: list[str], reference: str | None
) -> list[tuple[str, str, list[Cell]]]:
    rows = []
    for set_name, name, value, change, verdict in metrics_of(report, dp_id, ids):
        if name == POSITIVE_CLASS:  # an attribute, too
            continue
        whole = is_count(name)
        cells = [
            Cell(_metric(value[at], whole),
                 "" if ids[at] == reference else _signed(change[at], whole), int(verdict[at]))
            for at in range(len(ids))
        ]  # fmt: skip
        rows.append((set_name, name, cells))
    return rows


def _metric(value: Any, whole: bool) -> str:
    known = isinstance(value, float) and not math.isnan(value)
    return number(value, whole=whole) if known else _text(value)


def _signed(change: float, whole: bool) -> str:
    if math.isnan(change):
        return ""
    return "=" if change == 0 else f"{'+' if change > 0 else ''}{number(change, 3, whole=whole)}"


def _facts(shown: pd.DataFrame, attributes: pd.DataFrame) -> list[tuple[str, list[str]]]:
    times = [f"{time:%Y-%m-%d %H:%M}" if time is not pd.NaT else "" for time in shown["time"]]
    facts = [("begun (UTC)", times), ("session", list(shown["train_session_id"]))]
    attributes = attributes.dropna(how="all")
    wanted = names_shown(attributes)
    if "git_commit" in wanted:
        short = attributes.loc["git_commit"].str[:8]
        attributes = pd.concat([attributes.drop("git_commit"), short.to_frame().T])
    return facts + [
        (name.replace("_", " "), texts) for name, texts in _texts(attributes.loc[wanted])
    ]


def _differ(frame: pd.DataFrame) -> np.ndarray:
    # Compared as strings: a parameter may be a list.
    texts = frame.map(str)
    return texts.ne(texts.iloc[:, 0], axis=0).any(axis=1).to_numpy()


def _texts(frame: pd.DataFrame) -> list[tuple[str, list[str]]]:
    return [
        (str(name), [_text(value) for value in row])
        for name, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    if value is None or value is pd.NA:
        return ""
    text = str(value)
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"
