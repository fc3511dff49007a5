"""Read CSV and TXT files with pandas, without its silent changes.

If lines have more fields than the header, pandas takes their first fields for an index, so that
every value gets the name of its neighbour. It infers the type of a column by chunks, which mixes
numbers and text in one column. It rounds integers from 2**53 on if cells are missing.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import IO, Any

import pandas as pd

from xingu.sources.exact import with_exact_integers

logger = logging.getLogger(__name__)

_CHUNKS = frozenset({"chunksize", "iterator"})
_PYTHON_ENGINE = frozenset({"engine", "skipfooter", "low_memory"})
_CONVERSIONS = frozenset({"converters", "parse_dates", "na_values", "index_col", *_PYTHON_ENGINE})


def read_delimited(
    file: IO[bytes], read: Callable[..., pd.DataFrame], params: Mapping[str, Any], where: str
) -> pd.DataFrame:
    """Read a delimited file.

    Args:
        file: The file, which can be rewound.
        read: `pandas.read_csv` or `pandas.read_table`.
        params: Parameters of `read`; the file is read completely, whatever they say about chunks.
        where: Description of the file, for the log.

    Raises:
        ValueError: If lines have more fields than the header, and `index_col` does not say why.
    """
    options = {name: value for name, value in params.items() if name not in _CHUNKS}
    if "encoding" not in options and file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
        options["encoding"] = "utf-16"
    if _has_fast_parser(options):
        options["low_memory"] = False

    def read_again(changed: Mapping[str, Any]) -> pd.DataFrame:
        file.seek(0)
        return read(file, **changed)

    if options.get("engine") != "pyarrow":  # it refuses such lines
        _check_header(read_again, options, where)
    frame = read_again(options)

    def reread(columns: list[Any]) -> pd.DataFrame:
        return read_again({**options, "dtype_backend": "numpy_nullable"})[columns]

    return with_exact_integers(frame, reread)


def _has_fast_parser(options: Mapping[str, Any]) -> bool:
    """Return whether pandas uses its C parser; the other ones have no `low_memory`."""
    separator = options.get("sep", options.get("delimiter", ","))
    marks = (separator, options.get("quotechar", "'"))
    return not _PYTHON_ENGINE & options.keys() and all(
        isinstance(mark, str) and len(mark.encode()) == 1 for mark in marks
    )


def _check_header(
    read: Callable[[Mapping[str, Any]], pd.DataFrame], options: Mapping[str, Any], where: str
) -> None:
    """Refuse lines with more fields than the header; warn of names that pandas has changed."""
    plain = {name: value for name, value in options.items() if name not in _CONVERSIONS}
    if "engine" in options:
        plain["engine"] = options["engine"]
    if "names" not in options:  # which then belong to the columns in use
        plain.pop("usecols", None)
    first = read({**plain, "dtype": str, "keep_default_na": False, "nrows": 1})
    if len(first) and not isinstance(first.index, pd.RangeIndex):
        labelled = first.index.nlevels == 1 and str(first.iloc[0, -1]) != ""
        _check_index(options, labelled=labelled, columns=list(first.columns))
    if options.get("header", "infer") in ("infer", 0) and "names" not in options:
        _warn_of_doubled(
            lambda: read({**plain, "header": None, "dtype": str, "nrows": 1}), first, where
        )


def _warn_of_doubled(
    read_header: Callable[[], pd.DataFrame], first: pd.DataFrame, where: str
) -> None:
    names = list(map(str, first.columns))
    changed = {name: re.sub(r"\.\d+$", "", name) for name in names}
    if all(name == base or base not in names for name, base in changed.items()):
        return
    header = read_header().iloc[0]
    for doubled in header[header.duplicated()].dropna().unique():
        others = [repr(name) for name, base in changed.items() if name != base == doubled]
        logger.warning(
            "%s: the header has %r more than once; pandas calls the others %s.",
            where,
            doubled,
            ", ".join(others),
        )


def _check_index(options: Mapping[str, Any], *, labelled: bool, columns: list[Any]) -> None:
    requested = options.get("index_col")
    if requested is False or (requested in (0, [0]) and labelled):
        return
    raise ValueError(
        f"the lines have more fields than the header, which has {len(columns)} "
        f"({', '.join(map(str, columns[:5]))}{', …' if len(columns) > 5 else ''}), so that values "
        "would get the names of their neighbours. Give in `params`: 'index_col': False if the "
        "lines end with a delimiter; 'index_col': 0 if the first field is a row label without a "
        "name; 'names': [...] with 'header': 0 to name every field; or another 'sep'"
    )
