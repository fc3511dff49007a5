"""Trains side by side: what is known of them, their parameters, and their metrics by set."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xingu.errors import UntrainedModelError, did_you_mean
from xingu.inventory.database import ControlDB
from xingu.inventory.trains import TrainFilter, attributes_of, find_trains, model_metrics


@dataclass(frozen=True, slots=True)
class Report:
    """Trains side by side; every frame has one column for each train, named by its `train_id`.

    Attributes:
        trains: Their ids and times: one row each, newest first.
        attributes: What is known of them, by name; parameters are left out.
        hyperparameters: Parameters of the algorithm, by name.
        metrics: Values by DataProvider, set and name: numbers, or texts.
        differences: Numbers of `metrics`, less those of the reference train; None without one.
    """

    trains: pd.DataFrame
    attributes: pd.DataFrame
    hyperparameters: pd.DataFrame
    metrics: pd.DataFrame
    differences: pd.DataFrame | None

    def _repr_html_(self) -> str:
        """Show the frames in a notebook."""
        frames = {
            "Trains": self.trains,
            "Metrics": self.metrics,
            "Differences": self.differences,
            "Hyperparameters": self.hyperparameters,
            "Attributes": self.attributes,
        }
        parts = [
            f"<h4>{title}</h4>{frame.to_html(na_rep='')}"
            for title, frame in frames.items()
            if frame is not None and len(frame)
        ]
        return "".join(parts)


def compare_trains(
    db: ControlDB, wanted: TrainFilter, reference_train_id: str | None = None
) -> Report:
    """Put trains side by side.

    Raises:
        UntrainedModelError: If there is no such train, or the reference is none of them.
    """
    trains = find_trains(db, wanted)
    if trains.empty:
        raise UntrainedModelError(
            f"The control DB ({db.identity}) has no train that fits {wanted}; train first, or ask "
            "for less."
        )
    order = list(dict.fromkeys(trains["train_id"]))
    if reference_train_id is not None and reference_train_id not in order:
        raise UntrainedModelError(
            f"The reference {reference_train_id!r} is none of the {len(order)} trains that are "
            f"compared; add it to train_ids.{did_you_mean(reference_train_id, order)}",
            train_id=reference_train_id,
        )
    wide = _metrics_of(db, wanted, trains, order)
    differences = None
    if reference_train_id is not None:
        numbers = wide.apply(pd.to_numeric, errors="coerce")
        differences = numbers.sub(numbers[reference_train_id], axis=0).dropna(how="all")
    known = attributes_of(db, wanted)
    is_hyperparam = known["attribute"] == "hyperparam"
    return Report(
        trains=trains,
        attributes=_wide(known[~is_hyperparam], ["attribute"], "value", order),
        hyperparameters=_parameters_of(known[is_hyperparam], order),
        metrics=wide,
        differences=differences,
    )


def _metrics_of(
    db: ControlDB, wanted: TrainFilter, trains: pd.DataFrame, order: list[str]
) -> pd.DataFrame:
    metrics = model_metrics(db, TrainFilter(wanted.train_ids, wanted.dataprovider_ids))
    metrics = metrics[metrics["train_id"].isin(trains["train_id"])]
    value = metrics["value_number"].astype(object)
    texts = metrics["value_number"].isna() & metrics["value_text"].notna()
    metrics = metrics.assign(value=value.where(~texts, metrics["value_text"]))
    return _wide(metrics, ["dataprovider_id", "set", "name"], "value", order)


def _wide(rows: pd.DataFrame, index: list[str], value: str, order: list[str]) -> pd.DataFrame:
    last = rows.drop_duplicates([*index, "train_id"], keep="last")
    table = last.set_index([*index, "train_id"])[value].unstack("train_id")
    return table.reindex(columns=order)


def _parameters_of(rows: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    by_train: dict[str, dict[str, Any]] = {}
    for train_id, text in rows[["train_id", "value"]].itertuples(index=False):
        saved = json.loads(text)
        by_train[train_id] = {**(saved.get("params") or {}), **(saved.get("hyperparams") or {})}
    return pd.DataFrame(by_train, dtype=object).reindex(columns=order)
