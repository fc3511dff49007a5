"""plotly.js for pages that open offline: packed, and one file for all pages of a train.

The packed script has 2.0 MB where plotly.js has 4.8. It unpacks itself in the browser
(`DecompressionStream`, in all browsers since 2023) and sets `xinguPlotly`, a promise of plotly.js.
On a local disk, the files of all trains are hard links to one file of the project.
"""

import base64
import secrets
import zlib
from functools import cache
from pathlib import Path

from plotly.offline import get_plotlyjs, get_plotlyjs_version
from upath import UPath

from xingu.files.atomic import local_path, write_atomically

SCRIPT = "plotly.js"
"""Name of the packed script in the folder of a train."""

_UNPACK = b"""\
globalThis.xinguUnpack = async packed => {
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  return globalThis.Plotly;
};
globalThis.xinguPacked = "%s";
globalThis.xinguPlotly = xinguUnpack(xinguPacked);
"""


@cache
def packed_script() -> bytes:
    """Return the packed plotly.js, ASCII without ``<``, so that it can stand in a script element.

    Packing takes 0.1 s.
    """
    return _UNPACK % base64.b64encode(zlib.compress(get_plotlyjs().encode()))


def shared_name() -> str:
    """Return the name, without suffix, of the files that all trains of a project share."""
    return f"plotly-{get_plotlyjs_version()}"


def put_script(folder: UPath, shared: Path | None) -> None:
    """Write the packed plotly.js to `folder`; an existing one is replaced.

    Args:
        folder: Folder or URL; created if missing.
        shared: Local folder of the file that all trains share, which is written if it is missing;
            None: there is none.

    Raises:
        StorageFullError: If the storage is full.
    """
    target = folder / SCRIPT
    if shared is None:
        write_atomically(target, packed_script())
        return
    source, local = shared / f"{shared_name()}.js", local_path(target)
    if not source.exists():
        write_atomically(UPath(source), packed_script())
    if local is None or not _link(source, local):
        write_atomically(target, source.read_bytes())


def _link(source: Path, target: Path) -> bool:
    """Replace `target` by a hard link to `source`; return whether the file system could do it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        scratch.hardlink_to(source)
    except OSError:
        return False
    scratch.replace(target)
    scratch.unlink(missing_ok=True)  # renaming one link to another of the same file does nothing
    return True
