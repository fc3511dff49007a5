"""Write a Comparison as an Excel workbook, one sheet per frame.

The workbook is write-only (openpyxl streams rows), because reports may have many thousand cells.
"""

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from upath import UPath

from xingu.errors import SettingsError
from xingu.files.atomic import write_atomically
from xingu.reports.compare import Comparison

MAX_CHARACTERS = 32_767
COLOURS = {1: "D5F0E4", -1: "FBDDCB"}


def write_workbook(report: Comparison, path: str | Path) -> None:
    """Write the workbook; better differences are green, worse ones orange.

    Args:
        report: The comparison.
        path: Local file, or a URL.

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
    # Excel has no time zones.
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
        cell.data_type = "s"  # a string that begins with "=" is not a formula
    if fill is not None:
        cell.fill = fill
    return cell


def _plain(value: Any) -> Any:
    """Return a value that Excel can store: no infinite numbers, only characters of XML."""
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else f"{value:g}"
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, bool | int):
        return value
    return _NOT_IN_XML.sub("", str(value))[:MAX_CHARACTERS]


_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
