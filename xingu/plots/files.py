"""Figures as files: HTML that opens offline, JSON for programs, a notebook for the Dagster UI.

Its one idea: a file is whole or it is not there. It does not know which train a figure shows.
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
"""The cells hold a name and no code; exporters turn tags of cells into these classes."""

_SCRIPT_HERE = "<plotly.js/>"
"""Replaced by the script once all else is encoded; the first one is ours, whatever texts say."""


@dataclass(frozen=True, slots=True)
class PlotFile:
    """Where one plot is: a page for people, plotly JSON unless matplotlib drew it, and pictures."""

    name: str
    html: UPath
    json: UPath | None
    pictures: tuple[UPath, ...] = ()

    @property
    def paths(self) -> list[UPath]:
        """All files of the plot, the page first."""
        return [self.html, *([self.json] if self.json else []), *self.pictures]


def encode(figures: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the JSON of each plotly figure, None for others; see `figure_json`."""
    return {name: figure_json(name, figure) for name, figure in figures.items()}


def save_plots(
    figures: Mapping[str, Any],
    folder: UPath,
    formats: Sequence[PictureFormat] = (),
    encoded: Mapping[str, str | None] | None = None,
) -> list[PlotFile]:
    """Save each figure as a self-contained HTML page, and as JSON.

    Args:
        figures: Plotly or matplotlib Figures by plot name.
        folder: Local folder or URL; it is made if need be, files of the same name are replaced.
        formats: Pictures that are wished for, too; without a browser there are none.
        encoded: What `encode` gave for these figures, if it was asked before.

    Raises:
        HookError: If something is no Figure; nothing of it is written.
        StorageFullError: If the storage takes no more; no half of a file is left.
    """
    encoded = encode(figures) if encoded is None else encoded
    saved = []
    stems = file_stems(figures)
    for name, stem in stems.items():
        figure, text = figures[name], encoded[name]
        html_path, json_path = folder / f"{stem}.html", folder / f"{stem}.json"
        write_atomically(html_path, *page(name, figure, text))
        if text is not None:
            write_atomically(json_path, text.encode())
        saved.append(PlotFile(name, html_path, None if text is None else json_path))
    places = {name: folder / stem for name, stem in stems.items()}
    pictures = save_pictures(figures, places, formats)
    return [replace(one, pictures=tuple(pictures.get(one.name, ()))) for one in saved]


def load_plot(path: UPath) -> "go.Figure":
    """Read a figure from the JSON that `save_plots` wrote.

    Raises:
        MissingValueError: If there is no such file.
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
    """Write a notebook that shows the figures and stays interactive as HTML, without a kernel.

    The figures are outputs of code cells: exporters pass outputs through, while they parse the
    HTML of Markdown cells, which takes minutes for plotly.js.

    Args:
        figures: Plotly or matplotlib Figures by plot name; the first output carries plotly.js.
        path: Local file, with the suffix ``.ipynb``.
        encoded: What `encode` gave for these figures, if it was asked before.
    """
    cells = []
    encoded = encode(figures) if encoded is None else encoded
    for number, (name, figure) in enumerate(figures.items()):
        # Panels that need more room than a page say so.
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
    # Without a lexer, exporters look for the one of IPython and warn.
    language = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    notebook = {"cells": cells, "metadata": language, "nbformat": 4, "nbformat_minor": 5}
    before, here, after = json.dumps(notebook).partition(_SCRIPT_HERE)
    script = plotly_script_in_json() if here else b""
    write_atomically(UPath(path), before.encode(), script, after.encode())


def file_stems(names: Iterable[str]) -> dict[str, str]:
    """Return a file name without suffix for each plot name, none of them twice."""
    stems: dict[str, str] = {}
    for name in names:
        stem = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_")[:80] or "plot"
        if stem in stems.values():
            stem = f"{stem}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
        stems[name] = stem
    return stems
