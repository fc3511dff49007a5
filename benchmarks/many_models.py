"""20 models of 5,000 rows in one command, against the usual bare script in a loop.

The bare script does them one after the other in one process: read, features, split, fit, metrics
of each set, two plots, save. Every run is a fresh process; the two take turns.
"""

import argparse
from pathlib import Path

from one_model import check_same_work, show_stages

import harness
from bench_data import MANY, ensure_database
from harness import Project, bare, compare, last_line
from trained import test_rmse

TARGET = 1.1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--repetitions", type=int, default=3)
    parser.add_argument("--executor", help="XINGU_EXECUTOR for ours")
    parser.add_argument("--bare-only", action="store_true", help="leave ours out")
    options = parser.parse_args()

    ensure_database()
    harness.warm_up()
    folder = harness.RESULTS / "many"
    commands = {"usual": bare("bare_usual.py", "many", str(folder / "usual"))}
    providers = harness.HERE / "providers" / "many"
    project = Project(folder / "ours", providers, options.executor)
    if not options.bare_only:
        project.make()
        selection = " or ".join(project.assets_of(name) for name in MANY)
        commands["ours"] = lambda memory: project.materialize(selection, memory=memory)
    runs = harness.interleaved(options.repetitions, commands)

    harness.report(runs)
    show_stages("usual", runs["usual"].timed)
    if options.bare_only:
        return
    # The bare script prints the score of its last model.
    models = Path(project.env["TRAINED_MODELS_PATH"]) / MANY[-1]
    ours, usual = runs["ours"], runs["usual"]
    rmse = {"usual": last_line(usual.timed[-1])["rmse"], "ours": test_rmse(models, MANY[-1])}
    check_same_work(rmse)
    print()
    compare("seconds, ours / usual", ours.seconds, usual.seconds, TARGET)
    print(f"memory, ours / usual: {ours.peak_mb / usual.peak_mb:.2f}")


if __name__ == "__main__":
    main()
