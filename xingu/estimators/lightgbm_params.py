"""Resolve the aliases of LightGBM's parameters to their main names."""

import pickle
from collections.abc import Mapping
from functools import cache
from typing import Any

from lightgbm.basic import _ConfigAliases

from xingu.errors import DeclarationError, did_you_mean

# Parameters of LightGBM's scikit-learn classes: handled by the Estimator, or without effect here.
OWN = {"class_weight": "class_weight"}
IGNORED = {"importance_type", "silent"}
# They name columns of LightGBM's text files, and would be ignored.
OF_FILES = {"ignore_column", "weight_column", "label_column", "group_column"}
OF_CLASSES = {
    "binary", "cross_entropy", "xentropy",
    "multiclass", "softmax", "multiclassova", "multiclass_ova", "ova", "ovr",
}  # fmt: skip
"""Objectives that return probabilities."""
OF_TWO_CLASSES = {"binary", "cross_entropy", "xentropy"}
OF_SCORES = {"auc", "average_precision", "auc_mu", "none", "na", "null", "custom"}
"""Metrics of a classifier that are the same for scores and for probabilities, or none."""
ROW_OR_COLUMN = {"force_row_wise", "force_col_wise"}


def lightgbm_params(
    params: Mapping[str, Any], hyperparams: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """Return all parameters under their main names, plus defaults for reproducible training.

    The same data, parameters and number of threads give the same model, unless `deterministic`
    is set to False.

    Args:
        params: Parameters by main name or alias; None means LightGBM's default.
        hyperparams: The same; they override `params`.
        owner: Name of the Estimator, for errors.

    Raises:
        DeclarationError: If a parameter is unknown to LightGBM, or without effect on frames, or a
            function other than the objective.
    """
    main_names = _main_names()
    merged: dict[str, Any] = {"verbosity": -1, "deterministic": True}
    for name, value in (*params.items(), *hyperparams.items()):
        if name in IGNORED:
            continue
        if name not in main_names:
            raise DeclarationError(
                f"{owner}: LightGBM has no parameter {name!r}."
                f"{did_you_mean(name, main_names.values())}",
                parameter=name,
            )
        main = main_names[name]
        if main in OF_FILES:
            raise DeclarationError(
                f"{owner}: {name!r} names columns of LightGBM's text files and has no effect; "
                "declare features, y and sample_weight of the DataProvider.",
                parameter=name,
            )
        if callable(value) and main != "objective":
            raise DeclarationError(
                f"{owner}: {name!r} is a function; only the objective may be one.", parameter=name
            )
        merged[main] = value
    _check_storable(merged.get("objective"), owner)
    # By default LightGBM chooses by timing, and the two sum in different orders.
    if not ROW_OR_COLUMN & merged.keys():
        merged["force_col_wise"] = True
    return {name: value for name, value in merged.items() if value is not None}


def check_objective(params: Mapping[str, Any], owner: str) -> None:
    """Refuse an objective from which a classifier gets no probabilities, and metrics of one's own.

    LightGBM passes scores to its metrics if the objective is a function.

    Args:
        params: Parameters of a classifier, by main name.
        owner: Name of the Estimator, for errors.

    Raises:
        DeclarationError: If it refuses one.
    """
    objective, metrics = params.get("objective"), params.get("metric") or ()
    if not callable(objective):
        if objective is not None and objective not in OF_CLASSES:
            raise DeclarationError(
                f"{owner}: the objective {objective!r} returns no probabilities; use 'binary', "
                "'multiclass', 'multiclassova', 'cross_entropy' or a function, or remove it.",
                objective=objective,
            )
        return
    names = metrics.split(",") if isinstance(metrics, str) else metrics
    wrong = [name for name in names if str(name).strip().lower() not in OF_SCORES]
    if wrong:
        raise DeclarationError(
            f"{owner}: with an objective of your own, LightGBM measures {wrong[0]!r} on scores "
            "instead of probabilities; use 'auc' or 'average_precision', or remove metric: the "
            "log loss of the probabilities is measured.",
            metric=wrong[0],
        )


def _check_storable(objective: Any, owner: str) -> None:
    try:
        pickle.dumps(objective)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise DeclarationError(
            f"{owner}: the objective cannot be stored with the model ({error}); define the "
            "function at the top of a module."
        ) from error


@cache
def _main_names() -> Mapping[str, str]:
    """Return the main name of every main name and alias."""
    aliases = _ConfigAliases._get_all_param_aliases()
    return {alias: main for main, names in aliases.items() for alias in names} | OWN
