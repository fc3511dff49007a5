"""Comparisons of trains: frames, a terminal's table, a page, a workbook."""
