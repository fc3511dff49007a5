"""20 models of 5,000 rows in one command, against the usual bare script in a loop.

The bare script does them one after the other in one process: read, features, split, fit, metrics
of each set, two plots, save. Every run is a fresh process; the two take turns.
"""

import argparse
from pathlib import Path

from one_model import check_same_work, show_stages

import harness
from bench_data import MANY, ensure_database
from harness import Project, bare, compare, last_line, memory_of, seconds_of
from trained import test_rmse

TARGET = 1.5


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
        commands["ours"] = lambda: project.materialize(selection)
    runs = harness.interleaved(options.repetitions, commands)

    harness.report(runs)
    show_stages("usual", runs["usual"])
    if options.bare_only:
        return
    # The bare script prints the score of its last model.
    models = Path(project.env["TRAINED_MODELS_PATH"]) / MANY[-1]
    rmse = {"usual": last_line(runs["usual"][-1])["rmse"], "ours": test_rmse(models, MANY[-1])}
    check_same_work(rmse)
    print()
    ours, usual = runs["ours"], runs["usual"]
    compare("seconds, ours / usual", seconds_of(ours), seconds_of(usual), TARGET)
    print(f"memory, ours / usual: {max(memory_of(ours)) / max(memory_of(usual)):.2f}")


if __name__ == "__main__":
    main()
