"""Test whether storage and the control DB can be written; no file is left in them."""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from upath import UPath

from xingu.errors import XinguError
from xingu.files.atomic import local_path
from xingu.inspection.findings import Finding, finding_of
from xingu.inspection.jobs import Doing, Job
from xingu.tracking.state import control_state
from xingu.workspace import Workspace

CONTROL = "control DB"
Steps = Iterator[Finding | Doing]


def place_jobs(workspace: Workspace, prefix: str) -> list[Job]:
    """Return the jobs that look at the storage and the control DB of a project.

    Args:
        workspace: The project.
        prefix: Prefix of the tables of the control DB.
    """
    cache = workspace.cache_folder
    roots: dict[str, Callable[[], UPath]] = {
        "TRAINED_MODELS_PATH": lambda: workspace.models.root,
        "XINGU_VALUES_PATH": lambda: workspace.values.root,
        "PLOTS_PATH": lambda: workspace.plots,
    }
    if cache is not None:
        roots["DATASOURCE_CACHE_PATH"] = lambda: cache
    jobs = [Job(name, partial(_try_storage, name, root)) for name, root in roots.items()]
    return [*jobs, Job(CONTROL, partial(_try_control, workspace, prefix))]


def _try_storage(setting: str, root: Callable[[], UPath]) -> Steps:
    folder = root()
    yield Doing(f"writing to {folder}")
    local = local_path(folder)
    try:
        if local is not None:
            _write_local(local)
        else:
            probe = folder / f".xingu-check-{secrets.token_hex(4)}"
            probe.write_bytes(b"")
            probe.unlink()
    except Exception as error:  # noqa: BLE001 - storage libraries raise anything
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        told = XinguError(
            f"{setting}: {folder} cannot be written ({reason}); correct the path or its "
            "permissions."
        )
        yield finding_of(told, setting)


def _write_local(folder: Path) -> None:
    """Write a file without a name into a folder, or into the nearest one above that exists."""
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    with tempfile.TemporaryFile(dir=existing):
        pass


def _try_control(workspace: Workspace, prefix: str) -> Steps:
    databases = workspace.databases
    yield Doing("connecting")
    state = control_state(databases, prefix)
    address = databases.address("xingu")
    if state.schema == "newer":
        text = (
            f"the control DB ({address}) was written by a newer version of Xingu; install that "
            "version, or set XINGU_DB_URL to another database."
        )
        yield Finding("error", CONTROL, text)
    elif not state.writable:
        text = f"the control DB ({address}) cannot be written; check its permissions."
        yield Finding("error", CONTROL, text)
    elif state.schema == "older":
        text = (
            f"the control DB ({address}) has an older schema, which the next train migrates; make "
            "a backup before, if others use it."
        )
        yield Finding("warning", CONTROL, text)
    file = databases.file("xingu")
    if state.schema == "missing" and file is not None:
        yield from _try_storage("XINGU_DB_URL", lambda: UPath(file.parent))
    elif file is not None and not os.access(file.parent, os.W_OK):
        text = f"the folder of the control DB ({address}) cannot be written; SQLite needs it."
        yield Finding("error", CONTROL, text)
