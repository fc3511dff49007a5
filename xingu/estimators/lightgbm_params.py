"""The parameters of LightGBM: one name for each, whichever alias was used."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lightgbm.basic import _ConfigAliases

from xingu.errors import DeclarationError, did_you_mean

# Of LightGBM's scikit-learn classes: ours (class_weight), and those without a meaning here.
OWN = {"class_weight": "class_weight"}
IGNORED = {"importance_type", "silent"}
ROW_OR_COLUMN = {"force_row_wise", "force_col_wise"}


def lightgbm_params(
    params: Mapping[str, Any], hyperparams: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """Return both under LightGBM's own names; `hyperparams` win, and None means the default.

    The same data, parameters and number of threads give the same model, unless `deterministic`
    is set to False.

    Raises:
        DeclarationError: If LightGBM has no such parameter; it would be ignored otherwise.
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
    # Timing decides between the two ways otherwise, and they add up in another order.
    if not ROW_OR_COLUMN & merged.keys():
        merged["force_col_wise"] = True
    return {name: value for name, value in merged.items() if value is not None}


@cache
def _main_names() -> Mapping[str, str]:
    """LightGBM's own name of every name that it knows."""
    aliases = _ConfigAliases._get_all_param_aliases()
    return {alias: main for main, names in aliases.items() for alias in names} | OWN
