"""Deploy a train as planned: verify, copy, prove, copy rows, and move the pointer last.

Every part can be repeated. Until the entry of the ledger is written, which is one atomic step, the
target serves what it served before; a process that is killed anywhere leaves nothing else behind
than files and rows of a train that is not served, and running again completes them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from xingu.deploy.announce import announce
from xingu.deploy.plan import CHANGES, fence_of
from xingu.deploy.record import Plan
from xingu.deploy.route import Route
from xingu.deploy.trust import signer_of
from xingu.errors import CorruptPackageError, DeployConflictError
from xingu.registry.deployment import Deployment
from xingu.registry.golden import differences, read_golden
from xingu.registry.ledger import Entry, Ledger
from xingu.registry.manifest import Manifest, verify
from xingu.registry.transfer import Transferred, copy_package
from xingu.tracking.copying import copy_train

Part = Literal["copy", "verify", "prove", "rows", "pointer"]
Watch = Callable[[Part], None]
"""Called with the name of each part, before it begins."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """Result of a deploy.

    Attributes:
        plan: What was planned.
        changed: Whether the target serves another train than before.
        proven: Number of golden rows that were estimated again; None: none were.
        copied: Files and bytes that were copied; None: none had to be.
        rows: Rows that were copied, by table; None: none had to be.
        entry: Number of the entry of the target's ledger; None: there was nothing to do.
    """

    plan: Plan
    changed: bool = False
    proven: int | None = None
    copied: Transferred | None = None
    rows: Mapping[str, int] | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """The person or run that deploys, as the ledger records it.

    Attributes:
        comment: Free text.
        run_id: Id of the Dagster run; empty outside of one.
    """

    comment: str = ""
    run_id: str = ""


def execute(
    route: Route, plan: Plan, reason: Reason = Reason(), watch: Watch = lambda _: None
) -> Deployed:
    """Deploy a train.

    Args:
        route: The way to the target.
        plan: A plan that was made just now.
        reason: For the ledger.
        watch: Is told the parts.

    Returns:
        What was done. If another process has deployed the same train meanwhile, that is nothing.

    Raises:
        DeployRefusedError: If the plan has refusals; nothing was changed.
        DeployConflictError: If another process has changed what the target serves.
        CorruptPackageError: If the package differs from its manifest, here or at the target, or
            the copy does not estimate its golden rows as before.
        SignatureError: If the copy is not signed by a key that the target trusts.
        StorageError: If a storage cannot be read or written.
        ControlDbError: If a control DB cannot be read or written.
    """
    plan.check()
    models, dp_id, train_id = route.target.models, plan.dataprovider_id, plan.train_id
    copied = rows = proven = None
    if plan.action == "deploy":
        watch("copy")
        source = route.source.models
        train = source.manifest(dp_id, train_id)
        package = source.package(dp_id, train_id)
        copied = copy_package(package, models.package(dp_id, train_id), train)
    if plan.action in CHANGES:
        proven = _prove(route, plan, watch)
    if plan.rows is not None:
        watch("rows")
        package = str(models.package(dp_id, train_id))
        rows = copy_train(route.source.control, route.target.control, plan.run, package)
    if plan.action not in CHANGES:
        return Deployed(plan, rows=rows)
    watch("pointer")
    entry, changed = _point(route, plan, reason)
    if changed:
        announce(route, plan, reason.run_id)
    return Deployed(plan, changed, proven, copied, rows, entry.number)


def _prove(route: Route, plan: Plan, watch: Watch) -> int | None:
    """Verify the package at the target, and estimate its golden rows; return their number."""
    models = route.target.models
    package = models.package(plan.dataprovider_id, plan.train_id)
    watch("verify")
    train = models.manifest(plan.dataprovider_id, plan.train_id)
    digest = models.package_record(plan.dataprovider_id, plan.train_id).manifest_sha256
    if digest != plan.package:
        raise CorruptPackageError(
            f"{package} is another package than the one that was planned; nothing was deployed.",
            package=str(package),
        )
    signer_of(package, route)
    verify(package, train)
    watch("prove")
    golden = read_golden(package)
    if golden is None:
        return None
    model = models.load(plan.dataprovider_id, plan.train_id)
    if found := differences(model, golden):
        raise CorruptPackageError(
            f"{package} estimates otherwise here than where it was trained: {'; '.join(found)}. "
            f"{route.name} serves what it served before. Compare the versions of libraries: the "
            f"package was saved with {_libraries(train)}.",
            package=str(package),
        )
    return len(golden.rows)


def _point(route: Route, plan: Plan, reason: Reason) -> tuple[Entry, bool]:
    """Move the target's pointer; return the newest entry, and whether this process moved it."""
    models, dp_id, train_id = route.target.models, plan.dataprovider_id, plan.train_id
    models.point_session(plan.run)
    ledger = models.ledger(dp_id)
    deployment = _deployment(route, plan, reason)
    is_rollback = plan.action == "rollback"
    moved = False

    def change(before: Entry | None) -> Mapping[str, Any] | None:
        nonlocal moved
        moved = fence_of(ledger, before) == plan.fence
        if not moved and before is not None and before.current == train_id:
            return None
        if not moved:
            serves = before.current if before else None
            raise DeployConflictError(
                f"{dp_id} {train_id} is not deployed to {route.name}: since this deploy began, "
                f"another process has made {serves} current there. Look at `xingu in-production "
                f"--target {route.name}`, and run again if this train shall replace it.",
                dataprovider_id=dp_id,
                train_id=train_id,
                target=route.name,
            )
        back = _taken_back(ledger, before, train_id) if is_rollback else ()
        state = {"current": train_id, "pinned": False}
        return {**state, "rolled_back": back, "deployment": deployment}

    action = "rollback" if is_rollback else "deploy"
    entry = ledger.append(train_id, plan.train_session_id, action, change)
    assert entry is not None  # noqa: S101 - `change` returns None after an entry only
    return entry, moved


def _deployment(route: Route, plan: Plan, reason: Reason) -> Deployment:
    """Return what the ledger records of a deploy."""
    return Deployment(
        user=route.user,
        host=route.host,
        source=route.origin,
        run_id=reason.run_id,
        commit=plan.commit or "",
        package=plan.package,
        target=route.name,
        gates=dict(plan.gates),
        approvals=plan.approvals,
        replaced=plan.replaces,
        comment=reason.comment,
    )


def _taken_back(ledger: Ledger, before: Entry | None, train_id: str) -> tuple[str, ...]:
    """Return the trains that were deployed since a train was, newest first."""
    found = []
    for one in ledger.standing(before):
        if one == train_id:
            break
        found.append(one)
    return tuple(found)


def _libraries(train: Manifest) -> str:
    versions = train.provenance.get("libraries") or {}
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or "unknown ones"
