"""How long `dagster definitions validate` takes with 200 and with 1,000 DataProviders.

The whole command is counted, start-up included. Every DataProvider has hooks, a train and a batch
source, and every tenth one a prerequisite.
"""

import argparse
import statistics
from pathlib import Path

import harness
from harness import Project

TARGETS = {200: 2.5, 1_000: 9.0}

PROVIDER = '''

class Model{number:04d}(DataProvider):
    """Price of a sale, of branch {number}."""

    id = "model_{number:04d}"
    train_dataset_sources = {{"rows": {{"source": "bench", "query": "SELECT * FROM train"}}}}
    batch_predict_dataset_sources = {{"new": {{"source": "bench", "query": "SELECT * FROM batch"}}}}
    x_features = ["f00", "f01", "hour"]
    y = "price"
    estimator_class = "xingu.estimators.LightGBMRegressor"
    estimator_params = {{"n_estimators": 200, "num_leaves": 63}}
    pre_req = {pre_req}

    def clean_data_for_train(self, datasets):
        data = next(iter(datasets.values()))
        return data[data["f00"] > -{number}].set_index("id")

    def feature_engineering_for_train(self, data):
        moment = pd.to_datetime(data["sold_at"])
        self.medians = data[["f00", "f01"]].median()
        return data.assign(hour=moment.dt.hour)

    def feature_engineering_for_batch_predict(self, data):
        moment = pd.to_datetime(data["sold_at"])
        return data.fillna(self.medians).assign(hour=moment.dt.hour)
'''


def write_providers(folder: Path, count: int, per_module: int) -> None:
    """Write `count` DataProviders into modules of `per_module` classes."""
    folder.mkdir(parents=True)
    for first in range(0, count, per_module):
        text = '"""Generated."""\n\nimport pandas as pd\n\nfrom xingu import DataProvider\n'
        for number in range(first, min(first + per_module, count)):
            pre_req = f'{{"model_{number - 1:04d}"}}' if number % 10 == 9 else "set()"
            text += PROVIDER.format(number=number, pre_req=pre_req)
        (folder / f"module_{first:04d}.py").write_text(text)


def load(count: int, per_module: int, repetitions: int) -> None:
    """Measure one project, and print what it takes."""
    folder = harness.RESULTS / f"definitions_{count}_{per_module}"
    project = Project(folder, folder / "generated").make()
    write_providers(folder / "generated", count, per_module)
    command = [str(harness.DAGSTER), "definitions", "validate", "-m", "xingu_dagster.definitions"]
    project.run(*command)  # compiles the byte code
    runs = [project.run(*command) for _ in range(repetitions)]
    seconds = [run.seconds for run in runs]
    cpu = min(run.cpu_seconds for run in runs)
    median, target = statistics.median(seconds), TARGETS[count]
    print(
        f"{count:>5} DataProviders, {per_module:>4} a module: "
        f"{median:5.2f} s  (least {min(seconds):.2f} s, CPU {cpu:.2f} s)"
        f"   target ≤ {target:g} s   {'met' if median <= target else 'MISSED'}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--repetitions", type=int, default=5)
    repetitions = parser.parse_args().repetitions
    for count in TARGETS:
        for per_module in (1, count):
            load(count, per_module, repetitions)


if __name__ == "__main__":
    main()
