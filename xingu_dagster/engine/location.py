"""Find the name of the code location of a run, for links into the UI.

A run that the UI has launched knows it. `dagster asset materialize`, `Coach` and the `xingu`
command run code without a code location: then it is the one of the project's ``pyproject.toml`` or
``workspace.yaml`` that loads the same code, as `dagster dev` would start it.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from xingu_dagster.engine import compat

logger = logging.getLogger(__name__)

MODULE = "xingu_dagster.definitions"
"""Module that `Coach` runs, and name of its location in ``dagster dev -m``."""


def code_location(context: dg.AssetExecutionContext, home: Path) -> str:
    """Return the name of the code location that shows this run's assets in the UI.

    Args:
        context: The running step.
        home: Folder of the project, in which `dagster dev` is started.
    """
    run = context.run
    if run.remote_job_origin:
        return run.remote_job_origin.location_name
    code = run.job_code_origin
    pointer = code.repository_origin.code_pointer if code else None
    file = getattr(pointer, "python_file", None)
    loaded = Path(file).resolve() if file else getattr(pointer, "module", MODULE)
    try:
        declared = dict(_declared_locations(home))
    except Exception as error:  # noqa: BLE001 - a link may not fail a train, and `dagster dev` says it
        logger.warning("the code locations of %s are not known: %s", home, error)
        declared = {}
    default = next(iter(declared), loaded.name if isinstance(loaded, Path) else loaded)
    return next((name for name, target in declared.items() if target == loaded), default)


def _declared_locations(home: Path) -> Iterator[tuple[str, Path | str | None]]:
    """Yield name and module or file of the code locations that `dagster dev` loads in `home`."""
    if not compat.usable("locations"):
        return
    from dagster._cli.utils import has_pyproject_dagster_block
    from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
    from dagster._core.workspace.load_target import PyProjectFileTarget, WorkspaceFileTarget

    origins: list[Any] = []
    if has_pyproject_dagster_block(str(home / "pyproject.toml")):
        origins += PyProjectFileTarget(str(home / "pyproject.toml")).create_origins()
    elif found := [home / name for name in _WORKSPACES if (home / name).exists()]:
        origins += WorkspaceFileTarget([str(found[0])]).create_origins()
    for origin in origins:
        target = None
        if isinstance(origin, ManagedGrpcPythonEnvCodeLocationOrigin):  # others run elsewhere
            target = origin.loadable_target_origin
        file = target and target.python_file
        module = target and (target.module_name or target.package_name)
        yield origin.location_name, (home / file).resolve() if file else module


_WORKSPACES = ("workspace.yaml", "workspace.yml")
