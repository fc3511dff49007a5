"""Run commands in processes of their own, and measure wall time and memory of the whole tree.

Memory is the proportional set size (PSS), so pages that forked processes share count
once. It is read every 200 ms from `/proc/<pid>/smaps_rollup`; meanwhile the kernel lets the process
neither fork nor touch new pages, which took 3 of 30 s from 80 forked processes and nothing from a
script of one. Therefore memory is measured in a separate run. Linux only.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench_data import DATABASE

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
RESULTS = HERE / "results"
DAGSTER = Path(sys.executable).with_name("dagster")
MEMORY_SECONDS, CPU_SECONDS = 0.2, 0.5
"""Time between two looks at all processes: at their memory, and at their CPU time alone."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One execution of one command."""

    seconds: float
    cpu_seconds: float
    """CPU time of the whole tree, as last sampled."""
    peak_mb: float
    """Peak of memory; 0 where nobody looked."""
    others: float
    """Cores that were busy with something else meanwhile; near 0 on an idle machine."""
    output: str


class Tree:
    """Memory and CPU time of a process and all its descendants, dead ones included."""

    def __init__(self, pid: int, *, memory: bool) -> None:
        self.root = psutil.Process(pid)
        self.peak_mb = self.cpu_seconds = 0.0
        self._memory = memory

    def sample(self) -> None:
        """Look at all processes once."""
        memory = cpu = 0.0
        try:
            for process in [self.root, *self.root.children(recursive=True)]:
                memory += _pss_mb(process.pid) if self._memory else 0.0
                cpu += sum(process.cpu_times()[:4])  # with that of children that have ended
        except psutil.NoSuchProcess:  # it has ended meanwhile
            return
        self.peak_mb = max(self.peak_mb, memory)
        self.cpu_seconds = max(self.cpu_seconds, cpu)


def measure(
    command: Sequence[str],
    env: Mapping[str, str] | None = None,
    folder: Path = PROJECT,
    *,
    memory: bool = False,
) -> Measured:
    """Run `command` from `folder` until it ends; with `memory` it takes longer.

    Raises:
        SystemExit: If it fails; its output is printed.
    """
    log = RESULTS / "last_output.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **(env or {})}
    # Else the modules of this project, which no package manager compiles, are compiled each time.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    busy, begin = _busy_seconds(), time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
        tree = Tree(process.pid, memory=memory)
        try:
            while process.poll() is None:
                tree.sample()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(MEMORY_SECONDS if memory else CPU_SECONDS)
        finally:
            process.kill()  # without effect on one that has ended
    seconds = time.perf_counter() - begin
    others = max(0.0, _busy_seconds() - busy - tree.cpu_seconds) / seconds
    text = log.read_text()
    if process.returncode:
        raise SystemExit(f"{text[-8000:]}\nexit code {process.returncode}: {' '.join(command)}")
    return Measured(seconds, tree.cpu_seconds, tree.peak_mb, others, text)


def _pss_mb(pid: int) -> float:
    """Memory in megabytes of 2**20 bytes."""
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open() as rows:
            return next(int(row.split()[1]) / 1024 for row in rows if row.startswith("Pss:"))
    except (OSError, StopIteration):  # it has ended meanwhile
        return 0.0


def _busy_seconds() -> float:
    """CPU time of the whole machine, without that of this process, which only samples."""
    times, own = psutil.cpu_times(), os.times()
    return times.user + times.system + times.nice - own.user - own.system


@dataclass(frozen=True, slots=True)
class Runs:
    """The executions of one command."""

    timed: list[Measured]
    peak_mb: float
    """Peak of memory, of one more execution."""

    @property
    def seconds(self) -> list[float]:
        """The wall times."""
        return [run.seconds for run in self.timed]


Command = Callable[[bool], Measured]
"""Runs once; with true, it is the memory that counts."""


