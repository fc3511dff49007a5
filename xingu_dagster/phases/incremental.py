"""Estimate the rows of a batch that differ from the batch before.

The estimations that may be kept are a value of their own, with the fingerprints of their rows, so
that both always belong together. Its data version is the basis: train, code, columns and key.
"""

import logging
from dataclasses import asdict
from hashlib import blake2b

import pandas as pd

from xingu.errors import StorageError
from xingu.model import Model
from xingu.provider.incremental import Incremental
from xingu.stages.batch import refuse_estimations
from xingu.stages.incremental import basis_of, estimate_changes
from xingu.values import Facts, Label
from xingu_dagster.metadata import Metadata
from xingu_dagster.phases.step import PhaseStep

logger = logging.getLogger(__name__)

MEMORY = ("batch", "incremental")
"""Path of the value with the estimations that may be kept."""


class ChangedRows:
    """The changed rows of one batch.

    Attributes:
        counts: Numbers of new, changed, deleted, kept and verified rows, for the metadata.
    """

    def __init__(self, step: PhaseStep, model: Model, how: Incremental) -> None:
        self.step, self.model, self.how = step, model, how
        self.counts: Metadata = {}

    def estimate(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the estimations of all rows, as `xingu.stages.batch.estimate_batch` does.

        Raises:
            DataError: If the key does not identify the rows.
            DeclarationError: If the estimation of a kept row is not what it was.
            CheckFailedError: If the estimations fail a check that refuses them.
        """
        step, spec = self.step, self.step.spec
        self._basis = basis_of(self.model, spec.code_version, features, self.how)
        run_id = step.context.run.run_id
        seed = int(blake2b(run_id.encode(), digest_size=8).hexdigest(), 16)
        found = estimate_changes(self.model, features, self._earlier(), self.how, seed)
        refuse_estimations(self.model, found.estimations, len(features), spec.checks)
        self._memory = found.memory
        self.counts = {f"{name} rows": rows for name, rows in asdict(found.changes).items()}
        told = ", ".join(f"{rows} {name}" for name, rows in self.counts.items())
        logger.info("%s: batch%s: %s", spec.id, step.suffix, told)
        return found.estimations

    def _earlier(self) -> pd.DataFrame | None:
        """Return what the batch before has stored; None if it has another basis."""
        values, key = self.step.workspace.values, self.step.key(*MEMORY)
        try:
            record = values.record(key)
            if record is None or record.data_version != self._basis:
                return None
            return values.read(key, (), record.value_id).value
        except StorageError as error:  # every row is estimated, so that nothing is lost
            logger.warning("%s: %s Every row is estimated.", self.step.spec.id, error)
            return None

    def store(self, facts: Facts) -> None:
        """Store what the next batch keeps, once the estimations are accepted."""
        key = self.step.key(*MEMORY)
        self.step.write(key, self._memory, Label(self._basis, facts))
