"""A train outside the graph: the stages over the DataProvider and the Model of the caller."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import pandas as pd

from xingu.compat.drawing import Drawing
from xingu.errors import DataError
from xingu.model.provenance import read_provenance
from xingu.names import session_id_of, train_id_of
from xingu.provider.hooks import call_hook
from xingu.provider.state import PreparedSplits, ProviderState
from xingu.records import TrainRun

if TYPE_CHECKING:
    from xingu.stages.builder import ProviderBuilder
    from xingu.tuning.resolve import Hyperparameters


class Training(Drawing):
    """Train with the stages of the graph, on the objects of the caller."""

    def fit_and_batch_predict(self) -> pd.DataFrame:
        """Train, then estimate the batch; return its estimations."""
        self.train_from_sources()
        return self.batch_predict()  # type: ignore[attr-defined]

    def train_from_sources(self) -> Self:
        """Read the sources, prepare the sets, decide hyperparameters and fit, as a run does.

        Every hook is called on `dp` itself, with this Model. Steps are recorded in the control DB.

        Raises:
            XinguError: As the phases `prepare`, `tune` and `fit` do.
        """
        from xingu.compat.one_model import OneModelBuilder
        from xingu.stages.train import fit

        run_id = str(uuid4())
        session = getattr(self.coach, "train_session_id", None) or session_id_of(run_id)
        self.run = TrainRun(self.id, train_id_of(run_id, self.id), session, run_id)
        self.provenance = read_provenance(self._workspace.home)
        builder = OneModelBuilder(lambda: self.dp, self._workspace.models.load, one=self)
        splits = self._prepared(builder)
        chosen = self._tuned(builder, splits)
        with self._recorded("train_fit"):
            fit(builder, splits, chosen, self.run, self.provenance)
        return self

    def trainsets_save(self) -> None:
        """Replace index and target of the rows of `sets` in the control DB."""
        from xingu.tracking.record import record_sets

        if not self.sets:
            raise DataError(f"{self.id}: its sets are not in memory; call model.fit() first.")
        with self._recorded("train_savesets"):
            record_sets(self._workspace.control, self.run, self.sets, self.dp.get_target())

    def _prepared(self, builder: "ProviderBuilder") -> PreparedSplits:
        from xingu.stages.train import clean, engineer, split

        with self.in_context("train_dataprep"), self._recorded("train_dataprep"):
            declared = call_hook(self.dp, "get_dataset_sources_for_train", self)
            frames = self.data_sources_to_data(declared) or {}
            cleaned = clean(builder, frames, self.pre_req_trains)
            splits = split(builder, engineer(builder, cleaned))
        self.sets = splits.frames
        return splits

    def _tuned(self, builder: "ProviderBuilder", splits: PreparedSplits) -> "Hyperparameters":
        from xingu.stages.train import tune
        from xingu.tracking.trials import earlier_hyperparameters, open_trials
        from xingu.tuning.resolve import Tuning

        control = self._workspace.control
        tuning = Tuning(
            strategy=self._strategy(),
            earlier=partial(earlier_hyperparameters, control, self.id),
            open_log=lambda subject: open_trials(control, self.run, (self.train_id, subject)),
            workers=self._workspace.hyperopt_workers,
        )
        with self._recorded("train_hyperhandle"):
            chosen = tune(builder, splits, self.run, tuning)
        return replace(chosen, gain=ProviderState())

    def _strategy(self) -> str:
        if self.hyperopt_strategy != "last":
            return self.hyperopt_strategy
        return str(self.get_config("HYPEROPT_STRATEGY", "last"))

    @contextmanager
    def _recorded(self, part: str) -> Iterator[None]:
        self.log_train_status(f"{part}_start")
        yield
        self.log_train_status(f"{part}_end")
