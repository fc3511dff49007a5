"""Names of Xingu 2.0 for operating a Model: logging, settings, provenance, steps of a train."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from xingu.compat.config import UNDEFINED, read_config
from xingu.model import Model
from xingu.provider.class_logger import ClassLogger, level_number

if TYPE_CHECKING:
    from xingu.workspace import Workspace


class Operations(Model):
    """Logging, settings and provenance under the names of Xingu 2.0.

    Attributes:
        coach: The Coach that it was created with; None: it uses the settings of the folder.
        hyperopt_strategy: Strategy of the next `fit`; see `HYPEROPT_STRATEGY`.
        batch: Rows and features of the last `batch_predict`; None before.
        batch_estimations: Result of the last `batch_predict`; None before.
        batch_predict_time: Time of the last `batch_predict` (UTC).
        git_artifact_commit: None: packages are not committed to git.
    """

    coach: Any = None
    hyperopt_strategy: str = "last"
    batch: pd.DataFrame | None = None
    batch_estimations: pd.DataFrame | None = None
    batch_predict_time: datetime
    git_artifact_commit: str | None = None
    logger = ClassLogger()

    # -- settings and log ---------------------------------------------------------------------

    def get_config(
        self, config_item: str, default: Any = UNDEFINED, cast: Callable[[Any], Any] = UNDEFINED
    ) -> Any:
        """Return a setting or environment variable as text; see `ConfigManager.get`."""
        if self.coach is not None:
            return self.coach.get_config(config_item, default, cast)
        return read_config(config_item, default, cast)

    def log(self, message: object, level: int | str = logging.INFO) -> None:
        """Log `message` with the ids of the train."""
        self.logger.log(
            level_number(level), "%s %s: %s", self.id, self.get_full_train_id(), message
        )

    def log_train_status(self, status: str) -> None:
        """Record a step of the train, such as ``train_fit_start``, in the control DB."""
        from xingu.tracking.record import record_step

        record_step(self._workspace.control, self.run, status)

    @staticmethod
    def time_fs_str(time: datetime) -> str:
        """Return a time as the text that names of files have: ``2026.01.31-23.59.59``."""
        return time.strftime("%Y.%m.%d-%H.%M.%S")

    def serialize_to_dict(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Return attributes by name: all, or those of `include`, without those of `exclude`."""
        own = {name for name in vars(self) if not name.startswith("_")}
        names = own | OF_A_TRAIN if include is None else set(include)
        kept = sorted(names - set(exclude or ()))
        return {name: getattr(self, name) for name in kept if hasattr(self, name)}

    def cleanup(self) -> None:
        """Release the rows and estimations of the last batch."""
        for name in ("batch", "batch_estimations", "batch_predict_time"):
            vars(self).pop(name, None)

    def load_pre_req_model(self) -> None:
        """Load the Models of prerequisites; those that the Coach has are used as they are."""
        trained = getattr(self.coach, "trained", {})
        missing = [one for one in sorted(self.dp.pre_req) if one not in trained]
        models = {one: trained[one] for one in self.dp.pre_req if one in trained}
        for dp_id in missing:
            store = self._workspace.models
            models[dp_id] = store.load(dp_id, store.find(dp_id))
        self.dp.pre_req_model = models

    # -- DVC ----------------------------------------------------------------------------------

    def dvc_track(self, path: str, file: str, message: str) -> None:  # noqa: ARG002
        """Warn: DVC is not used."""
        self.logger.warning("%s: DVC is not used here: packages and values are versioned", self.id)

    def dvc_commit(self) -> None:
        """Do nothing: DVC is not used."""

    @property
    def dvc_tracked(self) -> dict[str, Any]:
        """Files that DVC tracks: none."""
        return {}

    # -- attributes ---------------------------------------------------------------------------

    @property
    def hyperparam(self) -> dict[str, Any] | None:
        """The hyperparameters of the estimator; None without one."""
        return None if self.estimator is None else dict(self.estimator.hyperparams)

    @property
    def train_queries_signatures(self) -> dict[str, Any]:
        """Signatures of queries; none: versions of sources are in the manifest of the package."""
        return {}

    @property
    def github_actor(self) -> str | None:
        """User who started the CI job; None outside of one."""
        return self.provenance.ci.get("github_actor")

    @property
    def github_workflow(self) -> str | None:
        """Workflow of the CI job; None outside of one."""
        return self.provenance.ci.get("github_workflow")

    @property
    def github_run_id(self) -> str | None:
        """Id of the CI job; None outside of one."""
        return self.provenance.ci.get("github_run_id")

    @property
    def github_run_number(self) -> str | None:
        """Number of the CI job; None outside of one."""
        return self.provenance.ci.get("github_run_number")

    @property
    def batch_predict_data(self) -> pd.DataFrame:
        """Same as `batch`; there is no such attribute before a batch was estimated."""
        return _existing(self.batch, "batch_predict_data")

    @batch_predict_data.setter
    def batch_predict_data(self, data: pd.DataFrame) -> None:
        self.batch = data

    @property
    def batch_predict_estimations(self) -> pd.DataFrame:
        """Same as `batch_estimations`; there is no such attribute before."""
        return _existing(self.batch_estimations, "batch_predict_estimations")

    @batch_predict_estimations.setter
    def batch_predict_estimations(self, estimations: pd.DataFrame) -> None:
        self.batch_estimations = estimations

    @cached_property
    def _workspace(self) -> "Workspace":
        from xingu.config import Settings
        from xingu.workspace import Workspace

        settings = Settings.load() if self.coach is None else self.coach.settings
        return Workspace(settings, type(self))


OF_A_TRAIN = frozenset(
    """
    train_id train_session_id git_branch git_commit git_artifact_commit user_name host_name
    algo_params github_actor github_workflow github_run_id github_run_number hyperopt_strategy
    """.split()  # noqa: SIM905
)


def _existing(value: Any, name: str) -> Any:
    if value is None:
        raise AttributeError(f"there is no {name!r} before a batch was estimated")
    return value
