"""HTML cards of objects for notebooks, without scripts and without external resources.

A card inherits text colour and background from the page around it, and its colours are mixed with
that text colour, so it is readable in light and dark themes. Texts are masked and escaped here:
callers pass plain values.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from xingu.masking import masked

TABLE_STYLE = """
.xingu-table.xingu-table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:6px 0;
 border:none;color:inherit;font-size:inherit}
.xingu-table.xingu-table tr,.xingu-table.xingu-table tbody tr:nth-child(n){background:none}
.xingu-table.xingu-table td,.xingu-table.xingu-table th{padding:3px 14px 3px 0;text-align:left;
 max-width:none;vertical-align:top;border:none;border-bottom:1px solid #8884;white-space:normal}
.xingu-table.xingu-table td.n,.xingu-table.xingu-table th.n{text-align:right;white-space:nowrap}
.xingu-table.xingu-table td:first-child{white-space:nowrap}
.xingu-table.xingu-table th{font-weight:600;white-space:nowrap}
.xingu-table.xingu-table th.of{color:#0072B2;color:color-mix(in srgb,#1E88D0 70%,currentColor);
 padding-top:12px}
.xingu-table.xingu-table i{font-style:normal;opacity:.7;display:inline-block;min-width:5.5em}
.xingu-table.xingu-table i.better,.xingu-table.xingu-table i.worse{opacity:1;font-weight:600}
.xingu-table.xingu-table i.better{color:#009E73;color:color-mix(in srgb,#009E73 65%,currentColor)}
.xingu-table.xingu-table i.worse{color:#D55E00;color:color-mix(in srgb,#D55E00 70%,currentColor)}
.xingu-wide{overflow-x:auto}
"""
"""Style of tables, also of those of reports. The class is doubled to win over rules of Jupyter."""
_STYLE = """
.xingu-card{display:inline-block;box-sizing:border-box;max-width:100%;padding:10px 16px;
 border:1px solid #8886;border-radius:6px;color:inherit;
 font:13px/1.45 system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
.xingu-card>header{font-size:15px;margin-bottom:4px} .xingu-card>header small{opacity:.7}
.xingu-card p{margin:4px 0;max-width:72em} .xingu-card summary{cursor:pointer;padding:2px 0}
.xingu-card .xingu-table.xingu-table.facts td{border:none;padding-top:1px;padding-bottom:1px}
.xingu-card .xingu-table.xingu-table.facts td:first-child{opacity:.7}
"""


def card(kind: str, title: str, note: str, parts: Iterable[str]) -> str:
    """Return a card.

    Args:
        kind: Class of the object, as users know it.
        title: Name of the object.
        note: A short text behind the title; empty: none.
        parts: Results of `paragraph`, `facts`, `table` and `folded`; empty ones are left out.
    """
    head = f"<b>{_safe(kind)}</b> {_safe(title)} <small>{_safe(note)}</small>"
    return (
        f'<style>{TABLE_STYLE}{_STYLE}</style><div class="xingu-card"><header>{head}</header>'
        f"{''.join(parts)}</div>"
    )


def paragraph(text: str) -> str:
    """Return a paragraph; empty for an empty text."""
    return f"<p>{_safe(text)}</p>" if text else ""


def facts(values: Mapping[str, object]) -> str:
    """Return a table of names and values; None and empty texts are left out."""
    known = {name: value for name, value in values.items() if value not in (None, "")}
    cells = "".join(f"<tr><td>{_safe(n)}</td><td>{_safe(v)}</td></tr>" for n, v in known.items())
    return f'<table class="xingu-table facts">{cells}</table>' if cells else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: int = 0) -> str:
    """Return a table with a header; empty if there are no rows.

    Args:
        heads: Names of the columns; those whose cells are all empty texts are left out.
        rows: Cells of each row.
        numbers: How many of the last columns are numbers, which are aligned right.
    """
    lines = [[*row] for row in rows]
    used = [at for at in range(len(heads)) if any(line[at] != "" for line in lines)]
    if not used:
        return ""

    def row(tag: str, cells: Sequence[object]) -> str:
        kinds = [' class="n"' if at >= len(heads) - numbers else "" for at in used]
        parts = zip(kinds, used, strict=True)
        texts = (f"<{tag}{kind}>{_safe(cells[at])}</{tag}>" for kind, at in parts)
        return f"<tr>{''.join(texts)}</tr>"

    head, body = row("th", heads), "".join(row("td", line) for line in lines)
    whole = f"<thead>{head}</thead><tbody>{body}</tbody>"
    return f'<div class="xingu-wide"><table class="xingu-table">{whole}</table></div>'


def folded(title: str, content: str) -> str:
    """Return a part that a click opens; empty without content."""
    summary = f"<summary>{_safe(title)}</summary>"
    return f"<details>{summary}{content}</details>" if content else ""


def minute(time: datetime) -> str:
    """Return a time as ``2026-01-31 23:59 UTC``."""
    utc = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M} UTC"


def _safe(value: object) -> str:
    return html.escape(masked(str(value)))
