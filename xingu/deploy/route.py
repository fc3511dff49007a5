"""The way of a train: the storage that it comes from, and the target."""

from dataclasses import dataclass
from functools import cached_property

from xingu.errors import SettingsError
from xingu.masking import masked, shown_address
from xingu.records import DeployRules
from xingu.workspace import Workspace

PROJECT, RELEASED = "project", "source"
"""Names of sources that are no targets: the project's storage, and what `pull` reads."""


@dataclass(frozen=True)
class Route:
    """Where trains come from and go to.

    Attributes:
        name: Name of the target.
        source_name: Name of the target before it in its chain, or `PROJECT` or `RELEASED`.
        source: Workspace that trains come from.
        target: Workspace of the target.
        user: User who deploys or approves.
        host: Machine of this process.
    """

    name: str
    source_name: str
    source: Workspace
    target: Workspace
    user: str
    host: str

    @cached_property
    def rules(self) -> DeployRules:
        """The rules of the target."""
        return self.target.rules

    @property
    def origin(self) -> str:
        """Address of the storage that trains come from, without secrets."""
        return masked(shown_address(str(self.source.models.root)))


def route_to(workspace: Workspace, target: str, *, pull: bool = False) -> Route:
    """Return the way to a target: from the one before it in its chain, or from the project.

    Args:
        workspace: Workspace of the project.
        target: Name of the target.
        pull: Trains come from the storage of ``TRAINED_MODELS_PATH__SOURCE`` instead.

    Raises:
        SettingsError: If there is no such target, or it shares its model storage with the source.
    """
    reached = workspace.target(target)
    if pull:
        name, source = RELEASED, workspace.target(RELEASED)
    else:
        chain = next(chain for chain in workspace.chains if target in chain)
        at = chain.index(target)
        name = chain[at - 1] if at else PROJECT
        source = workspace.target(name) if at else workspace
    if source.models.root == reached.models.root:
        raise SettingsError(
            f"The target {target} has the same model storage as {name}, {reached.models.root}: "
            "give it a folder or URL of its own.",
            target=target,
        )
    return _route(workspace, target, name, source, reached)


def route_within(workspace: Workspace, target: str) -> Route:
    """Return the way of trains that a target has already: no other storage is read.

    Raises:
        SettingsError: If there is no such target.
    """
    reached = workspace.target(target)
    return _route(workspace, target, target, reached, reached)


def _route(
    workspace: Workspace, target: str, name: str, source: Workspace, reached: Workspace
) -> Route:
    return Route(target, name, source, reached, *workspace.user)
