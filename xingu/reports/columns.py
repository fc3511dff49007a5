"""Fit texts into the columns of a terminal: widths of columns, and wrapping that keeps words whole.

A text is broken at spaces and, within names and paths, before a letter that follows one of the
signs ``-_/.:,=``. Only a word that is wider than its column is broken elsewhere.
"""

import re
from collections.abc import Iterable, Sequence

_BREAKS = re.compile(r"(?<=\s)(?=\S)|(?<=[-_/.:,=])(?=[^\W\d_])")


def wrap(text: str, width: int, indent: int = 0) -> str:
    """Return `text` with line breaks, so that no line is longer than `width`.

    Args:
        text: Any text; its own line breaks are kept.
        width: Number of characters, at least 1.
        indent: Number of spaces before lines that this function begins.
    """
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _BREAKS.split(paragraph):
            if line.strip() and len(line + piece.rstrip()) > width:
                lines.append(line.rstrip())
                line = " " * indent
            while len(line + piece.rstrip()) > width > len(line):
                cut = width - len(line)
                lines.append(line + piece[:cut])
                line, piece = " " * indent, piece[cut:]
            line += piece
        lines.append(line.rstrip())
    return "\n".join(lines)


def column_widths(
    rows: Sequence[Sequence[str]], available: int, whole: Iterable[int] = ()
) -> list[int]:
    """Return the width of each column of a table.

    Args:
        rows: Cells, including the names of the columns.
        available: Sum of the widths, at most.
        whole: Numbers of columns whose texts are not wrapped if that can be avoided, the most
            important first.

    Returns:
        Widths that need no wrapping, if they fit. Otherwise widths that break no word, if they fit,
        with the rest for the columns that lack least.
    """
    columns = [
        [line for cell in column for line in cell.split("\n")] for column in zip(*rows, strict=True)
    ]
    natural = [max(map(len, column)) for column in columns]
    widths = [max(map(_longest_piece, column)) for column in columns]
    for at in whole:
        if sum(widths) - widths[at] + natural[at] <= available:
            widths[at] = natural[at]
    while sum(widths) > available and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    spare = max(available - sum(widths), 0)
    lacking = sorted(range(len(widths)), key=lambda at: natural[at] - widths[at])
    for count, at in zip(range(len(lacking), 0, -1), lacking, strict=True):
        more = min(natural[at] - widths[at], spare // count)
        widths[at] += max(more, 0)
        spare -= max(more, 0)
    return widths


def _longest_piece(line: str) -> int:
    return max((len(piece.rstrip()) for piece in _BREAKS.split(line)), default=0)
