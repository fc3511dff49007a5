"""Tables that are written by hand say what the code says."""

import re

import pytest

from tests.docs.pages import PAGES
from xingu import errors
from xingu.tracking.schema import tables

RECORDS = [page for page in PAGES if re.match(r"docs/adr/\d", page)]


def rows(page: str) -> dict[str, list[str]]:
    """Return the rows of all tables whose first cell is code, by that code."""
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in PAGES[page].read_text().splitlines()
        if line.startswith("| `")
    ]
    return {name: row for row in cells for name in re.findall(r"`([^`]+)`", row[0])}


def test_every_table_of_the_control_db_is_on_its_page_with_the_columns_xingu_2():
    page = rows("docs/reference/control-db.md")
    assert set(page) >= set(tables().metadata.tables)
    for table in tables().xingu_2:
        assert set(page[table.name][1].split(", ")) == set(table.columns.keys())


def test_every_error_is_explained():
    classes = {
        name
        for name, cls in vars(errors).items()
        if isinstance(cls, type) and issubclass(cls, errors.XinguError)
    }
    assert set(rows("docs/how-to/troubleshooting.md")) == classes - {"XinguError"}


@pytest.mark.parametrize("page", RECORDS)
def test_every_decision_has_a_status_and_a_date(page):
    assert re.search(
        r"^Status: (proposed|accepted|superseded by \[\d+\]\(.*\)), \d{4}-\d\d-\d\d",
        PAGES[page].read_text(),
        re.MULTILINE,
    )
