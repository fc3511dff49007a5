"""ProjectResource: the resource of a project, as its graph uses it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import dagster as dg

from xingu.workspace import Workspace
from xingu_dagster.options import options_key, options_resource
from xingu_dagster.resources import KEY
from xingu_dagster.upstream import Backends


@dataclass(frozen=True, slots=True)
class ProjectResource:
    """The resource of a project, as its graph uses it.

    Attributes:
        key: Key of the resource that steps get their Workspace from; the IO manager's is
            ``<key>_io``.
        options: The options of a run, a resource that steps bring along.
        backends: Kinds of its databases, which decide the dialect of queries.
        chains: Names of the targets of deploys, by chain.
    """

    key: str = KEY
    options: dg.ResourceDefinition = field(default_factory=options_resource)
    backends: Backends = lambda _: ""
    chains: Sequence[Sequence[str]] = ()

    @classmethod
    def of(cls, given: Any, key: str = KEY) -> Self:
        """Describe an `XinguResource`, a `Workspace`, or a resource that is configured later."""
        databases = given.databases if isinstance(given, Workspace) else given
        backends = getattr(databases, "backend", lambda _: "")
        chains = given.chains if isinstance(given, Workspace) else ()
        return cls(key, options_resource(getattr(given, "options", None)), backends, chains)

    @property
    def options_key(self) -> str:
        """Key of `options`."""
        return options_key(self.key)
