"""Cost of one more asset inside a phase, and of one more phase, in the default executor.

With ten rows the work itself takes no time; the times are those of Dagster's event log.
Selections that grow by one asset are materialized in turns; their differences are the overhead.
"""

import argparse
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from itertools import pairwise

import dagster as dg

import harness
from bench_data import ensure_database
from harness import Project

ASSET_TARGET, PHASE_TARGET = 0.040, 0.5
PREPARE = ["raw/rows", "cleaned", "features", "splits"]
GROWING = [*PREPARE, "hyperparameters", "model"]
SINGLE, LAST_OF_PREPARE = 1, len(PREPARE)


@dataclass(frozen=True, slots=True)
class Times:
    """When the events of one run happened, in seconds since the epoch."""

    run_begin: float
    run_end: float
    steps: Mapping[str, tuple[float, float]]
    """Begin and end of each step, in order."""
    assets: Sequence[float]
    """When the assets of the first step were materialized."""

    @property
    def run_seconds(self) -> float:
        """From the start of the run to its success."""
        return self.run_end - self.run_begin

    @property
    def first_step_seconds(self) -> float:
        """What the first step took, inside its process."""
        begin, end = next(iter(self.steps.values()))
        return end - begin

    @property
    def gaps(self) -> list[float]:
        """From the end of each step to the beginning of the next."""
        spans = list(self.steps.values())
        return [after[0] - before[1] for before, after in pairwise(spans)]


def newest_run(project: Project) -> Times:
    """Read the events of the newest run."""
    # The storage of its dagster.yaml is meant from the project's folder.
    with chdir(project.folder), dg.DagsterInstance.from_config(str(project.folder)) as instance:
        return times_of(instance)


def times_of(instance: dg.DagsterInstance) -> Times:
    """Read the newest run."""
    run = instance.get_run_records(limit=1)[0].dagster_run
    events = [
        (entry.timestamp, event)
        for entry in instance.all_logs(run.run_id)
        if (event := entry.dagster_event) is not None
    ]
    first = {event.event_type: time for time, event in reversed(events)}
    kind = dg.DagsterEventType
    begins = {event.step_key: time for time, event in events if event.event_type is kind.STEP_START}
    ends = {event.step_key: time for time, event in events if event.event_type is kind.STEP_SUCCESS}
    order = sorted(begins, key=lambda step: begins[step])
    return Times(
        first[kind.RUN_START],
        first[kind.RUN_SUCCESS],
        {str(step): (begins[step], ends[step]) for step in order},
        [
            time
            for time, event in events
            if event.event_type is kind.ASSET_MATERIALIZATION and event.step_key == order[0]
        ],
    )


def materialize_in_turns(project: Project, repetitions: int) -> dict[int, list[Times]]:
    """Materialize the first 1, 2, … assets; return the times by number of assets."""
    times: dict[int, list[Times]] = {count: [] for count in range(1, len(GROWING) + 1)}
    for _ in range(repetitions):
        for count, runs in times.items():
            keys = [f'key:"tiny/{name}"' for name in GROWING[:count]]
            project.materialize(" or ".join(keys))
            runs.append(newest_run(project))
    return times


def show(label: str, seconds: Sequence[float], target: float | None = None) -> None:
    """Print the median and the least in milliseconds, against what is promised."""
    median, least = statistics.median(seconds), min(seconds)
    verdict = ""
    if target is not None:
        verdict = f"   target ≤ {target * 1000:.0f} ms   {'met' if median <= target else 'MISSED'}"
    print(f"{label:<52}{median * 1000:>7.0f} ms  (least {least * 1000:.0f}){verdict}")


def grown(
    times: Mapping[int, Sequence[Times]], few: int, more: int, what: Callable[[Times], float]
) -> list[float]:
    """Return, by repetition, how much longer `what` takes with one asset more."""
    return [
        (what(long) - what(short)) / (more - few)
        for short, long in zip(times[few], times[more], strict=True)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--repetitions", type=int, default=5)
    parser.add_argument("--executor", help="XINGU_EXECUTOR; otherwise the default")
    options = parser.parse_args()

    ensure_database()
    providers = harness.HERE / "providers" / "tiny"
    project = Project(harness.RESULTS / "overhead", providers, options.executor).make()
    times = materialize_in_turns(project, options.repetitions)

    every = LAST_OF_PREPARE
    in_step = grown(times, SINGLE, every, lambda run: run.first_step_seconds)
    in_run = grown(times, SINGLE, every, lambda run: run.run_seconds)
    assets = [(run.assets[-1] - run.assets[0]) / (len(run.assets) - 1) for run in times[every]]
    show("one more asset in a phase: the step", in_step, ASSET_TARGET)
    show("one more asset in a phase: the run", in_run)
    show("between two materializations", assets)
    tune = grown(times, every, every + 1, lambda run: run.run_seconds)
    fit = grown(times, every + 1, every + 2, lambda run: run.run_seconds)
    show("one more phase (tune): the run", tune, PHASE_TARGET)
    show("one more phase (fit, with saving a model): the run", fit)
    show("between two steps", [gap for run in times[len(GROWING)] for gap in run.gaps])
    show("a run of one asset", [run.run_seconds for run in times[SINGLE]])


if __name__ == "__main__":
    main()
