"""Show a run on stderr while it happens: a live table on a terminal, else plain lines."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from xingu_dagster.cli.order import Message
from xingu_dagster.cli.output import print_error, shown_paths
from xingu_dagster.engine.limits import dataprovider_of
from xingu_dagster.progress import Progress, is_live


class Watch:
    """The display of a run on stderr.

    Args:
        log: File of the output of the run.
        debug: Show that output too, and no table.
    """

    def __init__(self, log: Path, *, debug: bool = False) -> None:
        self.log, self.debug = log, debug
        self.console = Console(stderr=True, markup=False, emoji=False, highlight=False)
        self.progress: Progress | None = None
        self.run_id: str | None = None
        self._live = is_live(self.console) and not debug
        self._started = time.monotonic()
        self._read = 0

    def follow(self, messages: Iterable[Message | None]) -> Message | None:
        """Show what happens, and return the last message; None if the run's process died."""
        end = None
        with self._shown() as refresh:
            for message in messages:
                if message is not None and message["kind"] in ("end", "error"):
                    end = message
                elif message is not None:
                    self._take(message)
                self._show_log()
                refresh()
        self._show_log()
        return end

    def report_error(self, error: Message) -> None:
        """Print why there is no outcome."""
        if self.debug and "trace" in error:
            click.echo(error["trace"], err=True)
        print_error(error["text"])
        if not error["expected"]:
            click.echo(f"Log: {shown_paths(str(self.log))}; --debug shows it.", err=True)

    @contextmanager
    def _shown(self) -> Iterator[Callable[[], object]]:
        if not self._live:
            yield lambda: None
            return
        # No thread draws: the run's process may be forked again, and signals arrive here.
        with Live(get_renderable=self._render, console=self.console, auto_refresh=False) as live:
            yield live.refresh
            live.transient = self.progress is None  # nothing to keep

    def _render(self) -> RenderableType:
        if self.progress is not None:
            return self.progress
        return Text(f"Loading the project … {time.monotonic() - self._started:.0f} s", "dim")

    def _take(self, message: Message) -> None:
        if message["kind"] == "plan":
            plan = {name: message[name] for name in ("steps", "expected", "workers")}
            self.run_id = message["run_id"]
            self.progress = Progress(**plan, started=self._started)
            if not self._live:
                ids = dict.fromkeys(map(dataprovider_of, message["steps"]))
                self.console.print(f"Run {message['run_id']}: {', '.join(ids)}")
        elif self.progress is not None:
            self.progress.on_news(message["news"])
            line = self.progress.line(message["news"])
            if line and not self._live:
                self.console.print(line, soft_wrap=True)

    def _show_log(self) -> None:
        """Print what the log has gained, if that is wanted."""
        if not self.debug or not self.log.exists():
            return
        with self.log.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        click.echo(whole.decode(errors="replace"), nl=False, err=True)
