"""Comparison of trains as frames, terminal tables, an HTML page, a workbook or JSON."""
