"""Build HTML of figures that needs no server and no network: plotly.js is embedded.

plotly.js is 4.8 MB: it is read once per process, is embedded once per page, and pages are sequences
of bytes so that it is never copied. Base maps of geographic plots are the exception: the browser
downloads them.
"""

import base64
import html
import io
import json as json_module
from collections.abc import Sequence
from functools import cache
from typing import Any

from xingu.errors import HookError
from xingu.plots.collect import is_matplotlib, is_plotly

_CONFIG = '{"responsive":true,"displaylogo":false}'


def page(name: str, figure: Any, json: str | None) -> Sequence[bytes]:
    """Return a complete HTML page of one figure, as byte strings to be concatenated.

    Args:
        name: Title of the page.
        figure: A plotly or matplotlib Figure.
        json: `figure_json(name, figure)`, passed in so that a figure is encoded once.
    """
    return (
        b'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        b'<meta name="viewport" content="width=device-width, initial-scale=1"><title>',
        html.escape(name).encode(),
        b"</title><style>html,body{margin:0;height:100%;background:#fff}"
        b".figure{width:100%;height:100%;min-height:360px}img{max-width:100%}</style>",
        b"" if json is None else plotly_script(),
        b"</head><body>\n",
        element("figure", name, figure, json).encode(),
        b"\n</body></html>\n",
    )


def element(element_id: str, name: str, figure: Any, json: str | None, style: str = "") -> str:
    """Return one figure as HTML elements; a plotly figure needs plotly.js on the page.

    Args:
        element_id: Id of the element, unique on the page.
        name: Plot name, for the alternative text.
        figure: A plotly or matplotlib Figure.
        json: `figure_json(name, figure)`.
        style: CSS of the element of a plotly figure.
    """
    if json is None:
        return f'<img alt="{html.escape(name)}" src="data:image/png;base64,{_png(figure)}">'
    # plotly escapes "<" in its JSON, so no label can close the script element.
    return (
        f'<div id="{element_id}" class="figure" style="{style}"></div><script>'
        f'(function(f){{f.config={_CONFIG};Plotly.newPlot("{element_id}",f);}})({json});</script>'
    )


def figure_json(name: str, figure: Any) -> str | None:
    """Return the JSON of a plotly figure, None for a matplotlib figure.

    Raises:
        HookError: If `figure` is not a figure.
    """
    if is_plotly(figure):
        return figure.to_json()
    if is_matplotlib(figure):
        return None
    raise HookError(
        f"Plot {name!r} is a {type(figure).__name__}; a plot is a plotly or a matplotlib Figure."
    )


@cache
def plotly_script() -> bytes:
    """Return plotly.js as an HTML script element."""
    from plotly.offline import get_plotlyjs

    return b"<script>" + get_plotlyjs().encode() + b"</script>"


@cache
def plotly_script_in_json() -> bytes:
    """Return `plotly_script` escaped for use inside a JSON string."""
    return json_module.dumps(plotly_script().decode())[1:-1].encode()


def matplotlib_picture(figure: Any, picture_format: str) -> bytes:
    """Return a matplotlib figure as the content of a picture file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=picture_format, dpi=150, bbox_inches="tight")
    return buffer.getvalue()


def _png(figure: Any) -> str:
    return base64.b64encode(matplotlib_picture(figure, "png")).decode()
