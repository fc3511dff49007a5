"""Build HTML of figures that needs no server and no network; plotly.js is a file beside the page.

Base maps of geographic plots are the exception: the browser downloads them.
"""

import base64
import html
import io
from functools import cache
from typing import Any

from xingu.errors import HookError
from xingu.plots.collect import is_matplotlib, is_plotly
from xingu.plots.viewer import SCRIPT, STYLE

Content = str | bytes
"""JSON of a plotly figure, or PNG of a matplotlib figure."""
NOTE = (
    '<p class="xingu-note" hidden>plotly.js was not found, so that no plot can be drawn. Open '
    "<code>index.html</code> in a copy of the whole folder of the train.</p>"
)


def content_of(name: str, figure: Any) -> Content:
    """Return the JSON of a plotly figure, or the PNG of a matplotlib figure.

    Raises:
        HookError: If `figure` is not a figure.
    """
    if is_plotly(figure):
        return figure.to_json()
    if is_matplotlib(figure):
        return matplotlib_picture(figure, "png")
    raise HookError(
        f"Plot {name!r} is a {type(figure).__name__}; a plot is a plotly or a matplotlib Figure."
    )


def page(name: str, content: Content, script: str) -> bytes:
    """Return a complete HTML page of one figure, encoded as UTF-8.

    Args:
        name: Title of the page.
        content: The figure.
        script: Address of the packed plotly.js, relative to the page.
    """
    body = f'<div class="xingu-page xingu-one">{element("figure", name, content)}{NOTE}</div>'
    return document(name, STYLE, f'<script src="{html.escape(script)}"></script>', body)


def document(title: str, style: str, head: str, body: str) -> bytes:
    """Return an HTML document that draws the plots of `body`, encoded as UTF-8."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>body{{margin:0}}{style}</style>{head}</head>"
        f"<body>{body}<script>{SCRIPT}</script></body></html>\n"
    ).encode()


def element(
    element_id: str, name: str, content: Content, height: float | None = None, inner: str = ""
) -> str:
    """Return one figure as an HTML element, which is drawn by the script of `document`.

    Args:
        element_id: Id of the element, unique on the page; letters, digits, ``-`` and ``_``.
        name: Plot name, for screen readers.
        content: The figure.
        height: Height in pixels; a plot with a height takes the width of the page.
        inner: HTML at the end of the element.
    """
    label = html.escape(name)
    if isinstance(content, bytes):
        kind, encoded = "xingu-picture", base64.b64encode(content).decode()
        picture = f'<img alt="{label}" src="data:image/png;base64,{encoded}">'
        shown = f"<figcaption>{label}</figcaption>{picture}"
    else:
        kind, text = "xingu-plot", content.replace("<", "\\u003c")  # no label ends the script
        shown = (
            f'<div role="img" aria-label="{label}"></div>'
            f'<script type="application/json">{text}</script>'
        )
    style = f' style="height:{height:g}px"' if height else ""
    wide = " xingu-wide" if height else ""
    return f'<figure class="{kind}{wide}" id="{element_id}"{style}>{shown}{inner}</figure>\n'


@cache
def plotly_script() -> bytes:
    """Return plotly.js as an HTML script element."""
    from plotly.offline import get_plotlyjs

    return b"<script>" + get_plotlyjs().encode() + b"</script>"


def matplotlib_picture(figure: Any, picture_format: str) -> bytes:
    """Return a matplotlib figure as the content of a picture file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=picture_format, dpi=150, bbox_inches="tight")
    return buffer.getvalue()
