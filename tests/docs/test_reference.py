"""Tables that are written by hand say what the code says."""

import re

import pytest
from pydantic import SecretStr

from tests.docs.pages import PAGES
from xingu import errors
from xingu.config import Settings
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


def shown(default) -> str:
    """Write a default as the table does."""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default in (None, "", ()) or default == {}:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, tuple) else str(default)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_table_with_its_default(name):
    field = Settings.model_fields[name]
    row = rows("docs/reference/settings.md")[str(field.alias)]
    if field.default_factory is None and (default := shown(field.default)):
        assert row[1].strip("`") == default
    else:
        assert "`" not in row[1]
    assert row[2]


def test_the_table_has_no_other_settings():
    aliases = {field.alias for field in Settings.model_fields.values()}
    assert set(rows("docs/reference/settings.md")) == aliases


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
