"""Write a Comparison as one HTML page that needs no server and no network.

A chart is drawn when it is scrolled into view, so that a page with many charts opens fast. Texts
from the control DB are escaped.
"""

import html
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson
import pandas as pd
from upath import UPath

from xingu.cards import TABLE_STYLE, card
from xingu.directions import direction_of
from xingu.files.atomic import write_atomically
from xingu.plots.pages import plotly_script
from xingu.plots.theme import GRID, INK, PALE_INK
from xingu.reports.charts import common_layout, evolution_chart
from xingu.reports.compare import Comparison
from xingu.reports.view import MARKS, Cell, SideBySide, dataproviders_of, side_by_side
from xingu.texts import counted

LIMIT = 8
"""Maximum number of trains in a table; the charts show all trains."""
_STYLE = f"""
body{{margin:0 auto;padding:24px 32px;max-width:1500px;color:{INK};
 font:14px/1.45 Inter,system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}}
h1{{font-size:24px;margin:0}} h2{{font-size:20px;margin:36px 0 8px}}
h3{{font-size:16px;margin:24px 0 8px}}
p{{color:{PALE_INK};margin:4px 0}}
.xingu-table td:first-child,.xingu-table th:first-child{{background:#fff;position:sticky;left:0}}
.xingu-charts{{display:grid;grid-template-columns:repeat(auto-fit,minmax(460px,1fr));gap:16px}}
.xingu-chart{{height:380px;border:1px solid {GRID};border-radius:6px}}
"""
_SCRIPT = """
const common = JSON.parse(document.getElementById('common').textContent);
const charts = new Set(document.querySelectorAll('.xingu-chart'));
const draw = chart => {
  if (!charts.delete(chart)) return;
  const figure = JSON.parse(document.getElementById(chart.id + '-json').textContent);
  figure.layout = {...common, ...figure.layout};
  figure.layout.title = {...common.title, ...figure.layout.title};
  figure.config = {responsive: true, displaylogo: false, displayModeBar: false};
  Plotly.newPlot(chart, figure);
};
const seen = new IntersectionObserver(entries => entries.forEach(entry => {
  if (entry.isIntersecting) draw(entry.target);
}), {rootMargin: '400px'});
charts.forEach(chart => seen.observe(chart));
addEventListener('beforeprint', () => charts.forEach(draw));
"""
_CLASSES = {1: "better", -1: "worse", 0: ""}


def write_page(report: Comparison, path: str | Path) -> None:
    """Write the page: for each DataProvider its newest trains, charts, and a list of all trains.

    Args:
        report: The comparison.
        path: Local file, or a URL.
    """
    write_atomically(UPath(path), page(report))


def page(report: Comparison) -> bytes:
    """Return the page, encoded as UTF-8."""
    trains = report.trains
    first, last = trains["time"].min(), trains["time"].max()
    span = f", {first:%Y-%m-%d} to {last:%Y-%m-%d}" if pd.notna(first) else ""
    head = f"{len(trains):,} trains{span}"
    body = "".join(part for dp_id in dataproviders_of(report) for part in _section(report, dp_id))
    return b"".join(
        (
            b'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            b'<meta name="viewport" content="width=device-width, initial-scale=1">'
            b"<title>Trains side by side</title><style>",
            (TABLE_STYLE + _STYLE).encode(),
            b"</style>",
            plotly_script(),
            f"</head><body><h1>Trains side by side</h1><p>{head}</p>{body}".encode(),
            _json("common", common_layout()).encode(),
            f"<script>{_SCRIPT}</script></body></html>\n".encode(),
        )
    )


def tables_html(report: Comparison) -> str:
    """Return a card with a table of the newest trains for each DataProvider, for notebooks."""
    return "<br>".join(_card(report, dp_id) for dp_id in dataproviders_of(report))


def _card(report: Comparison, dp_id: str) -> str:
    trains = counted((report.trains["dataprovider_id"] == dp_id).sum(), "train")
    return card("Report", dp_id, trains, [_comparison_table(side_by_side(report, dp_id, LIMIT))])


