"""The index page of a train: all its plots by set, with the metrics of the set beside them.

A train's plots come in parts, which different steps write, also at the same time: the search, the
sets with the Model, and the batch. Each part has a record of its plots and metrics (`PART`), from
which the page is built; the figures are read from their files.
"""

import html
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError
from upath import UPath

from xingu.errors import MissingValueError
from xingu.files.atomic import write_atomically
from xingu.plots.pages import NOTE, Content, document, element
from xingu.plots.script import SCRIPT, packed_script
from xingu.plots.viewer import GALLERY_STYLE, STYLE
from xingu.records import MetricRow, PlotChannel
from xingu.texts import number

logger = logging.getLogger(__name__)

INDEX, PART = "index.html", "plots.json"
PARTS: Mapping[str, tuple[PlotChannel, ...]] = {
    "": ("trainsets", "global"),
    "batch": ("batch_predict",),
    "hyperparameters": ("search",),
}
"""Channels of each part, by its folder below the folder of the train."""
SETS = ("test", "val", "train")
"""Sets that come first, in this order: what decides about a Model is its quality on unseen rows."""
TITLES: Mapping[PlotChannel, str] = {
    "trainsets": "Sets",
    "global": "Model",
    "batch_predict": "Batch",
    "search": "Search",
}


