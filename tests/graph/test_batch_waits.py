"""A batch that runs beside the evaluation of its train waits for the verdict."""

import dagster as dg

from tests.support.shop import open_shop

PROVIDERS = """
import time

from tests.support import toys


class Good(toys.Houses):
    id = "good"
    quality_gates = {"test": {"MAE": ("<=", 1e9)}}

    def compute_trainsets_model_metrics_slow(self, XY, Y_pred, model):
        time.sleep(1.5)
        return {}


class Bad(Good):
    id = "bad"
    quality_gates = {"test": {"MAE": ("<=", 0)}}
"""


def test_estimations_are_stored_once_the_train_has_passed_its_checks_and_never_if_it_was_refused(
    tmp_path,
):
    shop = open_shop(tmp_path, XINGU_MAX_STEPS="4")
    (tmp_path / shop.environment["DATAPROVIDER_FOLDER"] / "models.py").write_text(PROVIDERS)
    _, output = shop.materialize('key:"good/*" or key:"bad/*"')
    times = step_times(shop)
    for dp_id in ("good", "bad"):
        (begin, end), (batch_begin, batch_end) = (
            times[f"{dp_id}__{phase}"] for phase in ("evaluate", "batch")
        )
        assert max(begin, batch_begin) < min(end, batch_end), "they ran one after the other"
    values = tmp_path / ".xingu/values"
    assert (values / "good/batch/estimations").exists()
    assert not (values / "bad/batch/estimations").exists()
    assert "of bad was refused in this run (quality_gates" in output


def step_times(shop) -> dict[str, tuple[float, float]]:
    """Return begin and end of the steps of the last run."""
    with dg.DagsterInstance.local_temp(str(shop.home / ".dagster")) as instance:
        logs = instance.all_logs(instance.get_runs(limit=1)[0].run_id)
    times: dict[str, tuple[float, float]] = {}
    for entry in logs:
        if entry.step_key and entry.dagster_event:
            begin, _ = times.get(entry.step_key, (entry.timestamp, 0))
            times[entry.step_key] = (begin, entry.timestamp)
    return times
