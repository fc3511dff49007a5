"""Plan a deploy: read everything that decides about it, change nothing, and list all refusals."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from xingu.deploy import evidence
from xingu.deploy.approvals import approved_by
from xingu.deploy.difference import Difference, difference_of
from xingu.deploy.record import Action, Kind, Plan, Refusal
from xingu.deploy.route import PROJECT, Route
from xingu.deploy.trust import signed_refusals, signer_of
from xingu.errors import DeployRefusedError, StorageError, UntrainedModelError, text_of
from xingu.model import Model
from xingu.names import key_part
from xingu.provider.estimator import ESTIMATION
from xingu.records import PackageRecord, TrainRun
from xingu.registry.golden import read_golden
from xingu.registry.ledger import DEPLOYS, Entry, Ledger
from xingu.registry.manifest import Manifest, verify
from xingu.registry.store import ModelStore
from xingu.tracking.copying import count_train, package_digest


def make_plan(
    route: Route, dp_id: str, train_id: str | None = None, *, with_rows: bool = True
) -> Plan:
    """Plan the deploy of a train.

    Args:
        route: The way to the target.
        dp_id: Id of the DataProvider.
        train_id: The train; None: the current one of the source.
        with_rows: Copy the rows of the control DB too.

    Raises:
        UntrainedModelError: If the source has no such train.
        CorruptPackageError: If its manifest cannot be read.
        StorageError: If a storage or a ledger cannot be read.
    """
    found = _find(route, dp_id, train_id, with_rows)
    train, gates = found.train, found.gates
    return Plan(
        target=route.name,
        source=route.source_name,
        action=found.action,
        dataprovider_id=train.dataprovider_id,
        train_id=train.train_id,
        train_session_id=train.train_session_id,
        trained=train.trained.isoformat() if train.trained else None,
        user=train.provenance.get("user_name"),
        commit=train.provenance.get("git_commit"),
        dirty=train.provenance.get("git_dirty"),
        package=found.digest,
        signer=found.trust[0],
        files=len(found.package.files),
        bytes=sum(size for _, size in found.package.files.values()),
        with_rows=with_rows,
        rows=count_train(route.source.control, found.run) if found.copies_rows else None,
        gates={one.name: _figure(one) for one in gates},
        approvals=approved_by(route, train, found.digest),
        approvals_needed=route.rules.approvals if found.action == "deploy" else 0,
        replaces=found.current if found.action in CHANGES else None,
        difference=found.difference,
        refusals=tuple(found.refusals()),
        fence=fence_of(route.target.models.ledger(dp_id), found.newest),
    )


CHANGES: tuple[Action, ...] = ("deploy", "rollback")
"""Actions that change what the target serves."""


def fence_of(ledger: Ledger, newest: Entry | None) -> int:
    """Return the number of the newest entry that decided what is current; 0: there is none."""
    if newest is None:
        return 0
    entries = ledger.entries(last=newest)
    return next((one.number for one in entries if one.action not in ("approve", "pass")), 0)


@dataclass(frozen=True)
class _Found:
    """The facts that decide about a deploy; the package is read, and the Model loaded, once.

    Attributes:
        route: The way to the target.
        models: The storage that has the train: that of the source, or the target's.
        train: Its manifest.
        package: Its files.
        newest: Newest entry of the target's ledger.
        with_rows: Whether rows of the control DB are wanted at the target.
    """

    route: Route
    models: ModelStore
    train: Manifest
    package: PackageRecord
    newest: Entry | None
    with_rows: bool

    @property
    def digest(self) -> str:
        return self.package.manifest_sha256

    @property
    def run(self) -> TrainRun:
        train = self.train
        return TrainRun(train.dataprovider_id, train.train_id, train.train_session_id, "")

    @property
    def current(self) -> str | None:
        return self.newest.current if self.newest else None

    @cached_property
    def action(self) -> Action:
        if self.models is not self.route.target.models:
            return "deploy"
        if self.current != self.train.train_id:
            return "rollback"
        return "rows" if self._rows_missing() else "nothing"

    @property
    def copies_rows(self) -> bool:
        return self.action in ("deploy", "rows") and self._both_have_control

    @cached_property
    def trust(self) -> tuple[str | None, str | None]:
        """Signer of the package, and what is wrong with it; nothing is unpickled before."""
        folder = self.models.package(self.train.dataprovider_id, self.train.train_id)
        try:
            signer = signer_of(folder, self.route)
            verify(folder, self.train)
            problem = next(signed_refusals(folder, self.route), None)
        except (StorageError, OSError) as error:
            return None, text_of(error)
        return signer, problem

    @cached_property
    def model(self) -> Model | None:
        """The Model of the train; None if its package is not to be trusted."""
        if self.trust[1] is not None:
            return None
        return self.models.load(self.train.dataprovider_id, self.train.train_id)

    @cached_property
    def gates(self) -> list[evidence.GateFigure]:
        if self.action != "deploy" or self.model is None:
            return []
        return evidence.gate_figures(self.route, self.train, self.model)

    @cached_property
    def difference(self) -> Difference | None:
        current, dp_id = self.current, self.train.dataprovider_id
        if current is None or self.action not in CHANGES or self.trust[1] is not None:
            return None
        golden = read_golden(self.models.package(dp_id, self.train.train_id))
        if golden is None or ESTIMATION not in golden.estimations:
            return Difference(problem="its package has no golden rows")
        served = self.route.target.models
        new = golden.estimations[ESTIMATION]
        return difference_of(golden.rows, new, lambda: served.load(dp_id, current))

    def refusals(self) -> Iterator[Refusal]:
        route, train = self.route, self.train
        reasons: dict[Kind, Iterator[str]] = {
            "package": iter(filter(None, [self.trust[1]])),
            "target": self._problems_of_target(),
        }
        if self.action == "deploy":
            reasons |= {
                "verdict": evidence.verdict_refusals(route, train),
                "check": evidence.check_refusals(route, train),
                "gate": evidence.gate_refusals(self.gates),
                "git": evidence.git_refusals(route, train),
                "approval": evidence.approval_refusals(route, train, self.digest),
            }
        for kind, texts in reasons.items():
            yield from (Refusal(kind=kind, text=text) for text in texts)

    def _problems_of_target(self) -> Iterator[str]:
        route, name = self.route, self.route.name
        newest = self.newest
        if self.action in CHANGES and newest is not None and newest.pinned:
            yield f"{name} is pinned to {newest.current}: unpin it in its model storage first."
        if self.action not in ("deploy", "rows") or not self.with_rows:
            return
        for end, workspace in (name, route.target), (route.source_name, route.source):
            if not workspace.has_control:
                variable = f"XINGU_DB_URL__{key_part(end).upper()}"
                yield f"{end} has no control DB: set {variable}, or copy the model with --no-db."

    @cached_property
    def _both_have_control(self) -> bool:
        """Whether rows are wanted, the source has them, and the target can take them."""
        recorded = self.with_rows and evidence.is_recorded(self.route, self.train)
        return recorded and self.route.target.has_control

    def _rows_missing(self) -> bool:
        if not self._both_have_control:
            return False
        return package_digest(self.route.target.control, self.run) != self.digest


def _find(route: Route, dp_id: str, train_id: str | None, with_rows: bool) -> _Found:
    source, target = route.source.models, route.target.models
    ledger = target.ledger(dp_id)
    newest = ledger.newest()
    train_id = train_id or source.find(dp_id)
    served = target.has(dp_id, train_id) and _was_served(ledger, newest, train_id)
    models = target if served else source
    if not models.has(dp_id, train_id) and route.source_name != PROJECT:
        raise UntrainedModelError(
            f"{route.source_name} has no train {train_id} of {dp_id} ({source.root}): deploy it "
            "there first.",
            dataprovider_id=dp_id,
            train_id=train_id,
        )
    train = models.manifest(dp_id, train_id)
    return _Found(route, models, train, models.package_record(dp_id, train_id), newest, with_rows)


def previous_train(route: Route, dp_id: str) -> str:
    """Return the train that the target served before the current one.

    Raises:
        DeployRefusedError: If there is none.
    """
    newest = route.target.models.ledger(dp_id).newest()
    if newest is None or newest.replaced is None:
        raise DeployRefusedError(f"{route.name} has served no other train of {dp_id} before.")
    return newest.replaced


def require_served(route: Route, dp_id: str, train_id: str) -> None:
    """Refuse a train that the target has never served, or whose package is gone.

    Raises:
        DeployRefusedError: If it is one; the text names those that can be served again.
    """
    models = route.target.models
    ledger = models.ledger(dp_id)
    if _was_served(ledger, ledger.newest(), train_id) and models.has(dp_id, train_id):
        return
    served = dict.fromkeys(one.train_id for one in ledger.entries() if one.action in DEPLOYS)
    known = [one for one in served if models.has(dp_id, one)]
    raise DeployRefusedError(
        f"{route.name} has never served {dp_id} {train_id}, or no longer has its package: `xingu "
        f"deploy` deploys it. Trains to return to: {', '.join(known) or 'none'}.",
        train_id=train_id,
    )


def _was_served(ledger: Ledger, newest: Entry | None, train_id: str) -> bool:
    if newest is None:
        return False
    if newest.current == train_id:
        return True
    return any(
        one.action in DEPLOYS and one.train_id == train_id for one in ledger.entries(last=newest)
    )


def _figure(gate: evidence.GateFigure) -> str:
    value = "unknown" if gate.value is None else f"{gate.value:.6g}"
    return f"{value} (must be {gate.required})"
