"""HTML of figures that needs no server and no internet: plotly.js is inside.

Its one idea: plotly.js is 4.8 MB, so it is read once, and is once in a page, as a piece that is
never copied. Base maps of geographic
plots are the exception: plotly.js fetches them when it draws.
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
    """Return one figure as a whole HTML page, in pieces.

    Args:
        name: Title of the page.
        figure: A plotly or matplotlib Figure.
        json: `figure_json(figure)`, so that it is encoded once.
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
    """Return one figure as HTML elements; a plotly one draws itself if plotly.js is loaded."""
    if json is None:
        return f'<img alt="{html.escape(name)}" src="data:image/png;base64,{_png(figure)}">'
    # JSON of plotly escapes "<", so no text of the user can end the script element.
    return (
        f'<div id="{element_id}" class="figure" style="{style}"></div><script>'
        f'(function(f){{f.config={_CONFIG};Plotly.newPlot("{element_id}",f);}})({json});</script>'
    )


def figure_json(name: str, figure: Any) -> str | None:
    """Return the JSON of a plotly figure (by orjson where it is installed); None of matplotlib.

    Raises:
        HookError: If `figure` is neither.
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
    """Return plotly.js as a script element."""
    from plotly.offline import get_plotlyjs

    return b"<script>" + get_plotlyjs().encode() + b"</script>"


@cache
def plotly_script_in_json() -> bytes:
    """Return the same as it stands inside a text of JSON."""
    return json_module.dumps(plotly_script().decode())[1:-1].encode()


def _png(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, bbox_inches="tight")
    return base64.b64encode(buffer.getvalue()).decode()
