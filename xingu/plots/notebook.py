"""Write a notebook that shows plots in the Dagster UI.

The webserver converts a notebook file to HTML with nbconvert. The plots are the output of one code
cell without code: nbconvert copies outputs, but parses the HTML of Markdown cells, which takes
minutes. plotly.js is in a second notebook, which all others share; the page fetches it from the
same webserver.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from upath import UPath

from xingu.files.atomic import write_atomically
from xingu.plots.index import Shown, gallery
from xingu.plots.script import packed_script, shared_name
from xingu.plots.viewer import GALLERY_STYLE, SCRIPT, STYLE

NOTEBOOK = "plots.ipynb"
_FETCH = """
globalThis.xinguPlotly = (async () => {
  const query = new URLSearchParams(location.search);
  if (!query.has("repoLocName")) throw Error("this is not the Dagster UI");
  const page = document.querySelector(".xingu-page");
  document.body.className = "";
  document.body.style.cssText = "margin:0;padding:0";
  document.body.replaceChildren(page);
  query.set("path", %s);
  const text = await (await fetch("?" + query)).text();
  const found = new DOMParser().parseFromString(text, "text/html").getElementById("xingu-packed");
  const script = document.createElement("script");
  script.textContent = found.textContent;
  document.head.append(script);
  return globalThis.xinguPlotly;
})();
"""
"""Shows the plots in place of nbconvert's page, and gets plotly.js from the notebook of a path."""


def write_notebook(parts: Sequence[Shown], path: Path, shared: Path) -> None:
    """Write the notebook of a train's plots, and the one with plotly.js if it is missing.

    Args:
        parts: The parts to show, at least one.
        path: Local file, with the suffix ``.ipynb``.
        shared: Local folder of the notebook with plotly.js.
    """
    library = shared / f"{shared_name()}.ipynb"
    if not library.exists():
        script = packed_script().decode()
        held = f'<script type="text/plain" id="xingu-packed">{script}</script>'
        write_atomically(UPath(library), _notebook(held))
    address = json.dumps(str(library)).replace("<", "\\u003c")
    scripts = f"<script>{_FETCH % address}</script><script>{SCRIPT}</script>"
    shown = f"<style>{STYLE}{GALLERY_STYLE}</style>{gallery(parts)}{scripts}"
    write_atomically(UPath(path), _notebook(shown))


def _notebook(html: str) -> bytes:
    cell: Mapping[str, Any] = {
        "cell_type": "code",
        "id": "plots",
        "execution_count": None,
        "metadata": {},
        "outputs": [{"output_type": "display_data", "data": {"text/html": html}, "metadata": {}}],
        "source": "",
    }
    # Without a lexer, nbconvert looks for IPython's and logs a warning.
    language = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    notebook = {"cells": [cell], "metadata": language, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook).encode()
