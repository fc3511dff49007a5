"""Comparison of trains as frames, terminal tables, an HTML page, a workbook or JSON."""

from xingu.extras import needs

needs("reports", "orjson", "plotly", "rich")
