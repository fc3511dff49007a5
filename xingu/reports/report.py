"""The report that users get: a Comparison that can be printed, displayed and written to files."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from xingu.reports.compare import Comparison, compare_trains
from xingu.reports.excel import write_workbook
from xingu.reports.page import tables_html, write_page
from xingu.reports.terminal import as_text
from xingu.tracking.database import ControlDB
from xingu.tracking.query import TrainFilter


@dataclass(frozen=True)
class Report(Comparison):
    """A comparison of trains; its text is terminal tables, a notebook displays HTML tables."""

    def to_html(self, path: str | Path) -> None:
        """Write an HTML page with charts that needs no server and no network."""
        write_page(self, path)

    def to_excel(self, path: str | Path) -> None:
        """Write an Excel workbook with one sheet per frame.

        Raises:
            SettingsError: If openpyxl is not installed.
        """
        write_workbook(self, path)

    def __getitem__(self, name: str) -> Any:
        """Return a frame by its name; ``meta`` of Xingu 2.0 is `attributes`."""
        return self.attributes if name == "meta" else getattr(self, name)

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        """Return HTML tables of the newest trains, for notebooks."""
        return tables_html(self)


def report_trains(
    db: ControlDB, wanted: TrainFilter, reference_train_id: str | None = None
) -> Report:
    """Compare trains; the arguments are those of `xingu.reports.compare.compare_trains`.

    Raises:
        UntrainedModelError: If no train matches, or the reference is not among them.
    """
    compared = compare_trains(db, wanted, reference_train_id)
    return Report(**{field.name: getattr(compared, field.name) for field in fields(compared)})
