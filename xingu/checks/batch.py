"""Checks of a batch against the training data of its Model."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence

import pandas as pd

from xingu.checks.check import Check
from xingu.checks.drift import Drift, column_drift, sampled
from xingu.checks.outcome import SHOWN, Limits, Outcome, not_applicable
from xingu.checks.subjects import BatchEstimations, BatchFeatures
from xingu.model.categories import equivalents
from xingu.model.reference import FeatureReference, is_numeric, numbers_of, texts_of

References = Mapping[str, FeatureReference]


def known_values(features: pd.DataFrame, references: References, limits: Limits) -> Outcome:
    """Check that features are inside the ranges and categories of the training data.

    Args:
        features: The batch.
        references: Distributions in the training data, by feature.
        limits: `share` of the rows of a feature that may be outside, in [0, 1]; `ignore`: features.
    """
    counted = []
    for name, reference in _comparable(features, references, limits["ignore"]):
        outside, example = _outside(features[name], reference)
        by_chance = 2 * len(features) / max(1, reference.rows)
        tolerated = max(limits["share"] * len(features), by_chance + 3 * math.sqrt(by_chance))
        if outside:
            counted.append((outside > tolerated, outside, name, example, reference))
    counted.sort(key=lambda row: row[:2], reverse=True)
    wrong = [name for failed, _, name, _, _ in counted if failed]
    text = "Features are inside the ranges and categories of the training data."
    if wrong:
        _, outside, name, example, _ = counted[0]
        text = (
            f"{name!r} is outside the training data in {outside:,} of {len(features):,} rows, "
            f"for example {example}."
        )
    table = [
        {"feature": name, "rows outside": rows, "example": example, "seen in training": _seen(one)}
        for _, rows, name, example, one in counted[:SHOWN]
    ]
    worst = max((row[1] for row in counted), default=0)
    figures = {"features outside": len(wrong), "most rows outside": worst, "rows": len(features)}
    return Outcome(not wrong, text, figures, table)


def feature_drift(features: pd.DataFrame, references: References, limits: Limits) -> Outcome:
    """Check that features are distributed as in training.

    Args:
        features: The batch.
        references: Distributions in the training data, by feature.
        limits: Tolerated `psi` and `ks`; `ignore`: features.
    """
    features = sampled(features)
    compared = _comparable(features, references, limits["ignore"])
    drifts = {name: column_drift(one, features[name]) for name, one in compared}
    return _drift_outcome(drifts, limits)


def estimation_drift(
    estimations: pd.Series, reference: FeatureReference | None, limits: Limits
) -> Outcome:
    """Check that estimations are distributed as in training; see `feature_drift`."""
    if reference is None:
        return not_applicable("the model has no distribution of its estimations in training")
    return _drift_outcome({"estimation": column_drift(reference, estimations)}, limits)


def _drift_outcome(drifts: Mapping[str, Drift | None], limits: Limits) -> Outcome:
    known = [(name, drift) for name, drift in drifts.items() if drift is not None]
    if not known:
        return not_applicable("nothing can be compared")
    known.sort(key=lambda item: -item[1].psi)
    drifted = [name for name, one in known if one.exceeds(limits["psi"], limits["ks"])]
    distances = [drift.ks for _, drift in known if not math.isnan(drift.ks)]
    name, worst = known[0]
    text = f"Highest PSI: {worst.psi:.3f} of {name!r}."
    if drifted:
        more = f" and {len(drifted) - 5} more" if len(drifted) > 5 else ""
        names = f"{', '.join(drifted[:5])}{more}"
        text = f"{len(drifted)} of {len(known)} have drifted: {names}. {text}"
    table = [
        {
            "column": name,
            "PSI": round(one.psi, 4),
            "KS": "" if math.isnan(one.ks) else round(one.ks, 4),
            "PSI by chance": round(one.psi_by_chance, 4),
            "drifted": name in drifted,
        }
        for name, one in known[:SHOWN]
    ]
    figures = {"highest PSI": worst.psi, "drifted": len(drifted), "compared": len(known)}
    if distances:
        figures["highest KS"] = max(distances)
    return Outcome(not drifted, text, figures, table)


def _comparable(
    features: pd.DataFrame, references: References, ignore: Collection[str]
) -> Sequence[tuple[str, FeatureReference]]:
    """Return the features that are one column of the batch, with their references."""
    return [
        (name, reference)
        for name, reference in references.items()
        if name in features and name not in ignore and isinstance(features[name], pd.Series)
    ]


def _outside(column: pd.Series, reference: FeatureReference) -> tuple[int, str]:
    """Return the number of values that are not in the training data, and one of them."""
    if reference.kind == "numeric" and is_numeric(column):
        if reference.minimum is None or reference.maximum is None:
            return 0, ""
        numbers = numbers_of(column)
        outside = numbers[(numbers < reference.minimum) | (numbers > reference.maximum)]
        return len(outside), f"{outside[0]:.6g}" if len(outside) else ""
    if reference.kind == "numeric":
        values = column.dropna()
        return len(values), f"{values.iloc[0]!r} where numbers were" if len(values) else ""
    if not reference.complete:
        return 0, ""
    if (texts := texts_of(column)) is not None:
        counts = texts.value_counts()
        unseen = counts[(counts > 0) & ~counts.index.astype(str).isin(reference.categories)]
        return int(unseen.sum()), str(unseen.index[0]) if len(unseen) else ""
    counts = column.value_counts()
    unseen = counts[equivalents(counts.index, pd.Index(reference.categories)) < 0]
    return int(unseen.sum()), f"{unseen.index[0]} where text was" if len(unseen) else ""


def _seen(reference: FeatureReference) -> str:
    if reference.kind == "numeric":
        return f"{reference.minimum:.6g} … {reference.maximum:.6g}"
    return ", ".join(reference.categories[:10])


def _of_features(
    compute: Callable[[pd.DataFrame, References, Limits], Outcome],
) -> Callable[[BatchFeatures, Limits], Outcome]:
    def computed(subject: BatchFeatures, limits: Limits) -> Outcome:
        if subject.reference is None:
            return not_applicable("the model was saved without a reference; train it again")
        return compute(subject.batch, subject.reference.features, limits)

    return computed


def _estimation_drift(subject: BatchEstimations, limits: Limits) -> Outcome:
    known = subject.reference.estimations if subject.reference else None
    return estimation_drift(next(iter(subject.estimations.values())), known, limits)


DRIFT: Mapping[str, float] = {"psi": 0.25, "ks": 0.2}

CHECKS = (
    Check(
        name="known_values",
        assets=(("batch", "features"),),
        title="Features are inside the ranges and categories of the training data.",
        severity="warn",
        compute=_of_features(known_values),
        limits={"share": 0.01, "ignore": ()},
    ),
    Check(
        name="feature_drift",
        assets=(("batch", "features"),),
        title="Features are distributed as in training.",
        severity="warn",
        compute=_of_features(feature_drift),
        limits={**DRIFT, "ignore": ()},
    ),
    Check(
        name="estimation_drift",
        assets=(("batch", "estimations"),),
        title="Estimations are distributed as in training.",
        severity="warn",
        compute=_estimation_drift,
        limits=DRIFT,
    ),
)
