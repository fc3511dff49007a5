"""Save the figures of a phase, and link to them from the asset."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import dagster as dg

from xingu.inventory.recording import record_plots
from xingu.model import Model
from xingu.plots.collect import Channel, Gallery, is_plotly
from xingu.storage.values import Label
from xingu_dagster.metadata import Metadata
from xingu_dagster.phases.partial import announced
from xingu_dagster.phases.step import PhaseStep

NOTEBOOK = "plots.ipynb"
LOCATION = "xingu"
"""Name of the code location in workspace.yaml and pyproject.toml, for runs that do not know it."""


def keep_plots(
    step: PhaseStep,
    parts: tuple[str, ...],
    draw: Callable[[], Gallery],
    model: Model,
    version: str,
    channels: Sequence[Channel],
) -> Iterator[dg.MaterializeResult]:
    """Draw, save each figure versioned by train, list them, and announce where they are.

    Args:
        step: The running step.
        parts: The asset.
        draw: Gives the figures by name.
        model: The model that they are about.
        version: The data version.
        channels: What figures may be about; those of earlier drawings are not listed any more.

    Raises:
        XinguError: If a method failed; the figures of the others are saved by then.
    """
    from xingu.plots.files import save_plots, write_notebook
    from xingu.plots.theme import stamp

    started = time.perf_counter()
    when = model.trained or datetime.now(UTC)
    gallery, place = draw(), step.workplace
    figures = {
        name: stamp(figure, model.id, model.train_id, when) if is_plotly(figure) else figure
        for name, figure in gallery.figures.items()
    }
    folder = place.plots.joinpath(step.names.group, model.train_id, *parts[:-1])
    files = save_plots(figures, folder, place.picture_formats)
    listed: list[tuple[Channel, str, str]] = [
        (gallery.channels[f.name], f.name, str(path)) for f in files for path in f.paths
    ]
    record_plots(place.control, model.run, listed, channels)
    # The webserver asks the code server for this file, so it must be on a disk of that machine.
    notebook = _notebook_place(step, model, parts)
    write_notebook(figures, notebook)
    saved = [
        {
            "name": file.name,
            "html": str(file.html),
            "json": file.json and str(file.json),
            "pictures": [str(path) for path in file.pictures],
        }
        for file in files
    ]
    metadata = describe_plots(step, [(file.name, str(file.html)) for file in files], notebook)
    label = Label(version, {"train_id": model.train_id})
    result = step.keep(parts, saved, label, time.perf_counter() - started, metadata)
    yield from announced(step, result, gallery.failures)


def _notebook_place(step: PhaseStep, model: Model, parts: tuple[str, ...]) -> Path:
    plots = step.workplace.plots
    local = plots if plots.protocol in ("", "file") else step.workplace.home / ".xingu" / "plots"
    return Path(str(local)).joinpath(step.names.group, model.train_id, *parts[:-1], NOTEBOOK)


def describe_plots(step: PhaseStep, files: list[tuple[str, str]], notebook: Path) -> Metadata:
    """Return where the plots are, with a link that opens them in the UI."""
    origin = step.context.run.remote_job_origin
    location = origin.location_name if origin else LOCATION
    link = f"/notebook?path={quote(str(notebook), safe='')}&repoLocName={quote(location)}"
    listing = "\n".join(f"- {name}: `{path}`" for name, path in files)
    return {
        "open plots": dg.MetadataValue.md(f"[Open {len(files)} interactive plots]({link})"),
        "plots": len(files),
        "files": dg.MetadataValue.md(listing),
    }
