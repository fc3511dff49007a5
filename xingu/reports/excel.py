"""A report as a workbook: a sheet for each frame."""

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from upath import UPath

from xingu.errors import SettingsError
from xingu.files.atomic import write_atomically
from xingu.reports.compare import Comparison

MOST_LETTERS = 32_767
COLOURS = {1: "D5F0E4", -1: "FBDDCB"}


def write_workbook(report: Comparison, path: str | Path) -> None:
    """Write the workbook; differences for the better are green, those for the worse orange.

    Raises:
        SettingsError: If openpyxl is not installed.
    """
    try:
        from openpyxl import Workbook
        from openpyxl.styles import PatternFill
    except ImportError as error:
        raise SettingsError(
            "Excel files need openpyxl; install it with: pip install 'xingu[excel]'."
        ) from error
    book = Workbook(write_only=True)
    fills = {sign: PatternFill("solid", fgColor=colour) for sign, colour in COLOURS.items()}
    verdicts = report.verdicts.to_numpy()
    for title, frame in _sheets(report):
        sheet = book.create_sheet(title)
        keys = frame.index.names if frame.index.nlevels > 1 else []
        sheet.freeze_panes = f"{'ABCD'[len(keys)]}2"
        sheet.append([_cell(sheet, one) for one in [*keys, *frame.columns]])
        colours = verdicts if title == "Differences" else np.zeros((len(frame), 0))
        values = frame.astype(object).to_numpy()
        for place, row, signs in zip(frame.index, values, colours, strict=True):
            cells = [_cell(sheet, one) for one in (place if keys else ())]
            cells += [
                _cell(sheet, one, fills.get(int(sign)))
                for one, sign in zip(row, [*signs, *[0] * (len(row) - len(signs))], strict=True)
            ]
            sheet.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    write_atomically(UPath(path), buffer.getvalue())


def _sheets(report: Comparison) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "Trains", _without_zones(report.trains)
    yield "Metrics", report.metrics
    yield "Differences", report.differences
    yield "Hyperparameters", report.hyperparameters
    yield "Attributes", report.attributes
    yield "Evolution", _without_zones(report.evolution)


def _without_zones(frame: pd.DataFrame) -> pd.DataFrame:
    # Times of Excel have no zone.
    naive = frame.assign(time=frame["time"].dt.tz_localize(None))
    return naive.rename(columns={"time": "begun (UTC)"})


def _cell(sheet: Any, value: Any, fill: Any = None) -> Any:
    from openpyxl.cell import WriteOnlyCell

    plain = _plain(value)
    is_formula = isinstance(plain, str) and plain.startswith("=")
    if fill is None and not is_formula:
        return plain
    cell = WriteOnlyCell(sheet, plain)
    if is_formula:
        cell.data_type = "s"  # it was meant as a text
    if fill is not None:
        cell.fill = fill
    return cell


def _plain(value: Any) -> Any:
    """Return what a cell can hold: Excel knows no infinite numbers and no control characters."""
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else f"{value:g}"
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, bool | int):
        return value
    text = "".join(one for one in str(value) if one in "\t\n\r" or ord(one) >= 32)
    return text[:MOST_LETTERS]
