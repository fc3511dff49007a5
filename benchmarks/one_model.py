"""One model of 200,000 × 30 rows and a batch of 1,000,000, against two bare scripts.

Every run is a fresh process with the files in the cache of the OS; the three take turns.
"""

import argparse
import statistics
from pathlib import Path

import harness
from bench_data import ensure_database
from harness import Project, bare, compare, last_line
from overhead import newest_run
from trained import test_rmse

AGAINST_USUAL, AGAINST_TIGHT, MEMORY = 0.75, 1.3, 1.2
RMSE_TOLERANCE = 0.01  # as a share; the same rows in another order fit other histograms


def show_stages(name, runs):
    stages = [last_line(run)["seconds"] for run in runs]
    medians = {stage: statistics.median(run[stage] for run in stages) for stage in stages[0]}
    text = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in medians.items())
    print(f"{name}: {text}")


def show_steps(project):
    times = newest_run(project)
    steps = {step: end - begin for step, (begin, end) in times.steps.items()}
    text = ", ".join(f"{step} {seconds:.2f}" for step, seconds in steps.items())
    print(f"ours, last run: run {times.run_seconds:.2f}, of which in steps: {text}")


def check_same_work(rmse):
    low, high = min(rmse.values()), max(rmse.values())
    print("test RMSE: " + ", ".join(f"{name} {value:.4f}" for name, value in rmse.items()))
    if high > low * (1 + RMSE_TOLERANCE):
        raise SystemExit("The work was not the same: the test RMSEs differ.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--repetitions", type=int, default=3)
    parser.add_argument("--executor", help="XINGU_EXECUTOR for ours")
    parser.add_argument("--bare-only", action="store_true", help="leave ours out")
    options = parser.parse_args()

    ensure_database()
    harness.warm_up()
    folder = harness.RESULTS / "one"
    commands = {
        "usual": bare("bare_usual.py", "one", str(folder / "usual")),
        "tight": bare("bare_tight.py", str(folder / "tight")),
    }
    providers = harness.HERE / "providers" / "one"
    project = Project(folder / "ours", providers, options.executor)
    if not options.bare_only:
        project.make()
        commands["ours"] = lambda memory: project.materialize(
            project.assets_of("bench"), memory=memory
        )
    runs = harness.interleaved(options.repetitions, commands)

    harness.report(runs)
    show_stages("usual", runs["usual"].timed)
    show_stages("tight", runs["tight"].timed)
    rmse = {name: last_line(runs[name].timed[-1])["rmse"] for name in ("usual", "tight")}
    if options.bare_only:
        check_same_work(rmse)
        return
    show_steps(project)
    check_same_work(rmse | {"ours": test_rmse(Path(project.env["TRAINED_MODELS_PATH"]), "train")})
    ours, usual = runs["ours"], runs["usual"]
    print()
    compare("seconds, ours / usual", ours.seconds, usual.seconds, AGAINST_USUAL)
    compare("seconds, ours / tight", ours.seconds, runs["tight"].seconds, AGAINST_TIGHT)
    compare("memory, ours / usual", [ours.peak_mb], [usual.peak_mb], MEMORY)


if __name__ == "__main__":
    main()
