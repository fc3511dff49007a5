"""Live progress of a run: the state and duration of each phase of each DataProvider.

`Progress` receives the events of the run. A terminal and a notebook show a table that is refreshed
in place; other outputs get the table once, at the end.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import dagster as dg
from rich.console import Console
from rich.live import Live
from rich.table import Table

MARKS = {"waiting": "", "running": "…", "done": "✓", "failed": "✗"}


@dataclass(slots=True)
class Phase:
    """One phase of one DataProvider."""

    state: str = "waiting"
    started: float = 0.0
    seconds: float = 0.0
    doing: str = ""


@dataclass
class Progress:
    """The phases of a run, by DataProvider and name of the phase."""

    steps: list[str]
    phases: dict[str, Phase] = field(init=False)

    def __post_init__(self) -> None:
        self.phases = {step: Phase() for step in self.steps}

    def on_event(self, entry: dg.EventLogEntry) -> None:
        """Update the phases by an event of the run."""
        event = entry.dagster_event
        phase = self.phases.get(event.step_key or "") if event else None
        if event is None or phase is None:
            return
        kind = dg.DagsterEventType
        if event.event_type is kind.STEP_START:
            phase.state, phase.started = "running", time.monotonic()
        elif event.event_type is kind.ASSET_MATERIALIZATION and event.asset_key:
            phase.doing = "/".join(event.asset_key.path[1:])
        elif event.event_type in (kind.STEP_SUCCESS, kind.STEP_FAILURE):
            phase.seconds = time.monotonic() - phase.started
            phase.state = "done" if event.event_type is kind.STEP_SUCCESS else "failed"

    def __rich__(self) -> Table:
        """Return a table with a row per DataProvider and a column per phase."""
        split = {step: tuple(step.rsplit("__", 1)) for step in self.steps}  # ids may have "__"
        names = list(dict.fromkeys(phase for _, phase in split.values()))
        headers = ("DataProvider", *names, "last made")
        table = Table(*headers, box=None, pad_edge=False, padding=(0, 1, 0, 0))
        for dp_id in dict.fromkeys(dp_id for dp_id, _ in split.values()):
            cells = [self._cell(self.phases.get(f"{dp_id}__{name}")) for name in names]
            made = [phase.doing for step, phase in self.phases.items() if split[step][0] == dp_id]
            table.add_row(dp_id, *cells, next((one for one in reversed(made) if one), ""))
        return table

    @staticmethod
    def _cell(phase: Phase | None) -> str:
        if phase is None or phase.state == "waiting":
            return ""
        running = phase.state == "running"
        seconds = time.monotonic() - phase.started if running else phase.seconds
        return f"{MARKS[phase.state]} {seconds:.1f} s"


@contextmanager
def shown(progress: Progress, console: Console | None = None) -> Iterator[None]:
    """Show `progress` while the block runs."""
    console = console or Console()
    if console.is_jupyter:
        with _in_notebook(progress):
            yield
    elif console.is_terminal:
        with Live(progress, console=console, refresh_per_second=4):
            yield
    else:
        yield
        console.print(progress)


@contextmanager
def _in_notebook(progress: Progress) -> Iterator[None]:
    """Refresh one output cell; rich needs ipywidgets for that, which may not be installed."""
    from threading import Event, Thread

    from IPython.display import HTML, display

    def html() -> HTML:
        console = Console(record=True, width=100, file=StringIO(), force_jupyter=False)
        console.print(progress)
        return HTML(console.export_html(inline_styles=True, code_format="<pre>{code}</pre>"))

    handle: Any = display(html(), display_id=True)
    ended = Event()

    def refresh() -> None:
        while not ended.wait(0.5):
            handle.update(html())

    thread = Thread(target=refresh, name="xingu-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        handle.update(html())