def _section(report: Comparison, dp_id: str) -> Iterator[str]:
    yield f"<h2>{_safe(dp_id)}</h2>"
    yield _comparison_table(side_by_side(report, dp_id, LIMIT))
    own = report.evolution[report.evolution["dataprovider_id"] == dp_id]
    yield "<h3>Evolution</h3>" if len(own) else ""
    yield '<div class="xingu-charts">'
    at = dataproviders_of(report).index(dp_id)
    for number, (name, rows) in enumerate(own.groupby("name", sort=False)):
        chart = f"chart-{at}-{number}"
        direction = direction_of(str(name), report.directions[dp_id])
        yield f'<div class="xingu-chart" id="{chart}"></div>'
        yield _json(f"{chart}-json", evolution_chart(str(name), rows, direction))
    yield "</div>"
    yield _all_trains(report.trains[report.trains["dataprovider_id"] == dp_id])


def _comparison_table(shown: SideBySide) -> str:
    heads = "".join(
        f"<th>{_safe(one)}{'<br>(reference)' if one == shown.reference else ''}</th>"
        for one in shown.train_ids
    )
    part = f'<th class="of" colspan="{1 + len(shown.train_ids)}">'
    rows = [f"<tr><th></th>{heads}</tr>"]
    rows += [_row(name, texts) for name, texts in shown.facts]
    if shown.hyperparameters:
        differ = " that differ" if len(shown.train_ids) > 1 else ""
        rows.append(f"<tr>{part}Hyperparameters{differ}</th></tr>")
    rows += [_row(name, texts) for name, texts in shown.hyperparameters]
    last = None
    for set_name, name, cells in shown.metrics:
        if set_name != last:
            rows.append(f"<tr>{part}{_safe(set_name)}</th></tr>")
        last = set_name
        rows.append(f"<tr><td>{_safe(name)}</td>{''.join(map(_cell, cells))}</tr>")
    notes = "".join(f"<p>{note}</p>" for note in _notes(shown))
    table = f'<table class="xingu-table">{"".join(rows)}</table>'
    return f'{notes}<div class="xingu-wide">{table}</div>'


def _notes(shown: SideBySide) -> Iterator[str]:
    if shown.omitted:
        yield (
            f"The newest {len(shown.train_ids)} trains; "
            f"{counted(shown.omitted, 'older train')} only in the charts and in the list below."
        )
    if shown.reference:
        yield f"{MARKS[1]} better, {MARKS[-1]} worse than {_safe(shown.reference)}."
    if shown.same_hyperparameters:
        yield f"{counted(shown.same_hyperparameters, 'hyperparameter')} the same in all of them."


def _cell(cell: Cell) -> str:
    kind = _CLASSES[cell.verdict]
    change = f"{_safe(cell.difference)} {MARKS[cell.verdict]}" if cell.difference else ""
    return f'<td class="n">{_safe(cell.value)} <i class="{kind}">{change}</i></td>'


def _all_trains(trains: pd.DataFrame) -> str:
    texts = pd.DataFrame(
        {
            "train": trains["train_id"],
            "begun (UTC)": trains["time"].dt.strftime("%Y-%m-%d %H:%M"),
            "session": trains["train_session_id"],
            "branch": trains["branch"],
        }
    ).fillna("")
    rows = [_row(name, others) for name, *others in texts.itertuples(index=False)]
    heads = "".join(f"<th>{name}</th>" for name in texts)
    return (
        f"<details><summary>All {len(trains):,} trains</summary>"
        f'<table class="xingu-table"><tr>{heads}</tr>{"".join(rows)}</table></details>'
    )


def _json(element_id: str, content: object) -> str:
    text = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    # So that no text can close the script element.
    text = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="{element_id}">{text}</script>'


def _row(name: str, texts: Iterable[str]) -> str:
    return f"<tr><td>{_safe(name)}</td>{''.join(f'<td>{_safe(one)}</td>' for one in texts)}</tr>"


def _safe(text: object) -> str:
    return html.escape(str(text))