def interleaved(repetitions: int, commands: Mapping[str, Command]) -> dict[str, Runs]:
    """Run all commands one after the other, `repetitions` times, so that noise hits all alike."""
    timed: dict[str, list[Measured]] = {name: [] for name in commands}
    for repetition in range(repetitions):
        for name, command in commands.items():
            run = command(False)
            timed[name].append(run)
            print(
                f"  run {repetition + 1} {name:<6}{run.seconds:7.1f} s {run.cpu_seconds:7.1f} CPU s"
                f"  (others used {run.others:.2f} cores)",
                flush=True,
            )
    return {name: Runs(timed[name], commands[name](True).peak_mb) for name in commands}


def report(measured: Mapping[str, Runs]) -> None:
    """Print median and least wall time, the median of CPU time, and the peak of memory."""
    print(f"\n{'':<8}{'median s':>10}{'least s':>10}{'CPU s':>10}{'peak MB':>10}")
    for name, runs in measured.items():
        cpu = statistics.median(run.cpu_seconds for run in runs.timed)
        print(
            f"{name:<8}{statistics.median(runs.seconds):>10.1f}{min(runs.seconds):>10.1f}"
            f"{cpu:>10.1f}{runs.peak_mb:>10.0f}"
        )
    print()


def compare(label: str, ours: Sequence[float], others: Sequence[float], target: float) -> None:
    """Print the ratios of medians and of least values against what is promised."""
    ratio = statistics.median(ours) / statistics.median(others)
    least = min(ours) / min(others)
    verdict = "met" if ratio <= target else "MISSED"
    print(f"{label:<28}{ratio:>7.2f}  (of least: {least:.2f})   target ≤ {target}   {verdict}")


def last_line(run: Measured) -> dict:
    """Return the JSON that a bare script prints as its last line."""
    return json.loads(run.output.strip().splitlines()[-1])


def warm_up() -> None:
    """Bring the database, the libraries and their byte code into the cache of the OS."""
    with DATABASE.open("rb") as file:
        while file.read(1 << 24):
            pass
    libraries = "dagster, lightgbm, pandas, plotly.graph_objects, sklearn.metrics, sqlalchemy"
    subprocess.run([sys.executable, "-c", f"import {libraries}"], check=True)


def bare(script: str, *arguments: str) -> Command:
    """Return what runs a script of this folder."""
    command = [sys.executable, str(HERE / script), *arguments]
    return lambda memory: measure(command, memory=memory)


@dataclass(frozen=True, slots=True)
class Project:
    """A project of Xingu in a folder of its own: an instance of Dagster, and every store."""

    folder: Path
    providers: Path
    executor: str | None = None

    @property
    def env(self) -> dict[str, str]:
        """The settings of the project."""
        settings = {
            "DAGSTER_HOME": str(self.folder),
            "PROJECT_HOME": str(self.folder),
            "DATAPROVIDER_FOLDER": str(self.providers),
            "DATABASES": f"bench|sqlite:///{DATABASE}",
            "TRAINED_MODELS_PATH": str(self.folder / "models"),
            "PLOTS_PATH": str(self.folder / "plots"),
            "XINGU_VALUES_PATH": str(self.folder / "values"),
            "PYTHONPATH": str(PROJECT),
        }
        return settings | ({"XINGU_EXECUTOR": self.executor} if self.executor else {})

    def make(self) -> "Project":
        """Make it anew: empty stores, and an instance of Dagster with its tables."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        shutil.copy(PROJECT / "dagster.yaml", self.folder)
        self.run(sys.executable, "-c", "import dagster; dagster.DagsterInstance.get()")
        return self

    def run(self, *command: str, memory: bool = False) -> Measured:
        """Run a command as a user of this project does.

        It starts in the project's folder: Dagster reads `.env` there, over the environment, and
        `dagster.yaml` has paths that are meant from there.
        """
        return measure(command, self.env, self.folder, memory=memory)

    def materialize(self, selection: str, *, memory: bool = False) -> Measured:
        """Materialize as a user does."""
        command = (str(DAGSTER), "asset", "materialize", "-m", "xingu_dagster.definitions")
        return self.run(*command, "--select", selection, memory=memory)

    def assets_of(self, group: str) -> str:
        """Return the selection of everything that a DataProvider makes."""
        return f'(group:"{group}" and not key:"sources/*")'
