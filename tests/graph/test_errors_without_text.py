"""An exception whose text cannot be made still ends a run with an error that names the hook."""

import dagster as dg
import pytest

from tests.support.project import Project
from tests.support.toys import Houses
from xingu.errors import HookError


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Failing(Houses):
    def feature_engineering_for_train(self, data):
        raise UnspeakableError


class Metrics(Houses):
    def compute_trainsets_model_metrics_own(self, XY, Y_pred, model):
        raise UnspeakableError


@pytest.mark.parametrize(
    ("provider", "where"),
    [
        (Failing, "houses.feature_engineering_for_train"),
        (Metrics, "houses.compute_trainsets_model_metrics_own"),
    ],
)
def test_the_hook_and_the_type_of_the_exception_are_named(tmp_path, provider, where):
    project = Project(tmp_path, [provider])
    with pytest.raises(HookError, match=f"{where}.* raised UnspeakableError: its text cannot be"):
        project.run("houses/*")
    (run,) = project.instance.get_runs()
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert any(
        "UnspeakableError" in entry.to_json() for entry in project.instance.all_logs(run.run_id)
    )
