"""The report of trains that users get: a Comparison that can be shown and written."""

from dataclasses import dataclass, fields
from pathlib import Path

from xingu.reports.compare import Comparison, compare_trains
from xingu.reports.excel import write_workbook
from xingu.reports.page import tables_html, write_page
from xingu.reports.terminal import as_text
from xingu.tracking.database import ControlDB
from xingu.tracking.query import TrainFilter


@dataclass(frozen=True)
class Report(Comparison):
    """Trains side by side; `str` gives a text, a notebook shows tables."""

    def to_html(self, path: str | Path) -> None:
        """Write one page, with charts, that needs no server and no internet."""
        write_page(self, path)

    def to_excel(self, path: str | Path) -> None:
        """Write a workbook with a sheet for each frame.

        Raises:
            SettingsError: If openpyxl is not installed.
        """
        write_workbook(self, path)

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        """Show the newest trains in a notebook."""
        return tables_html(self)


def report_trains(
    db: ControlDB, wanted: TrainFilter, reference_train_id: str | None = None
) -> Report:
    """Compare trains; see `xingu.reports.compare.compare_trains`.

    Raises:
        UntrainedModelError: If there is no such train, or the reference is none of them.
    """
    compared = compare_trains(db, wanted, reference_train_id)
    return Report(**{field.name: getattr(compared, field.name) for field in fields(compared)})
