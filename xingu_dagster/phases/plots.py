"""Save the figures of a phase, and link to them from the asset."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import dagster as dg

from xingu.checks.check import AssetPath
from xingu.model import Model
from xingu.plots.collect import Gallery, is_plotly
from xingu.plots.files import PlotFile, encode, save_plots, write_notebook
from xingu.records import PlotChannel, TrainRun
from xingu.tracking.record import record_plots
from xingu.values import Label
from xingu_dagster.metadata import Metadata
from xingu_dagster.phases.partial import announced
from xingu_dagster.phases.step import PhaseStep

NOTEBOOK = "plots.ipynb"
LOCATION = "xingu"
"""Name of the code location in workspace.yaml and pyproject.toml, for runs without an origin."""


def keep_plots(
    step: PhaseStep,
    path: AssetPath,
    draw: Callable[[], Gallery],
    model: Model,
    label: Label,
    channels: Sequence[PlotChannel],
) -> Iterator[dg.MaterializeResult]:
    """Draw, save and list the plots of a Model, and yield their materialization.

    Args:
        step: The running step.
        path: The asset.
        draw: Returns the figures by name.
        model: The Model that they show.
        label: Data version and facts of the value.
        channels: Channels of the figures; their earlier figures are not listed any more.

    Raises:
        XinguError: If a method failed; the figures of the others are saved by then.
    """
    started = time.perf_counter()
    when = model.trained or datetime.now(UTC)
    gallery = draw()
    files, metadata = save_gallery(step, gallery, path[:-1], model.run, when, channels)
    saved = [
        {
            "name": file.name,
            "html": str(file.html),
            "json": file.json and str(file.json),
            "pictures": [str(path) for path in file.pictures],
        }
        for file in files
    ]
    result = step.keep(path, saved, label, time.perf_counter() - started, metadata)
    yield from announced(step, result, gallery.failures)


def save_gallery(
    step: PhaseStep,
    gallery: Gallery,
    folder: tuple[str, ...],
    run: TrainRun,
    when: datetime,
    channels: Sequence[PlotChannel],
) -> tuple[list[PlotFile], Metadata]:
    """Save each figure versioned by train, list them in the control DB, and link to them.

    Args:
        step: The running step.
        gallery: The figures by name.
        folder: Path below the folder of the train.
        run: The train that they show.
        when: Its time.
        channels: Channels of the figures; their earlier figures are not listed any more.
    """
    from xingu.plots.theme import stamp

    place = step.workspace
    figures = {
        name: stamp(figure, run.dataprovider_id, run.train_id, when)
        if is_plotly(figure)
        else figure
        for name, figure in gallery.figures.items()
    }
    parts = (step.spec.op_prefix, run.train_id, *folder)
    encoded = encode(figures)
    formats = place.options.picture_formats
    files = save_plots(figures, place.plots.joinpath(*parts), formats, encoded)
    listed: list[tuple[PlotChannel, str, str]] = [
        (gallery.channels[f.name], f.name, str(path)) for f in files for path in f.paths
    ]
    record_plots(place.control, run, listed, channels)
    # The webserver asks the code server for this file, so it must be on a disk of that machine.
    local = place.plots if place.plots.protocol in ("", "file") else place.home / ".xingu" / "plots"
    notebook = Path(str(local)).joinpath(*parts, NOTEBOOK)
    write_notebook(figures, notebook, encoded)
    return files, _describe(step, files, notebook)


def _describe(step: PhaseStep, files: Sequence[PlotFile], notebook: Path) -> Metadata:
    """Return the paths of the plots, and a link that opens them in the UI."""
    if not files:
        return {"plots": 0}
    origin = step.context.run.remote_job_origin
    location = origin.location_name if origin else LOCATION
    link = f"/notebook?path={quote(str(notebook), safe='')}&repoLocName={quote(location)}"
    listing = "\n".join(f"- {file.name}: `{file.html}`" for file in files)
    return {
        "open plots": dg.MetadataValue.md(f"[Open {len(files)} interactive plots]({link})"),
        "plots": len(files),
        "files": dg.MetadataValue.md(listing),
    }