class Entry(BaseModel):
    """One plot of a part.

    Attributes:
        name: Plot name.
        stem: Name of its files, without suffix.
        channel: Subject of the plot.
        set: Set that it shows; None except for the channel `trainsets`.
        picture: Whether it is a picture and not a plotly figure.
        height: Height in pixels that it needs at the full width of the page; None: it is small.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    stem: str
    channel: PlotChannel
    set: str | None = None
    picture: bool = False
    height: float | None = None


class Part(BaseModel):
    """Record of the plots that one step has drawn of a train.

    Attributes:
        dataprovider_id: Id of the DataProvider.
        train_id: Id of the train.
        time: UTC time of the train, as text.
        drawn: Time of drawing, in seconds since the epoch.
        plots: The plots, in order.
        metrics: Metrics of the sets or of the batch.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    dataprovider_id: str
    train_id: str
    time: str
    drawn: float
    plots: tuple[Entry, ...]
    metrics: tuple[MetricRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A part with the contents of its figures by stem; `folder` is its folder in `PARTS`."""

    folder: str
    part: Part
    contents: Mapping[str, Content]


def save_part(train: UPath, folder: str, part: Part) -> None:
    """Write the record of a part whose figures are saved, and the index page of the train.

    Args:
        train: Folder or URL of the train's plots.
        folder: Folder of the part, one of `PARTS`.
        part: The record.

    Raises:
        StorageFullError: If the storage is full.
    """
    write_atomically(train / folder / PART, part.model_dump_json().encode())
    records = _records(train)
    while True:
        write_atomically(train / INDEX, index_page(_read(train, records)))
        # Another step may have written its record, and its page before this one.
        if (newer := _records(train)) == records:
            return
        records = newer


def single_page(train: str | UPath) -> bytes:
    """Return the index page of a train with plotly.js in it: one file that can be sent.

    Args:
        train: Folder or URL of the train's plots.

    Raises:
        MissingValueError: If there are no plots.
    """
    train = UPath(train)
    parts = _read(train, _records(train))
    if not parts:
        raise MissingValueError(f"There are no plots in {train}.", path=str(train))
    return index_page(parts, single=True)


def index_page(parts: Sequence[Shown], *, single: bool = False) -> bytes:
    """Return the page of a train, encoded as UTF-8.

    Args:
        parts: The parts, at least one.
        single: Whether plotly.js is in the page; else it is a file beside it.
    """
    one = parts[0].part
    packed = f"<script>{packed_script().decode()}</script>" if single else ""
    head = packed or f'<script src="{SCRIPT}"></script>'
    name = html.escape(f"{one.dataprovider_id}-{one.train_id}.html")
    button = f'<button class="xingu-save" data-name="{name}">Save as one file</button>'
    body = gallery(parts, "" if single else button)
    title = f"{one.dataprovider_id} · {one.train_id}"
    return document(title, STYLE + GALLERY_STYLE, head, body)


def gallery(parts: Sequence[Shown], more: str = "") -> str:
    """Return the sections of all parts as an HTML element; `more` goes into its header."""
    one = parts[0].part
    sections, links = [], []
    for place, (title, metrics, plots) in enumerate(_sections(parts)):
        anchor = f"section-{place}"
        links.append(f'<a href="#{anchor}">{html.escape(title)}</a>')
        sections.append(
            f'<section id="{anchor}"><aside><h2>{html.escape(title)}</h2>{_table(metrics)}</aside>'
            f'<div class="xingu-plots">{"".join(plots)}</div></section>'
        )
    return (
        f'<div class="xingu-page xingu-gallery"><header><h1>{html.escape(one.dataprovider_id)}</h1>'
        f"<p>{html.escape(one.train_id)} · {html.escape(one.time)}</p>"
        f"<nav>{''.join(links)}{more}</nav></header>{NOTE}{''.join(sections)}</div>"
    )


def _sections(parts: Sequence[Shown]) -> Iterator[tuple[str, list[MetricRow], list[str]]]:
    """Yield title, metrics and elements of each section: sets, Model, batch, search."""
    found: dict[tuple[PlotChannel, str | None], list[str]] = {}
    rows: dict[tuple[PlotChannel, str | None], list[MetricRow]] = {}
    for shown in parts:
        for row in shown.part.metrics:
            rows.setdefault(_section_of(shown.folder, row), []).append(row)
        for entry in shown.part.plots:
            if entry.stem in shown.contents:
                found.setdefault((entry.channel, entry.set), []).append(_card(shown, entry))
    ranks = {name: rank for rank, name in enumerate(SETS)}
    keys = dict.fromkeys([*found, *rows])
    for channel, name in sorted(
        keys, key=lambda key: (list(TITLES).index(key[0]), ranks.get(key[1] or "", len(SETS)))
    ):
        key = (channel, name)
        yield name or TITLES[channel], rows.get(key, []), found.get(key, [])


def _section_of(folder: str, row: MetricRow) -> tuple[PlotChannel, str | None]:
    if folder:
        return "batch_predict", None
    return ("global", None) if row.set is None else ("trainsets", row.set)


def _card(shown: Shown, entry: Entry) -> str:
    anchor = f"{shown.folder}-{entry.stem}" if shown.folder else entry.stem
    larger = '<button title="Larger or smaller" aria-label="Larger or smaller">⤢</button>'
    return element(anchor, entry.name, shown.contents[entry.stem], entry.height, larger)


def _table(metrics: Sequence[MetricRow]) -> str:
    if not metrics:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(row.name)}</td>"
        f'<td title="{html.escape(_exact(row))}">{html.escape(_rounded(row))}</td></tr>'
        for row in metrics
    )
    return f"<table>{rows}</table>"


def _exact(row: MetricRow) -> str:
    return str(row.value_number) if row.value_text is None else row.value_text


def _rounded(row: MetricRow) -> str:
    value = row.value_number
    if row.value_text is not None or value is None or not math.isfinite(value):
        return _exact(row)
    return number(value, 4, whole=True)


def _records(train: UPath) -> dict[str, bytes]:
    found = {}
    for folder in PARTS:
        try:
            found[folder] = (train / folder / PART).read_bytes()
        except FileNotFoundError:
            continue
    return found


def _read(train: UPath, records: Mapping[str, bytes]) -> list[Shown]:
    """Return the parts with their figures; what is damaged or gone is left out with a warning."""
    parts = []
    for folder, text in records.items():
        try:
            part = Part.model_validate_json(text)
        except ValidationError as error:
            logger.warning("%s is damaged: %s", train / folder / PART, error)
            continue
        contents = {}
        for entry in part.plots:
            path = train / folder / f"{entry.stem}.{'png' if entry.picture else 'json'}"
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                logger.warning("the plot %s is missing", path)
                continue
            contents[entry.stem] = content if entry.picture else content.decode()
        parts.append(Shown(folder, part, contents))
    return parts
