"""Save figures as pictures (PNG, SVG, …), for documents that cannot show HTML.

Pictures are optional: any error is logged as one warning, and never fails a train. Plotly figures
are rendered by a browser, which kaleido (the extra `png`) starts once for all of them.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from upath import UPath

from xingu.errors import text_of
from xingu.files.atomic import write_atomically
from xingu.plots.collect import is_plotly
from xingu.plots.pages import matplotlib_picture
from xingu.records import PictureFormat

logger = logging.getLogger(__name__)

WIDTH, HEIGHT = 1_000, 600
"""Size in pixels of a plotly figure whose layout sets none."""
TIMEOUT = 60
"""Seconds after which the rendering of one picture is aborted."""


def save_pictures(
    figures: Mapping[str, Any], stems: Mapping[str, UPath], formats: Sequence[PictureFormat]
) -> dict[str, list[UPath]]:
    """Save pictures of figures; any error is logged as one warning.

    Args:
        figures: Plotly or matplotlib Figures by plot name.
        stems: Path of each figure, without suffix.
        formats: Picture formats.

    Returns:
        Paths of the written pictures by plot name.
    """
    saved: dict[str, list[UPath]] = {}
    requested = [(name, kind) for name in figures for kind in formats]
    if not requested:
        return {}
    try:
        for (name, kind), picture in zip(requested, _render(figures, requested), strict=True):
            path = stems[name].with_name(f"{stems[name].name}.{kind}")
            write_atomically(path, picture)
            saved.setdefault(name, []).append(path)
    except Exception as error:  # noqa: BLE001 - no error of a browser may fail a train
        logger.warning(
            "no pictures (%s) of %d plots: %s: %s; pictures need the extra 'png' and a browser "
            "(Debian: chromium); the HTML pages are written",
            ", ".join(formats),
            len(figures),
            type(error).__name__,
            text_of(error).split("\n")[0],
        )
    return saved


def _render(figures: Mapping[str, Any], requested: Sequence[tuple[str, str]]) -> list[bytes]:
    plotly = [(figures[name], kind) for name, kind in requested if is_plotly(figures[name])]
    pictures = iter(())
    if plotly:
        # In a notebook, this thread has a running event loop: asyncio.run needs another thread.
        with ThreadPoolExecutor(1) as pool:
            pictures = iter(pool.submit(asyncio.run, _render_plotly(plotly)).result())
    return [
        next(pictures) if is_plotly(figures[name]) else matplotlib_picture(figures[name], kind)
        for name, kind in requested
    ]


async def _render_plotly(requested: Sequence[tuple[Any, str]]) -> list[bytes]:
    import kaleido

    # MathJax would be downloaded.
    async with kaleido.Kaleido(timeout=TIMEOUT, mathjax=False) as browser:
        return [
            await browser.calc_fig(figure.to_dict(), opts=_options(figure, kind))
            for figure, kind in requested
        ]


def _options(figure: Any, kind: str) -> Any:
    layout = figure.layout
    scale = 2 if kind == "png" else 1
    size = {"width": layout.width or WIDTH, "height": layout.height or HEIGHT}
    return {"format": kind, "scale": scale, **size}
