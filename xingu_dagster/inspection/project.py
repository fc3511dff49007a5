"""Check a project without training: everything that is wrong with it, not only the first."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xingu.compat.factory import folder_of, simple_of
from xingu.config import Settings
from xingu.errors import DeclarationError, DuplicateProviderError, XinguError, did_you_mean
from xingu.inspection.findings import Finding, finding_of, place_of_error, sorted_findings
from xingu.inspection.jobs import Job, run_jobs
from xingu.inspection.places import place_jobs
from xingu.inspection.sources import (
    DeclaredSources,
    address_jobs,
    count_queries,
    database_jobs,
    unknown_databases,
)
from xingu.provider.base import DataProvider
from xingu.provider.class_source import place_of
from xingu.provider.discovery import classes_in, contradictions, errors_of
from xingu.workspace import Workspace
from xingu_dagster.inspection.declarations import Declarations

logger = logging.getLogger(__name__)

ProviderClass = type[DataProvider]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ProjectCheck:
    """Result of a check of a project.

    Attributes:
        findings: Errors, then warnings.
        counts: How many of what was checked, by noun.
    """

    findings: Sequence[Finding]
    counts: Mapping[str, int]

    @property
    def errors(self) -> list[Finding]:
        """The findings that are errors."""
        return [one for one in self.findings if one.severity == "error"]


def check_project(
    settings: Settings,
    dps: Collection[str] = (),
    seconds: float = 10,
    tell: Tell = lambda _: None,
) -> ProjectCheck:
    """Check DataProviders, their sources, storage and the control DB; nothing is trained.

    Args:
        settings: The settings of the project.
        dps: Ids of DataProviders; empty: those that the settings name, else all.
        seconds: Time limit of each answer of a database, an address or a storage.
        tell: Called with the current activity.
    """
    tell("loading DataProviders")
    findings: list[Finding] = []
    wanted = list(dps) or list(settings.dataproviders)
    classes = _classes(settings, wanted, findings)
    chosen = _chosen(classes, wanted, findings)
    declared: list[DeclaredSources] = []
    for cls in chosen:
        tell(f"reading the declarations of {cls.id}")
        declarations = Declarations(cls)
        declarations.read()
        findings += declarations.findings
        declared += declarations.sources
    workspace = Workspace(settings)
    findings += unknown_databases(declared, workspace.databases)
    databases = database_jobs(declared, workspace.databases)
    addresses = address_jobs(declared, workspace.databases)
    places = place_jobs(workspace, settings.table_prefix)
    known = {str(cls.id) for cls in classes}
    pre_reqs = Job("prerequisites", lambda: _untrained(workspace, chosen, known))
    findings += _answers([*databases, *addresses, *places, pre_reqs], seconds, tell)
    counts = {
        "DataProvider": len(chosen),
        "database": len(databases) + 1,
        "query": count_queries(declared),
        "file": len(addresses),
        "folder": len(places) - 1,
    }
    return ProjectCheck(sorted_findings(findings), counts)


def _answers(jobs: Sequence[Job], seconds: float, tell: Tell) -> list[Finding]:
    left, findings = {job.subject: job for job in jobs}, []
    for job, finding in run_jobs(jobs, seconds):
        if finding is not None:
            findings.append(finding)
        else:
            left.pop(job.subject, None)
            tell(f"waiting for {', '.join(left)}")
    return findings


def _classes(
    settings: Settings, wanted: Collection[str], findings: list[Finding]
) -> list[ProviderClass]:
    """Return the classes that can be read; errors of modules and classes become findings."""
    broken: dict[str, DeclarationError] = {}
    simple = _simple(settings, findings)
    folder = folder_of(settings, simple)
    try:
        found = simple + (classes_in(folder, settings.import_seconds, broken) if folder else [])
    except DeclarationError as error:
        findings.append(finding_of(error, "DATAPROVIDER_FOLDER"))
        return []
    for name, error in broken.items():
        file = error.facts.get("file")
        place = place_of_error(error, Path(str(file))) if file else None
        findings.append(finding_of(error, name, place, "warning" if wanted else "error"))
    if not found and not broken:
        text = f"there is no DataProvider in {folder}; write one."
        findings.append(Finding("warning", "DATAPROVIDER_FOLDER", text))
    of_classes = [
        finding_of(error, str(cls.id), place_of(cls)) for cls in found for error in errors_of(cls)
    ]
    readable = [
        cls
        for cls in found
        if isinstance(cls.id, str) and cls.id.strip() and not isinstance(cls.pre_req, str)
    ]
    by_id = {cls.id: cls for cls in readable}
    for error in contradictions(readable, broken):
        dp_id = str(error.facts.get("dataprovider_id") or _last(error))
        cls = by_id.get(dp_id)
        member = "id" if isinstance(error, DuplicateProviderError) else "pre_req"
        place = place_of(cls, member) if cls else None
        of_classes.append(finding_of(error, dp_id, place))
    findings += [one for one in of_classes if not wanted or one.subject in wanted]
    return readable


def _simple(settings: Settings, findings: list[Finding]) -> list[ProviderClass]:
    try:
        return simple_of(settings)
    except DeclarationError as error:
        findings.append(finding_of(error, "SIMPLEDP_ID"))
        return []


def _last(error: DeclarationError) -> str:
    """Return the last of the ids that contradict each other."""
    ids: Any = error.facts.get("dataprovider_ids") or error.facts.get("cycle")
    return str(ids[-1])


def _chosen(
    classes: Sequence[ProviderClass], wanted: Collection[str], findings: list[Finding]
) -> list[ProviderClass]:
    known = {str(cls.id): cls for cls in classes}
    for dp_id in wanted:
        if dp_id not in known:
            text = (
                f"there is no DataProvider {dp_id!r} that can be used; known: "
                f"{', '.join(sorted(known)) or 'none'}.{did_you_mean(dp_id, known)}"
            )
            findings.append(Finding("error", dp_id, text))
    return [cls for cls in classes if not wanted or cls.id in wanted]


def _untrained(
    workspace: Workspace, chosen: Sequence[ProviderClass], known: Collection[str]
) -> Iterator[Finding]:
    """Yield a warning for each prerequisite that is neither chosen nor trained."""
    own = {cls.id for cls in chosen}
    for cls in chosen:
        for pre_req in sorted((set(cls.pre_req) - own) & set(known)):
            try:
                trained = workspace.models.current(pre_req)
            except XinguError:  # the job of the model storage reports it
                return
            if trained is None:
                text = f"{cls.id} needs {pre_req}, of which no train is current; train it too."
                place = place_of(cls, "pre_req")
                yield Finding("warning", str(cls.id), text, place)
