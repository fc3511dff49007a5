"""Resolve the aliases of LightGBM's parameters to their main names."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lightgbm.basic import _ConfigAliases

from xingu.errors import DeclarationError, did_you_mean

# Parameters of LightGBM's scikit-learn classes: handled by the Estimator, or without effect here.
OWN = {"class_weight": "class_weight"}
IGNORED = {"importance_type", "silent"}
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
        DeclarationError: If a parameter is unknown to LightGBM, which would ignore it.
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
        merged[main_names[name]] = value
    # By default LightGBM chooses by timing, and the two sum in different orders.
    if not ROW_OR_COLUMN & merged.keys():
        merged["force_col_wise"] = True
    return {name: value for name, value in merged.items() if value is not None}


@cache
def _main_names() -> Mapping[str, str]:
    """Return the main name of every main name and alias."""
    aliases = _ConfigAliases._get_all_param_aliases()
    return {alias: main for main, names in aliases.items() for alias in names} | OWN
