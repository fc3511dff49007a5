"""Comparisons of trains: frames, a terminal's table, a page, a workbook."""

from xingu.extras import needs

needs("reports", "orjson", "plotly", "rich")
