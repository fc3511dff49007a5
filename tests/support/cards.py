"""The content of cards that objects show in notebooks."""

import re
from typing import Any


def rows_of(shown: Any) -> list[list[str]]:
    """Return the cells of all rows of the tables of a card."""
    rows = re.findall("<tr>(.*?)</tr>", shown._repr_html_())
    return [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def facts_of(shown: Any) -> dict[str, list[str]]:
    """Return the cells of all rows by the first cell."""
    return {first: others for first, *others in rows_of(shown)}
