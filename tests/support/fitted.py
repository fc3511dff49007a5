"""Train toys with the stages alone: without Dagster, settings or a control DB."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.toys import houses
from xingu import DataProvider, Model
from xingu.model.provenance import Provenance, library_versions
from xingu.records import TrainRun
from xingu.registry.store import ModelStore
from xingu.stages.builder import ProviderBuilder
from xingu.stages.train import clean, engineer, fit, split, tune
from xingu.tuning.resolve import Tuning


def fit_model(
    cls: Callable[[], DataProvider],
    ids: tuple[str, str] = ("calm-fox", "brave-day"),
    *,
    load: Callable[[str, str], Any] = lambda *_: None,
    pre_reqs: Mapping[str, str] | None = None,
    tuning: Tuning | None = None,
    libraries: Mapping[str, str] | None = None,
) -> Model:
    """Return a Model of `cls` that was fitted on `houses`.

    Args:
        cls: Makes the DataProvider.
        ids: Its `train_id` and `train_session_id`.
        load: Loads the Model of a prerequisite.
        pre_reqs: The `train_id` of each prerequisite.
        tuning: How hyperparameters are resolved; None: as declared.
        libraries: Versions to record; None: the installed ones.
    """
    builder = ProviderBuilder(cls, load, Model)
    splits = split(builder, engineer(builder, clean(builder, {"houses": houses()}, pre_reqs or {})))
    run = TrainRun(str(cls().id), *ids, "run-1")
    chosen = tune(builder, splits, run, tuning or Tuning())
    provenance = Provenance(libraries=library_versions() if libraries is None else libraries)
    model = fit(builder, splits, chosen, run, provenance).model
    assert isinstance(model, Model)
    return model


def save_model(cls: Callable[[], DataProvider], store: ModelStore, train_id: str = "first",
               session: str = "session", **pre_reqs: str) -> Model:  # fmt: skip
    """Fit a Model and save it as the current one of `store`."""
    model = fit_model(cls, (train_id, session), load=store.load, pre_reqs=pre_reqs)
    store.save(model, {"houses/splits": "value"})
    store.make_current(model.run)
    return model
