"""A project with targets: trains that are saved and recorded, and the ways to the targets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.fitted import fit_model
from tests.support.toys import Houses
from xingu import Model
from xingu.config import ConfigManager, Settings
from xingu.deploy.execute import Deployed, Reason, execute
from xingu.deploy.plan import make_plan
from xingu.deploy.route import Route, route_to
from xingu.records import CheckRecord, MetricRow, TrainRun
from xingu.tracking.record import record_checks, record_metrics, record_train
from xingu.workspace import Workspace


class GatedHouses(Houses):
    quality_gates = {"test": {"R2": (">=", 0.8)}}


def fit_houses() -> Model:
    """Return a Model whose user is ada."""
    return fit_model(GatedHouses)


@dataclass
class Targets:
    """A project in a folder, whose targets are staging and production; its user is ada.

    Attributes:
        home: The folder.
        model: The Model that is saved under many ids.
        monkeypatch: Sets variables.
    """

    home: Path
    model: Model
    monkeypatch: pytest.MonkeyPatch

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    @property
    def workspace(self) -> Workspace:
        return Workspace(Settings.load(), Model)

    def train(
        self, train_id: str, *, r2: float = 0.9, failed: str = "", provenance: Any = None
    ) -> TrainRun:
        """Save the Model as a train that is current, and record it.

        Args:
            train_id: Its id.
            r2: Its metric R2 of the test set.
            failed: Name of a blocking check that it has failed.
            provenance: Fields of its provenance.
        """
        place, model = self.workspace, self.model
        model.run = TrainRun("houses", train_id, f"of-{train_id}", "run")
        known = {
            "user_name": "ada",
            "git_commit": "c0ffee" * 6,
            "git_dirty": False,
            "sample_rows": 0,
        }
        model.provenance = replace(model.provenance, **{**known, **(provenance or {})})
        place.models.save(model)
        place.models.make_current(model.run)
        package = place.models.package_record("houses", train_id)
        record_train(place.control, model.run, {"y": "price"}, {}, [], package)
        record_metrics(place.control, model.run, [MetricRow("test", "R2", r2, None)], {"trainsets"})
        names = {"quality_gates", *([failed] if failed else [])}
        checks = [
            CheckRecord("trainset_metrics", name, name != failed, "error", "") for name in names
        ]
        record_checks(place.control, model.run, checks, names)
        return model.run

    def route(self, target: str = "staging", *, pull: bool = False) -> Route:
        return route_to(self.workspace, target, pull=pull)

    def deploy(self, target: str = "staging", train_id: str | None = None, **options) -> Deployed:
        route = self.route(target)
        return execute(route, make_plan(route, "houses", train_id, **options), Reason("because"))

    def served(self, target: str = "staging") -> str | None:
        return self.workspace.target(target).models.current("houses")


def targets_in(
    home: Path, model: Model, monkeypatch: pytest.MonkeyPatch, **variables: str
) -> Targets:
    """Return a project in a folder; variables replace the usual ones."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.setattr(ConfigManager, "cache", {})
    usual: Mapping[str, str] = {
        "PROJECT_HOME": str(home),
        "USERNAME": "ada",
        "XINGU_VERIFY_PACKAGES": "no",
        "DEPLOY_TARGETS": "staging,production",
        "TRAINED_MODELS_PATH__STAGING": "targets/staging",
        "TRAINED_MODELS_PATH__PRODUCTION": "targets/production",
        "XINGU_DB_URL__STAGING": "sqlite:///targets/staging.db",
        "XINGU_DB_URL__PRODUCTION": "sqlite:///targets/production.db",
    }
    for name, value in {**usual, **variables}.items():
        monkeypatch.setenv(name, value)
    return Targets(home, model, monkeypatch)
