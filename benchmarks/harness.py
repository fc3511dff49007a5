"""Run commands in processes of their own, and measure wall time and memory of the whole tree.

Its one idea: memory is the proportional set size (PSS), so pages that forked processes share count
once. It is read every 200 ms from `/proc/<pid>/smaps_rollup`, which takes 1 to 2 ms per process.
It knows nothing of what the commands do. Linux only.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench_data import DATABASE

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
RESULTS = HERE / "results"
DAGSTER = Path(sys.executable).with_name("dagster")
SAMPLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """One execution of one command."""

    seconds: float
    cpu_seconds: float
    """CPU time of the whole tree, as last sampled."""
    peak_mb: float
    others: float
    """Cores that were busy with something else meanwhile; near 0 on an idle machine."""
    output: str


class Tree:
    """Memory and CPU time of a process and all its descendants, dead ones included."""

    def __init__(self, pid: int) -> None:
        self.root = psutil.Process(pid)
        self.peak_mb = 0.0
        self._cpu_seconds: dict[int, float] = {}

    def sample(self) -> None:
        """Look at all processes once."""
        memory = 0.0
        try:
            for process in [self.root, *self.root.children(recursive=True)]:
                memory += _pss_mb(process.pid)
                times = process.cpu_times()
                self._cpu_seconds[process.pid] = times.user + times.system
        except psutil.NoSuchProcess:  # it has ended meanwhile
            return
        self.peak_mb = max(self.peak_mb, memory)

    @property
    def cpu_seconds(self) -> float:
        """What all processes have used, as last seen."""
        return sum(self._cpu_seconds.values())


def measure(
    command: Sequence[str], env: Mapping[str, str] | None = None, folder: Path = PROJECT
) -> Measured:
    """Run `command` from `folder` until it ends.

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
        tree = Tree(process.pid)
        try:
            while process.poll() is None:
                tree.sample()
                time.sleep(SAMPLE_SECONDS)
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


def interleaved(
    repetitions: int, commands: Mapping[str, Callable[[], Measured]]
) -> dict[str, list[Measured]]:
    """Run all commands one after the other, `repetitions` times, so that noise hits all alike."""
    measured: dict[str, list[Measured]] = {name: [] for name in commands}
    for repetition in range(repetitions):
        for name, command in commands.items():
            measured[name].append(command())
            run = measured[name][-1]
            print(
                f"  run {repetition + 1} {name:<6}{run.seconds:7.1f} s {run.cpu_seconds:7.1f} CPU s"
                f" {run.peak_mb:6.0f} MB  (others used {run.others:.2f} cores)",
                flush=True,
            )
    return measured


def report(measured: Mapping[str, Sequence[Measured]]) -> None:
    """Print median and least wall time, and the medians of CPU time and of peak memory."""
    print(f"\n{'':<8}{'median s':>10}{'least s':>10}{'CPU s':>10}{'peak MB':>10}")
    for name, runs in measured.items():
        cpu = statistics.median(run.cpu_seconds for run in runs)
        memory = statistics.median(memory_of(runs))
        seconds = seconds_of(runs)
        print(
            f"{name:<8}{statistics.median(seconds):>10.1f}{min(seconds):>10.1f}"
            f"{cpu:>10.1f}{memory:>10.0f}"
        )
    print()


def compare(label: str, ours: Sequence[float], others: Sequence[float], target: float) -> None:
    """Print the ratios of medians and of least values against what is promised."""
    ratio = statistics.median(ours) / statistics.median(others)
    least = min(ours) / min(others)
    verdict = "met" if ratio <= target else "MISSED"
    print(f"{label:<28}{ratio:>7.2f}  (of least: {least:.2f})   target ≤ {target}   {verdict}")


def seconds_of(runs: Sequence[Measured]) -> list[float]:
    """Return the wall times."""
    return [run.seconds for run in runs]


def memory_of(runs: Sequence[Measured]) -> list[float]:
    """Return the peaks of memory."""
    return [run.peak_mb for run in runs]


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


def bare(script: str, *arguments: str) -> Callable[[], Measured]:
    """Return what runs a script of this folder."""
    return lambda: measure([sys.executable, str(HERE / script), *arguments])


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

    def run(self, *command: str) -> Measured:
        """Run a command as a user of this project does.

        It starts in the project's folder: Dagster reads `.env` there, over the environment, and
        `dagster.yaml` has paths that are meant from there.
        """
        return measure(command, self.env, self.folder)

    def materialize(self, selection: str) -> Measured:
        """Materialize as a user does."""
        definitions = ("-m", "xingu_dagster.definitions")
        return self.run(str(DAGSTER), "asset", "materialize", *definitions, "--select", selection)

    def assets_of(self, group: str) -> str:
        """Return the selection of everything that a DataProvider makes."""
        return f'(group:"{group}" and not key:"sources/*")'
