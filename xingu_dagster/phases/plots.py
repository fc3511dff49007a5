"""Save the figures of a phase, and link to them from the asset."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pandas as pd

from xingu.checks.check import AssetPath
from xingu.model import Model
from xingu.names import partition_part
from xingu.plots.collect import Gallery, is_plotly
from xingu.plots.files import Header, PlotFile, PlotFolder
from xingu.plots.files import save_gallery as save_files
from xingu.plots.index import INDEX, PARTS
from xingu.plots.notebook import NOTEBOOK, write_notebook
from xingu.records import MetricRow, PlotChannel
from xingu.tracking.record import record_plots
from xingu.values import Label
from xingu_dagster.engine.location import code_location
from xingu_dagster.metadata import METRIC_COLUMNS, Metadata
from xingu_dagster.phases.partial import announced
from xingu_dagster.phases.step import PhaseStep


def keep_plots(
    step: PhaseStep,
    path: AssetPath,
    draw: Callable[[], Gallery],
    model: Model,
    label: Label,
    metrics: pd.DataFrame | None,
) -> Iterator[dg.MaterializeResult]:
    """Draw, save and list the plots of a Model, and yield their materialization.

    Args:
        step: The running step.
        path: The asset.
        draw: Returns the figures by name.
        model: The Model that they show.
        label: Data version and facts of the value.
        metrics: Metrics of the rows that they show, as of `metrics_frame`; None: unknown.

    Raises:
        XinguError: If a method failed; the figures of the others are saved by then.
    """
    started = time.perf_counter()
    gallery = draw()
    header = Header(model.run, model.trained or datetime.now(UTC), _rows(metrics))
    files, metadata = save_gallery(step, gallery, "/".join(path[:-1]), header)
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
    step: PhaseStep, gallery: Gallery, part: str, header: Header
) -> tuple[list[PlotFile], Metadata]:
    """Save each figure versioned by train, list them in the control DB, and link to them.

    Args:
        step: The running step.
        gallery: The figures by name.
        part: Part of the train's plots, see `xingu.plots.index.PARTS`; earlier figures of its
            channels are not listed any more.
        header: The train that they show, with its time and metrics.
    """
    from xingu.plots.theme import stamp

    workspace, run = step.workspace, header.run
    for figure in filter(is_plotly, gallery.figures.values()):
        stamp(figure, run.dataprovider_id, run.train_id, header.when)
    folder = workspace.plots.joinpath(*_place(step, run.train_id))
    place = PlotFolder(folder, part, workspace.notebooks)
    files, shown = save_files(gallery, place, header, workspace.picture_formats)
    listed: list[tuple[PlotChannel, str, str]] = [
        (gallery.channels[f.name], f.name, str(path)) for f in files for path in f.paths
    ]
    record_plots(workspace.control, run, listed, PARTS[part])
    if not files:
        return files, {"plots": 0}
    notebook = _notebook(step, run.train_id, part)
    write_notebook([shown], notebook, workspace.notebooks)
    text = f"Open {len(files)} interactive plots"
    return files, {**plot_links(step, run.train_id, part, text), "plots": len(files)}


def plot_links(step: PhaseStep, train_id: str, part: str, text: str) -> Metadata:
    """Return a link that opens plots of a train in the UI, and the page with all of its plots."""
    location = quote(code_location(step.context, step.workspace.home), safe="")
    notebook = quote(str(_notebook(step, train_id, part)), safe="")
    page = step.workspace.plots.joinpath(*_place(step, train_id), INDEX)
    return {
        "open plots": dg.MetadataValue.md(
            f"[{text}](/notebook?path={notebook}&repoLocName={location})"
        ),
        "page": dg.MetadataValue.path(str(page)),
    }


def _notebook(step: PhaseStep, train_id: str, part: str) -> Path:
    return step.workspace.notebooks.joinpath(*_place(step, train_id), part, NOTEBOOK)


def _place(step: PhaseStep, train_id: str) -> Sequence[str]:
    """Return the folder of plots of a train; those of a partition of its batch have their own."""
    own = ["partitions", partition_part(step.partition.key)] if step.partition else []
    return [step.spec.folder, train_id, *own]


def _rows(metrics: pd.DataFrame | None) -> Sequence[MetricRow]:
    if metrics is None:
        return ()
    cells = metrics[[*METRIC_COLUMNS]].astype("object")
    known = cells.where(cells.notna(), None).itertuples(index=False, name=None)
    return [MetricRow(*row) for row in known]
