"""Golden rows: rows with their estimations in a package, which prove it wherever it is loaded.

They are at most `ROWS` rows of the test set as `Model.predict` gets them, in two parquet files, so
reading them unpickles nothing. They are written only if the rows that were read back give the same
estimations again. Packages of earlier versions have none.
"""

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from upath import UPath

from xingu.errors import text_of
from xingu.files.frames import parquet_obstacle, read_frame, write_parquet
from xingu.model import Model
from xingu.model.reference import EVALUATION_SETS, is_numeric, numbers_of, sample
from xingu.registry.manifest import file_of, read_manifest, verify

logger = logging.getLogger(__name__)

GOLDEN, ESTIMATIONS = "golden.parquet", "golden_estimations.parquet"
ROWS = 100
MAX_BYTES = 2**20
"""Largest size of the file of the rows; long texts and wide frames get fewer rows."""
RELATIVE, OF_LARGEST = 1e-9, 1e-12
"""Tolerated difference of a number: relative to it, or to the largest one of its column."""
_CATEGORIES = "xingu.categories"
"""Attribute of a frame with the categories of columns that hold their positions."""


@dataclass(frozen=True, slots=True)
class Golden:
    """Rows, and their estimations in the process that saved the package.

    Attributes:
        rows: Input of `Model.predict`.
        estimations: Its result in the order of `rows`, with the class probabilities of a
            classifier.
    """

    rows: pd.DataFrame
    estimations: pd.DataFrame


def write_golden(model: Model, folder: Path) -> None:
    """Write golden rows of a fitted Model, as many as its DataProvider declares, into its package.

    If there are none, a warning says why; that is no reason to refuse the package.
    """
    if model.dp.golden_rows <= 0:
        return
    files = (UPath(folder / GOLDEN), UPath(folder / ESTIMATIONS))
    try:
        reason = _write(model, *files)
    except Exception as error:  # noqa: BLE001 - hooks of users raise anything
        reason = f"{type(error).__name__}: {text_of(error)}"
    if reason is not None:
        for file in files:
            file.unlink(missing_ok=True)
        text = "%s: the package has no golden rows, so a copy is not proven by estimating: %s"
        logger.warning(text, model.id, reason)


def read_golden(package: UPath) -> Golden | None:
    """Return the golden rows of a package; None if it has none.

    Raises:
        CorruptPackageError: If a file of them is missing or differs from what was saved.
    """
    manifest = read_manifest(package)
    names = (GOLDEN, ESTIMATIONS)
    if not all(name in manifest.files for name in names):
        return None
    verify(package, manifest, names.__contains__)
    rows, estimations = (read_frame(file_of(package, name)) for name in names)
    return Golden(_with_categories(rows), estimations)


def differences(model: Model, golden: Golden) -> list[str]:
    """Estimate golden rows again, and return what differs; empty if the Model is proven.

    Numbers may differ by 1e-9 of their value (or 1e-12 of the largest of their column), everything
    else must be equal.

    Raises:
        XinguError: If the Model cannot estimate the rows.
    """
    found = _estimated(model, golden.rows)
    if len(found) != len(golden.estimations):
        return [f"{len(golden.estimations)} rows had estimations, now {len(found)} have"]
    texts = []
    for name, saved in golden.estimations.items():
        if name in found:
            texts += _differences(str(name), saved, found[name])
        else:
            texts.append(f"the column {name} is not estimated any more")
    return texts


