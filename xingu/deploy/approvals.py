"""Approvals: entries of a target's ledger, each for one package and this target, that expire.

An approval counts if it is for exactly the package (the digest of its manifest), not expired, and
of a user who may approve: never the one who trained, and only `DEPLOY_APPROVERS` if there are any.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from xingu.deploy.route import Route
from xingu.errors import DeployRefusedError
from xingu.registry.deployment import Deployment
from xingu.registry.ledger import Entry
from xingu.registry.manifest import Manifest


def trainer_of(train: Manifest) -> str | None:
    """Return the user who trained; None: it is not known."""
    return train.provenance.get("user_name")


def approved_by(route: Route, train: Manifest, package: str) -> tuple[str, ...]:
    """Return the users whose approvals of a package count, sorted.

    Args:
        route: The way to the target.
        train: The manifest of the package.
        package: SHA-256 of the manifest.
    """
    now, users = datetime.now(UTC), set()
    for entry in route.target.models.ledger(train.dataprovider_id).entries():
        given = entry.deployment
        if entry.action != "approve" or entry.train_id != train.train_id or given is None:
            continue
        expired = given.expires is not None and given.expires <= now
        if (given.package, given.target) == (package, route.name) and not expired:
            users.add(given.user)
    return tuple(sorted(user for user in users if _may_approve(route, train, user)))


def who_may(route: Route, train: Manifest) -> str:
    """Return the people who may approve a train, as a text."""
    trainer = trainer_of(train)
    if route.rules.approvers:
        return ", ".join(one for one in route.rules.approvers if one != trainer) or "nobody"
    return f"everyone but {trainer}" if trainer else "everyone"


def approve(route: Route, train: Manifest, package: str, comment: str = "") -> Entry:
    """Record that the user of this process approves the deploy of a package.

    Args:
        route: The way to the target.
        train: The manifest of the package.
        package: SHA-256 of the manifest.
        comment: Free text.

    Returns:
        The entry of the ledger.

    Raises:
        DeployRefusedError: If the user may not approve this train.
    """
    if not _may_approve(route, train, route.user):
        raise DeployRefusedError(
            f"{route.user or 'A user without a name'} may not approve {train.dataprovider_id} "
            f"{train.train_id} for {route.name}; who may: {who_may(route, train)}.",
            user=route.user,
        )
    given = Deployment(
        user=route.user,
        host=route.host,
        commit=train.provenance.get("git_commit") or "",
        package=package,
        target=route.name,
        comment=comment,
        expires=datetime.now(UTC) + timedelta(days=route.rules.approval_days),
    )

    def change(before: Entry | None) -> Mapping[str, Any]:
        state = (before.current, before.pinned) if before else (None, False)
        return {"current": state[0], "pinned": state[1], "deployment": given}

    ledger = route.target.models.ledger(train.dataprovider_id)
    entry = ledger.append(train.train_id, train.train_session_id, "approve", change)
    assert entry is not None  # noqa: S101 - `change` never returns None
    return entry


def _may_approve(route: Route, train: Manifest, user: str) -> bool:
    allowed = route.rules.approvers
    return bool(user) and user != trainer_of(train) and (not allowed or user in allowed)
