"""Live progress of a run: the state and duration of each phase of each DataProvider.

A terminal and a notebook show a table that is refreshed in place. Elsewhere, the command prints a
line as each phase ends, and `Coach` the table once, at the end. This module does not import
Dagster: the process that draws is not the one that runs.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from xingu import cards
from xingu.texts import counted
from xingu_dagster.engine.limits import dataprovider_of

State = Literal["running", "done", "failed", "skipped"]

MARKS = {"waiting": "", "running": "…", "done": "✓", "failed": "✗", "skipped": "-"}
STYLES = {"running": "cyan", "done": "green", "failed": "bold red", "skipped": "dim"}
WIDE = 100
"""Columns from which a terminal also sees which asset was made last."""
DATAPROVIDER = "DataProvider"
CELL = len("✓ 12.3 s")
"""Width of a phase, so that columns do not move."""
ROUNDING = 5
"""Expected times are shown as multiples of so many seconds."""


@dataclass(frozen=True, slots=True)
class StepNews:
    """A change of a step ``<dp>__<phase>``, as plain values.

    Attributes:
        step: The step.
        state: Its new state.
        made: Path of an asset that it has made, below the DataProvider; empty: none.
    """

    step: str
    state: State
    made: str = ""


@dataclass(slots=True)
class Phase:
    """One phase of one DataProvider."""

    state: str = "waiting"
    started: float = 0.0
    seconds: float = 0.0
    doing: str = ""

    @property
    def elapsed(self) -> float:
        """Duration in seconds, so far."""
        return time.monotonic() - self.started if self.state == "running" else self.seconds


@dataclass
class Progress:
    """The phases of a run, by DataProvider and name of the phase.

    Attributes:
        steps: Names of the steps.
        expected: Their expected durations in seconds, where they are known.
        workers: Number of steps at the same time.
    """

    steps: list[str]
    expected: Mapping[str, float] = field(default_factory=dict)
    workers: int = 1
    phases: dict[str, Phase] = field(init=False)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.phases = {step: Phase() for step in self.steps}

    def on_news(self, news: StepNews) -> None:
        """Update the phase of a step."""
        phase = self.phases.get(news.step)
        if phase is None:
            return
        if news.state == "running" and phase.state != "running":
            phase.started = time.monotonic()
        phase.seconds, phase.state = phase.elapsed, news.state
        phase.doing = news.made or phase.doing

    def line(self, news: StepNews) -> str:
        """Return the end of a step as a line; empty for other news."""
        dp_id, _, phase = news.step.rpartition("__")
        if news.state == "running" or news.step not in self.phases:
            return ""
        seconds = "" if news.state == "skipped" else f" in {self.phases[news.step].seconds:.1f} s"
        return f"{dp_id}: {phase} {news.state}{seconds}"

    @property
    def seconds_left(self) -> float | None:
        """Expected time until the end; None if that of a phase is not known."""
        failed = set(self._dataproviders("failed"))
        left: dict[str, float] = {}
        for step, phase in self.phases.items():
            dp_id = dataprovider_of(step)
            if phase.state == "running" or (phase.state == "waiting" and dp_id not in failed):
                if step not in self.expected:
                    return None
                rest = max(0.0, self.expected[step] - phase.elapsed)
                left[dp_id] = left.get(dp_id, 0.0) + rest
        return max([*left.values(), sum(left.values()) / self.workers], default=0.0)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield a table with a row per DataProvider and a column per phase, and the time."""
        names, ids = self._phases_and_ids()
        wide = options.max_width >= WIDE or not console.is_terminal
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        space = options.max_width - len(names) * (CELL + 1) - 1
        least = min(max(map(len, [*ids, DATAPROVIDER])), max(space, 1))
        table.add_column(DATAPROVIDER, min_width=least, overflow="fold")
        for name in names:  # of two words, which are two lines on a narrow terminal
            most = None if wide else CELL
            table.add_column(name.replace("_", " "), min_width=CELL, max_width=most)
        if wide:
            table.add_column("last made", overflow="fold")
        shown = (
            self._most_interesting(ids, max(console.height - 4, 5)) if console.is_terminal else ids
        )
        for dp_id in shown:
            phases = [self.phases.get(f"{dp_id}__{name}") for name in names]
            last = next((one.doing for one in reversed(phases) if one and one.doing), "")
            table.add_row(dp_id, *map(self._cell, phases), *([last] if wide else []))
        yield table
        if hidden := len(ids) - len(shown):
            yield Text(f"and {hidden} more DataProviders", "dim")
        if console.is_terminal:
            yield Text(self._clock(), "dim")

    def _phases_and_ids(self) -> tuple[list[str], list[str]]:
        """Return the names of the phases and the ids of the DataProviders, in order."""
        names = dict.fromkeys(step.rpartition("__")[2] for step in self.steps)
        return list(names), list(dict.fromkeys(map(dataprovider_of, self.steps)))

    def _dataproviders(self, *states: str) -> list[str]:
        """Return the DataProvider of each phase in one of the states."""
        return [dataprovider_of(step) for step, one in self.phases.items() if one.state in states]

    def _most_interesting(self, ids: list[str], limit: int) -> list[str]:
        """Return at most `limit` ids, in order: those that run or failed, then the others."""
        if len(ids) <= limit:
            return ids
        busy = self._dataproviders("running", "failed")
        first = list(dict.fromkeys([*busy, *ids]))[:limit]
        return [dp_id for dp_id in ids if dp_id in first]

    def _clock(self) -> str:
        elapsed, left = time.monotonic() - self.started, self.seconds_left
        if not left:
            return f"{elapsed:.0f} s"
        about = max(ROUNDING, round(left / ROUNDING) * ROUNDING)
        return f"{elapsed:.0f} s, about {about} s left"

    @staticmethod
    def _cell(phase: Phase | None) -> Text:
        if phase is None or phase.state == "waiting":
            return Text("")
        mark = MARKS[phase.state]
        text = mark if phase.state == "skipped" else f"{mark} {phase.elapsed:.1f} s"
        return Text(text, STYLES[phase.state])

    def html(self) -> str:
        """Return the table as a card for notebooks."""
        names, ids = self._phases_and_ids()
        # Blank cells, because columns of empty ones are left out, and would appear one by one.
        rows = [
            [dp_id, *(self._cell(self.phases.get(f"{dp_id}__{one}")).plain or " " for one in names)]
            for dp_id in ids
        ]
        table = cards.table([DATAPROVIDER, *names], rows)
        return cards.card("Run", counted(len(ids), DATAPROVIDER), self._clock(), [table])


def is_live(console: Console) -> bool:
    """Return whether lines of a console can be drawn again.

    FORCE_COLOR, which CI services and the kernels of notebooks set, makes no terminal of a pipe.
    """
    return console.is_terminal and console.file.isatty()


@contextmanager
def shown(progress: Progress, console: Console | None = None) -> Iterator[None]:
    """Show `progress` while the block runs."""
    console = console or Console()
    if console.is_jupyter:
        with _in_notebook(progress):
            yield
    elif is_live(console):
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

    handle: Any = display(HTML(progress.html()), display_id=True)
    ended = Event()

    def refresh() -> None:
        while not ended.wait(0.5):
            handle.update(HTML(progress.html()))

    thread = Thread(target=refresh, name="xingu-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        handle.update(HTML(progress.html()))
