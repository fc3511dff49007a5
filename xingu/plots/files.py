"""Write figures to files: HTML for browsers, JSON for programs, a notebook for the Dagster UI.

HTML pages and the notebook contain plotly.js, so they open without a network. All files are written
atomically.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upath import UPath

from xingu.errors import MissingValueError
from xingu.files.atomic import write_atomically
from xingu.plots.collect import is_plotly
from xingu.plots.pages import element, figure_json, page, plotly_script_in_json
from xingu.plots.pictures import save_pictures
from xingu.records import PictureFormat

if TYPE_CHECKING:
    import plotly.graph_objects as go


_HIDE_CODE = (
    "<style>.celltag_xingu-plot .jp-Cell-inputWrapper,.celltag_xingu-plot .jp-OutputPrompt"
    "{display:none}</style>"
)
"""Hides the source of the cells, a comment; nbconvert turns cell tags into these classes."""

_SCRIPT_HERE = "<plotly.js/>"
"""Placeholder that is replaced by plotly.js after encoding. Only its first occurrence is replaced,
so that the same string in a plot name or label stays as it is."""


@dataclass(frozen=True, slots=True)
class PlotFile:
    """Paths of the files of one plot.

    Attributes:
        name: Plot name.
        html: Self-contained HTML page.
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


def encode(figures: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the JSON of each plotly figure, and None for each matplotlib figure.

    Raises:
        HookError: If a value is not a figure.
    """
    return {name: figure_json(name, figure) for name, figure in figures.items()}


def save_plots(
    figures: Mapping[str, Any],
    folder: UPath,
    formats: Sequence[PictureFormat] = (),
    encoded: Mapping[str, str | None] | None = None,
) -> list[PlotFile]:
    """Save each figure as a self-contained HTML page, as JSON and as pictures.

    Args:
        figures: Plotly or matplotlib Figures by plot name.
        folder: Local folder or URL; created if missing. Files of the same name are replaced.
        formats: Picture formats to write as well; plotly figures need a browser, without which
            a warning is logged.
        encoded: Result of `encode` for these figures; None: they are encoded here.

    Raises:
        HookError: If a value is not a figure; then no file is written.
        StorageFullError: If the storage is full; no partial file remains.
    """
    encoded = encode(figures) if encoded is None else encoded
    saved = []
    stems = file_stems(figures)
    for name, stem in stems.items():
        figure, json_text = figures[name], encoded[name]
        html_path, json_path = folder / f"{stem}.html", folder / f"{stem}.json"
        write_atomically(html_path, *page(name, figure, json_text))
        if json_text is not None:
            write_atomically(json_path, json_text.encode())
        saved.append(PlotFile(name, html_path, None if json_text is None else json_path))
    paths = {name: folder / stem for name, stem in stems.items()}
    pictures = save_pictures(figures, paths, formats)
    return [replace(one, pictures=tuple(pictures.get(one.name, ()))) for one in saved]


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


def write_notebook(
    figures: Mapping[str, Any], path: Path, encoded: Mapping[str, str | None] | None = None
) -> None:
    """Write a notebook that shows interactive figures without a kernel, also when exported to HTML.

    The figures are outputs of code cells: nbconvert copies outputs, but parses the HTML of Markdown
    cells, which takes minutes for plotly.js.

    Args:
        figures: Plotly or matplotlib Figures by plot name. The first output contains plotly.js.
        path: Local file, with the suffix ``.ipynb``.
        encoded: Result of `encode` for these figures; None: they are encoded here.
    """
    cells = []
    encoded = encode(figures) if encoded is None else encoded
    for number, (name, figure) in enumerate(figures.items()):
        height = (figure.layout.height if is_plotly(figure) else None) or 600
        shown = element(f"figure-{number}", name, figure, encoded[name], f"height:{height}px")
        output = {
            "output_type": "display_data",
            "data": {"text/html": shown if number else _HIDE_CODE + _SCRIPT_HERE + shown},
            "metadata": {},
        }
        cells.append(
            {
                "cell_type": "code",
                "id": f"figure-{number}",
                "execution_count": None,
                "metadata": {"tags": ["xingu-plot"]},
                "outputs": [output],
                "source": f"# {name}",
            }
        )
    # Without a lexer, nbconvert looks for IPython's and logs a warning.
    language = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    notebook = {"cells": cells, "metadata": language, "nbformat": 4, "nbformat_minor": 5}
    before, here, after = json.dumps(notebook).partition(_SCRIPT_HERE)
    script = plotly_script_in_json() if here else b""
    write_atomically(UPath(path), before.encode(), script, after.encode())


def file_stems(names: Iterable[str]) -> dict[str, str]:
    """Return a unique file name without suffix for each plot name; `[a-z0-9_-]` only."""
    stems: dict[str, str] = {}
    for name in names:
        stem = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_")[:80] or "plot"
        if stem in stems.values():
            stem = f"{stem}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
        stems[name] = stem
    return stems
