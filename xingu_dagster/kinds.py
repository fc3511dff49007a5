"""Kinds of assets, which the UI shows as icons: libraries, databases, formats of files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

LIBRARIES = {
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "catboost": "catboost",
    "sklearn": "scikitlearn",
}
"""Kinds of Estimators, by a part of their dotted names."""

DATABASES = {"postgresql": "postgres", "mssql": "sqlserver", "awsathena": "athena"}
"""Kinds of databases whose URLs begin otherwise."""

FORMATS = ("parquet", "csv", "json", "txt")


def library_of(estimator: type | str) -> Sequence[str]:
    """Return the library of an Estimator class, or of its dotted name; empty: not known."""
    classes = estimator.__mro__ if isinstance(estimator, type) else ()
    names = [f"{one.__module__}.{one.__qualname__}" for one in classes] or [str(estimator)]
    for name in map(str.lower, names):
        kinds = [kind for part, kind in LIBRARIES.items() if part in name]
        if kinds:
            return kinds
    return []


def database_kind(backend: str) -> Sequence[str]:
    """Return the kind of a database by the first part of its URL; empty: not known."""
    return [DATABASES.get(backend, backend)] if backend else []


def source_kinds(declared: Any, backends: Callable[[str], str]) -> Sequence[str]:
    """Return the kinds of a declared source: its database, or the format of its file.

    Args:
        declared: The declaration, which may be malformed.
        backends: Returns the first part of the URL of a database, by nickname.
    """
    if not isinstance(declared, Mapping):
        return []
    if "source" in declared:
        return database_kind(backends(str(declared["source"])))
    params = declared.get("params")
    given = params.get("format") if isinstance(params, Mapping) else None
    suffixes = PurePath(str(declared.get("url", ""))).suffixes
    names = [str(given)] if given else [one.removeprefix(".").lower() for one in suffixes]
    return [name for name in names if name in FORMATS][:1]