def same_numbers(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Return by position whether numbers are equal within the tolerance; NaN is equal to NaN."""
    finite = np.abs(before[np.isfinite(before)])
    near_zero = OF_LARGEST * (finite.max() if len(finite) else 0.0)
    return np.isclose(now, before, rtol=RELATIVE, atol=near_zero, equal_nan=True)


def _write(model: Model, rows_file: UPath, estimations_file: UPath) -> str | None:
    """Write both files; return why not, if so."""
    names = [*EVALUATION_SETS, *model.sets]
    name = next((one for one in names if one in model.sets), None)
    if name is None:
        return "the sets of its train are not in memory"
    rows = sample(model.sets[name], min(model.dp.golden_rows, ROWS))
    stored = _storable(rows)
    if len(stored) < len(rows):
        text = "%s: %d of %d rows of the set %s hold Python objects, and are no golden rows"
        logger.info(text, model.id, len(rows) - len(stored), len(rows), name)
    if obstacle := parquet_obstacle(stored):
        return f"they cannot be stored as parquet: {obstacle}"
    while len(data := _parquet(stored)) > MAX_BYTES and len(stored) > 1:
        stored = sample(stored, len(stored) // 2)
    if not len(stored):
        return "no row is left"
    estimations = _estimated(model, _with_categories(stored))
    kept = [name for name in estimations if parquet_obstacle(estimations[[name]]) is None]
    if not kept:
        return "its estimations cannot be stored as parquet"
    rows_file.write_bytes(data)
    estimations_file.write_bytes(_parquet(estimations[kept]))
    golden = Golden(_with_categories(read_frame(rows_file)), read_frame(estimations_file))
    if texts := differences(model, golden):
        return f"the same rows do not always get the same estimation ({texts[0]})"
    return None


def _estimated(model: Model, rows: pd.DataFrame) -> pd.DataFrame:
    """Return `predict` and, of a classifier, `predict_proba` of rows, numbered from 0."""
    estimated = model.predict(rows)
    if model.is_classifier():
        probabilities = model.predict_proba(rows)
        new = [name for name in probabilities if name not in estimated]
        estimated = pd.concat([estimated, probabilities[new]], axis=1)
    return estimated.reset_index(drop=True)


def _differences(name: str, saved: pd.Series, found: pd.Series) -> Iterator[str]:
    if is_numeric(saved) and is_numeric(found):
        same = same_numbers(numbers_of(saved), numbers_of(found))
    else:
        same = np.array(
            [
                (pd.isna(before) and pd.isna(now)) or before == now
                for before, now in zip(saved, found, strict=True)
            ],
            dtype=bool,
        )
    for row in np.flatnonzero(~same):
        before, now = saved.iloc[row], found.iloc[row]
        yield f"golden row {row}, {name}: {before} was estimated when it was saved, now {now}"


def _parquet(frame: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    write_parquet(frame, file)
    return file.getvalue()


def _storable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows in a form that parquet preserves, as far as they have one."""
    frame = _with_codes(rows)
    named = frame.columns.is_unique and all(type(name) is str for name in frame.columns)
    if not named or parquet_obstacle(frame) is None:
        return frame
    if parquet_obstacle(frame.iloc[:, :1].assign(**{frame.columns[0]: 0})):  # it is the index
        frame = frame.reset_index(drop=True)
    for name in frame.columns[frame.dtypes == np.dtype(object)]:
        if parquet_obstacle(frame[[name]]):
            frame = frame[[isinstance(cell, str) or cell is None for cell in frame[name]]]
    return frame


def _with_codes(rows: pd.DataFrame) -> pd.DataFrame:
    """Replace categories that are numbers, which parquet changes, by their positions."""
    categories: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for name, dtype in rows.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype) and dtype.categories.dtype.kind in "iufb":
            columns[str(name)] = rows[name].cat.codes.astype("int64")
            values = dtype.categories
            categories[str(name)] = [values.tolist(), str(values.dtype), bool(dtype.ordered)]
    if not columns:
        return rows
    frame = rows.assign(**columns)
    frame.attrs = {**rows.attrs, _CATEGORIES: categories}
    return frame


def _with_categories(stored: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that `_with_codes` was given."""
    if _CATEGORIES not in stored.attrs:
        return stored
    frame = stored.copy()
    for name, (values, dtype, ordered) in frame.attrs.pop(_CATEGORIES).items():
        categories = pd.Index(values, dtype=dtype)
        frame[name] = pd.Categorical.from_codes(frame[name], categories, ordered=ordered)
    return frame
