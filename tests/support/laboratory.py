"""Real runs of the jobs of `tests.engine.jobs`, in processes of their own."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psutil

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180
"""A busy machine shall not decide whether a rule holds."""


@dataclass
class Laboratory:
    """A folder with an instance of Dagster, in which jobs are run by Dagster's command."""

    folder: Path

    @property
    def notes(self) -> Path:
        return self.folder / "notes.txt"

    def start(self, job: str, *arguments: str, **environment: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "dagster", "job", "execute", "-j", job, *arguments]
        self.notes.touch()
        return subprocess.Popen(
            [*command, "-m", "tests.engine.jobs"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "DAGSTER_HOME": str(self.folder),
                "NOTES": str(self.notes),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, job: str, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run a job to its end and return its exit code and its output."""
        process = self.start(job, *arguments, **environment)
        output, _ = process.communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, output

    def noted(self, what: str) -> list[tuple[str, int]]:
        """Return who noted this, and in which process, in order."""
        rows = [row.split() for row in self.notes.read_text().splitlines()]
        return [(row[1], int(row[-1])) for row in rows if row[0] == what]

    def wait_for(self, what: str, count: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.noted(what)) < count:
            assert time.monotonic() < deadline, self.notes.read_text()
            time.sleep(0.05)

    @property
    def instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.from_config(str(self.folder))

    def events(self, kind: dg.DagsterEventType) -> list[dg.DagsterEvent]:
        """Return the events of one kind of the newest run."""
        with self.instance as instance:
            run_id = instance.get_runs(limit=1)[0].run_id
            events = [entry.dagster_event for entry in instance.all_logs(run_id)]
        return [event for event in events if event is not None and event.event_type is kind]

    def steps(self, kind: dg.DagsterEventType) -> set[str]:
        return {str(event.step_key) for event in self.events(kind)}

    @property
    def status(self) -> dg.DagsterRunStatus:
        with self.instance as instance:
            return instance.get_runs(limit=1)[0].status


def ended(processes: list[psutil.Process]) -> bool:
    """Return whether processes end by themselves within some seconds."""
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    return not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]
