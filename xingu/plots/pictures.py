"""Pictures of figures, for documents that cannot show HTML.

Its one idea: a picture is a wish. A browser draws those of plotly (kaleido, the extra `png`, starts
it once for all), and without one there is a warning, not an error.
"""

import asyncio
import io
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from upath import UPath

from xingu.files.atomic import write_atomically
from xingu.plots.collect import is_plotly
from xingu.records import PictureFormat

logger = logging.getLogger(__name__)

WIDTH, HEIGHT = 1_000, 600
"""Pixels of a plotly figure that does not say its own."""
PATIENCE = 60
"""Seconds that one picture may take."""


def save_pictures(
    figures: Mapping[str, Any], stems: Mapping[str, UPath], formats: Sequence[PictureFormat]
) -> dict[str, list[UPath]]:
    """Save pictures of figures; whatever goes wrong is one warning.

    Args:
        figures: Plotly or matplotlib Figures by plot name.
        stems: The path of each without suffix.
        formats: What to save.

    Returns:
        The pictures of each plot that could be drawn.
    """
    saved: dict[str, list[UPath]] = {}
    wished = [(name, kind) for name in figures for kind in formats]
    if not wished:
        return {}
    try:
        for (name, kind), picture in zip(wished, _drawn(figures, wished), strict=True):
            path = stems[name].with_name(f"{stems[name].name}.{kind}")
            write_atomically(path, picture)
            saved.setdefault(name, []).append(path)
    except Exception as error:  # noqa: BLE001 - no kind of trouble with a browser may fail a train
        logger.warning(
            "no pictures (%s) of %d plots: %s: %s; pictures need the extra 'png' and a browser "
            "(Debian: chromium), HTML is there",
            ", ".join(formats),
            len(figures),
            type(error).__name__,
            str(error).split("\n")[0],
        )
    return saved


def _drawn(figures: Mapping[str, Any], wished: Sequence[tuple[str, str]]) -> list[bytes]:
    plotly = [(figures[name], kind) for name, kind in wished if is_plotly(figures[name])]
    pictures = iter(())
    if plotly:
        # A notebook has a running event loop in this thread already.
        with ThreadPoolExecutor(1) as pool:
            pictures = iter(pool.submit(asyncio.run, _by_browser(plotly)).result())
    return [
        next(pictures) if is_plotly(figures[name]) else _by_matplotlib(figures[name], kind)
        for name, kind in wished
    ]


async def _by_browser(wished: Sequence[tuple[Any, str]]) -> list[bytes]:
    import kaleido

    # MathJax would be fetched from the internet.
    async with kaleido.Kaleido(timeout=PATIENCE, mathjax=False) as browser:
        return [
            await browser.calc_fig(figure.to_dict(), opts=_options(figure, kind))
            for figure, kind in wished
        ]


def _options(figure: Any, kind: str) -> Any:
    layout = figure.layout
    scale = 2 if kind == "png" else 1
    size = {"width": layout.width or WIDTH, "height": layout.height or HEIGHT}
    return {"format": kind, "scale": scale, **size}


def _by_matplotlib(figure: Any, kind: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150, bbox_inches="tight")
    return buffer.getvalue()
