"""The DataProvider of `kill_matrix.py`: hooks kill the process that the file `kill` names."""

import multiprocessing
import os
import signal
from pathlib import Path

from xingu import DataProvider

ROWS = {"rows": {"url": "rows.csv"}}


def kill(phase: str) -> None:
    """Kill a process once, if it is the turn of this phase.

    The file has ``phase victim``. The victims are the worker of the step, the process of the run,
    and all processes of the command.
    """
    file = Path("kill")
    if not file.exists() or file.read_text().split()[0] != phase:
        return
    victim = file.read_text().split()[1]
    file.unlink()
    run = multiprocessing.parent_process()
    victims = [os.getpid()]
    if victim == "run":
        victims = [run.pid]
    if victim == "command":
        command = int(Path(f"/proc/{run.pid}/stat").read_text().rpartition(")")[2].split()[1])
        victims = [command, run.pid, os.getpid()]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    if victim == "run":
        signal.pause()  # as a fit that goes on


class Fragile(DataProvider):
    """The price from the size."""

    id = "fragile"
    train_dataset_sources = ROWS
    batch_predict_dataset_sources = ROWS
    x_features = ["size"]
    y = "price"
    estimator_class = "xingu.estimators.SklearnEstimator"
    estimator_class_params = {"algorithm": "sklearn.linear_model.LinearRegression"}

    def feature_engineering_for_train(self, data):
        kill("prepare")
        return data

    def get_estimator_optimization_search_space(self):
        kill("tune")
        return {}

    def post_process_after_train(self, model):
        kill("fit")

    def compute_trainsets_model_metrics_own(self, XY, Y_pred, model):
        kill("evaluate")
        return {"rows": len(XY)}

    def get_dataset_sources_for_batch_predict(self, model=None):
        if multiprocessing.parent_process() and model is not None:
            kill("batch_raw")
        return self.batch_predict_dataset_sources

    def compute_batch_model_metrics_own(self, XY, Y_pred, model):
        kill("batch")
        return {"rows": len(XY)}
