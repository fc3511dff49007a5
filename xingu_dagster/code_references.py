"""References from assets to the lines of code that make them, which the UI opens in an editor.

The lines come from the syntax trees that the code version has read already. Members that Xingu
itself declares are left out.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import dagster as dg

from xingu.checks.check import AssetPath
from xingu.model.source_declarations import BATCH_SOURCES, TRAIN_SOURCES
from xingu.provider.base import DataProvider
from xingu.provider.class_source import Place, place_of
from xingu.provider.methods import (
    BATCH_METRICS,
    BATCH_PLOTS,
    ESTIMATION_METRICS,
    FAMILIES,
    GLOBAL_METRICS,
    GLOBAL_PLOTS,
    TRAINSETS_METRICS,
    TRAINSETS_PLOTS,
)

OURS = ("xingu", "builtins", "abc")
KEY = "dagster/code_references"
_PREDICT = tuple(
    f"{when}_{kind}"
    for kind in ("predict", "predict_proba", "generic_predict")
    for when in ("pre_process_for", "post_process_after")
)
MEMBERS: Mapping[AssetPath, Sequence[str]] = {
    ("raw",): TRAIN_SOURCES,
    ("cleaned",): ("clean_data_for_train",),
    ("features",): ("feature_engineering_for_train", "last_pre_process_for_train"),
    ("splits",): ("data_split_for_train",),
    ("hyperparameters",): (
        "get_estimator_optimization_search_space",
        "estimator_hyperparams_search_space",
        "get_estimator_hyperparameters",
        "get_estimator_hyperparams",
        "estimator_hyperparams",
        "hyperopt",
    ),
    ("model",): (
        "make_estimator",
        "get_estimator_class",
        "estimator_class",
        "post_process_after_hyperparam_optimize",
        "post_process_after_train",
    ),
    ("trainset_estimations",): _PREDICT,
    ("trainset_metrics",): (
        "pre_process_for_trainsets_metrics",
        TRAINSETS_METRICS,
        GLOBAL_METRICS,
        "post_process_after_trainsets_metrics",
        "quality_gates",
    ),
    ("plots",): (TRAINSETS_PLOTS, GLOBAL_PLOTS),
    ("batch", "raw"): BATCH_SOURCES,
    ("batch", "cleaned"): ("clean_data_for_batch_predict", "clean_data_for_train"),
    ("batch", "features"): (
        "feature_engineering_for_batch_predict",
        "last_pre_process_for_batch_predict",
    ),
    ("batch", "estimations"): _PREDICT,
    ("batch", "metrics"): (BATCH_METRICS, ESTIMATION_METRICS),
    ("batch", "plots"): (BATCH_PLOTS,),
    ("batch", "sinks"): ("batch_predict_sinks",),
    ("deploy",): ("quality_gates",),
}
"""Members of a DataProvider that decide an asset, by its path; of a family, all its methods."""


def code_references(cls: type[DataProvider], path: AssetPath) -> Mapping[str, object]:
    """Return the metadata with the lines that make an asset: its hooks, then the class.

    Args:
        cls: The DataProvider.
        path: Path of the asset below the DataProvider.
    """
    is_entry = path not in MEMBERS
    names = MEMBERS[path[:-1] if is_entry else path]
    entry = path[-1] if is_entry else None
    labels = {one: one for one in own_members(cls, names)} | {None: cls.__name__}
    places = {place_of(cls, name, entry): label for name, label in reversed(labels.items())}
    with warnings.catch_warnings():
        # The classes are marked as beta, and users cannot act on the warning.
        warnings.simplefilter("ignore")
        found = [_reference(one, label) for one, label in reversed(places.items()) if one]
        return {KEY: dg.CodeReferencesMetadataValue(code_references=[*found])} if found else {}


def own_members(cls: type[DataProvider], names: Sequence[str]) -> Iterator[str]:
    """Yield the names that the project declares, and methods of a family one by one."""
    own = _declared_names(cls)
    for name in names:
        if name in FAMILIES:
            yield from (one for one in own if one.startswith(f"{name}_"))
        elif name in own:
            yield name


@cache
def _declared_names(cls: type[DataProvider]) -> Mapping[str, None]:
    """Return the names of all members that classes of the project declare, sorted."""
    bases = [base for base in cls.__mro__ if base.__module__.partition(".")[0] not in OURS]
    return dict.fromkeys(sorted(name for base in bases for name in vars(base)))


def _reference(place: Place, label: str) -> dg.LocalFileCodeReference:
    return dg.LocalFileCodeReference(file_path=str(place.file), line_number=place.line, label=label)
