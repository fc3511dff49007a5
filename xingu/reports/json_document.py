"""Convert a Comparison to records for programs, with values that JSON can represent.

Nothing is shortened or rounded. Infinite numbers become strings, as in the control DB, and NaN
becomes null.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from xingu.reports.compare import Comparison
from xingu.reports.view import dataproviders_of, metrics_of, names_shown, own, trains_shown

VERDICTS = {1: "better", -1: "worse", 0: None}


def report_records(report: Comparison, limit: int | None = None) -> list[dict[str, Any]]:
    """Return a record per DataProvider with its `trains`, newest first, and the `reference`.

    Args:
        report: The comparison.
        limit: Maximum number of trains per DataProvider, including the reference; None: all.
    """
    found = []
    for dp_id in dataproviders_of(report):
        trains = _trains(report, dp_id, trains_shown(report, dp_id, limit or len(report.trains)))
        reference = report.references.get(dp_id)
        found.append({"dataprovider_id": dp_id, "reference": reference, "trains": trains})
    return found


def _trains(report: Comparison, dp_id: str, trains: pd.DataFrame) -> list[dict[str, Any]]:
    ids = list(trains["train_id"])
    attributes = own(report.attributes, dp_id, ids).dropna(how="all")
    attributes = attributes.loc[names_shown(attributes)]
    parameters = own(report.hyperparameters, dp_id, ids)
    metrics: list[dict[str, dict[str, Any]]] = [{} for _ in ids]
    for set_name, name, values, changes, verdicts in metrics_of(report, dp_id, ids):
        for of_train, value, change, verdict in zip(
            metrics, values, changes, verdicts, strict=True
        ):
            if isinstance(value, str) or not math.isnan(value):
                of_train.setdefault(set_name, {})[name] = {
                    "value": _plain(value),
                    "difference": _plain(change),
                    "verdict": VERDICTS[int(verdict)],
                }
    return [
        {
            "train_session_id": train["train_session_id"],
            "train_id": train["train_id"],
            "time": train["time"].isoformat() if pd.notna(train["time"]) else None,
            "attributes": _plain(attributes[train["train_id"]].to_dict()),
            "hyperparameters": _plain(parameters[train["train_id"]].to_dict()),
            "metrics": of_train,
        }
        for train, of_train in zip(trains.to_dict("records"), metrics, strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
