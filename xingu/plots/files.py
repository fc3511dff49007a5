"""Save figures: HTML pages for browsers, JSON and pictures for programs.

Pages open without a network in a copy of the train's folder, because plotly.js is in it. All files
are written atomically.
"""

import hashlib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upath import UPath

from xingu.errors import MissingValueError
from xingu.files.atomic import write_atomically
from xingu.plots.collect import Gallery, is_plotly
from xingu.plots.index import PARTS, Entry, Part, Shown, save_part
from xingu.plots.pages import Content, content_of, page
from xingu.plots.pictures import save_pictures
from xingu.plots.script import SCRIPT, put_script
from xingu.records import MetricRow, PictureFormat, TrainRun

if TYPE_CHECKING:
    import plotly.graph_objects as go

FULL_WIDTH = ("parcoords", "parcats", "sankey", "splom", "table")
"""Types of traces that need the width of the page."""


@dataclass(frozen=True, slots=True)
class PlotFile:
    """Paths of the files of one plot.

    Attributes:
        name: Plot name.
        html: HTML page.
        json: Plotly JSON; None for a matplotlib figure.
        pictures: PNG, SVG or other pictures.
    """

    name: str
    html: UPath
    json: UPath | None
    pictures: tuple[UPath, ...] = ()

    @property
    def paths(self) -> list[UPath]:
        """Paths of all files of the plot, the HTML page first."""
        return [self.html, *([self.json] if self.json else []), *self.pictures]


@dataclass(frozen=True, slots=True)
class PlotFolder:
    """Folder of one part of the plots of a train.

    Attributes:
        train: Folder or URL of the train's plots; it can be copied alone.
        part: Folder of the part below it, see `xingu.plots.index.PARTS`.
        shared: Local folder of files that the trains of a project share; None: there is none.
    """

    train: UPath
    part: str = ""
    shared: Path | None = None

    @property
    def path(self) -> UPath:
        """Folder of the files."""
        return self.train / self.part if self.part else self.train

    @property
    def script(self) -> str:
        """Address of plotly.js, relative to a page."""
        return f"../{SCRIPT}" if self.part else SCRIPT


@dataclass(frozen=True, slots=True)
class Header:
    """Texts of the index page beside the plots.

    Attributes:
        run: The train.
        when: Its time; UTC if it has no time zone.
        metrics: Metrics of the sets or of the batch.
    """

    run: TrainRun
    when: datetime
    metrics: Sequence[MetricRow] = ()


def save_gallery(
    gallery: Gallery, place: PlotFolder, header: Header, formats: Sequence[PictureFormat] = ()
) -> tuple[list[PlotFile], Shown]:
    """Save the figures of one part of a train, and write the train's index page anew.

    Args:
        gallery: The figures.
        place: Where to save them.
        header: Train and metrics, for the index page.
        formats: Picture formats to write as well.

    Returns:
        The files, and what the index page shows of them.

    Raises:
        HookError: If a value is not a figure; then no file is written.
        StorageFullError: If the storage is full; no partial file remains.
    """
    contents = {name: content_of(name, figure) for name, figure in gallery.figures.items()}
    files = save_plots(gallery.figures, place, formats, contents)
    stems = file_stems(contents)
    utc = header.when.replace(tzinfo=header.when.tzinfo or UTC).astimezone(UTC)
    part = Part(
        dataprovider_id=header.run.dataprovider_id,
        train_id=header.run.train_id,
        time=f"{utc:%Y-%m-%d %H:%M} UTC",
        drawn=time.time(),
        plots=tuple(_entry(gallery, name, stem) for name, stem in stems.items()),
        metrics=tuple(header.metrics),
    )
    save_part(place.train, place.part, part)
    shown = {stem: contents[name] for name, stem in stems.items()}
    return files, Shown(place.part, part, shown)


def save_plots(
    figures: Mapping[str, Any],
    place: PlotFolder,
    formats: Sequence[PictureFormat] = (),
    contents: Mapping[str, Content] | None = None,
) -> list[PlotFile]:
    """Save each figure as an HTML page, as JSON and as pictures, with plotly.js beside them.

    Args:
        figures: Plotly or matplotlib Figures by plot name. A matplotlib figure is saved as PNG and
            not as JSON.
        place: Where to save them; missing folders are created, files of the same name replaced.
        formats: Picture formats to write as well; plotly figures need a browser, without which
            a warning is logged.
        contents: `content_of` each figure; None: they are encoded here.

    Raises:
        HookError: If a value is not a figure; then no file is written.
        StorageFullError: If the storage is full; no partial file remains.
    """
    if contents is None:
        contents = {name: content_of(name, figure) for name, figure in figures.items()}
    paths = {name: place.path / stem for name, stem in file_stems(figures).items()}
    if any(isinstance(content, str) for content in contents.values()):
        put_script(place.train, place.shared)
    saved = [_save(name, contents[name], path, place.script) for name, path in paths.items()]
    pictures = save_pictures(figures, paths, formats)
    return [_with_pictures(one, pictures.get(one.name, ())) for one in saved]


def load_plot(path: UPath) -> "go.Figure":
    """Read a plotly figure from JSON written by `save_plots`.

    Raises:
        MissingValueError: If the file does not exist.
    """
    import plotly.io

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MissingValueError(f"There is no plot at {path}.", path=str(path)) from error
    return plotly.io.from_json(text)


def file_stems(names: Iterable[str]) -> dict[str, str]:
    """Return a unique file name without suffix for each plot name; `[a-z0-9_-]` only.

    No plot takes the name of another file of the folder.
    """
    stems: dict[str, str] = {}
    for name in names:
        stem = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_")[:80] or "plot"
        if stem in (*stems.values(), *PARTS, *_RESERVED):
            stem = f"{stem}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
        stems[name] = stem
    return stems


_RESERVED = ("index", "plots", "plotly")


def _save(name: str, content: Content, path: UPath, script: str) -> PlotFile:
    html = path.with_name(f"{path.name}.html")
    write_atomically(html, page(name, content, script))
    if isinstance(content, bytes):
        picture = path.with_name(f"{path.name}.png")
        write_atomically(picture, content)
        return PlotFile(name, html, None, (picture,))
    json_path = path.with_name(f"{path.name}.json")
    write_atomically(json_path, content.encode())
    return PlotFile(name, html, json_path)


def _with_pictures(file: PlotFile, pictures: Iterable[UPath]) -> PlotFile:
    return replace(file, pictures=tuple(dict.fromkeys([*file.pictures, *pictures])))


def _entry(gallery: Gallery, name: str, stem: str) -> Entry:
    figure = gallery.figures[name]
    return Entry(
        name=name,
        stem=stem,
        channel=gallery.channels[name],
        set=gallery.sets[name],
        picture=not is_plotly(figure),
        height=_full_width_height(figure),
    )


def _full_width_height(figure: Any) -> float | None:
    """Return the height in pixels of a figure that needs the width of the page, else None."""
    if not is_plotly(figure):
        return None
    wide = any(trace.type in FULL_WIDTH for trace in figure.data)
    return figure.layout.height or (500 if wide else None)
