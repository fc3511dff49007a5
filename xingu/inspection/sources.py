"""Try databases, queries, files and addresses that DataProviders declare, without reading data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from xingu.errors import UnknownDatabaseError, XinguError
from xingu.inspection.findings import Finding, finding_of
from xingu.inspection.jobs import Doing, Job
from xingu.provider.class_source import Place
from xingu.sources import Databases, SourceSpec, SqlSource
from xingu.sources.files import look_at_file
from xingu.sources.probe import open_probe
from xingu.sources.spec import UrlSource

CONTROL = "xingu"
"""Nickname of the control DB, which is a source only if one is declared."""
Steps = Iterator[Finding | Doing]


@dataclass(frozen=True, slots=True)
class DeclaredSources:
    """The sources of a train, or of a batch, of one DataProvider.

    Attributes:
        dataprovider_id: Id of the DataProvider.
        attribute: Name of the declaration.
        specs: The sources.
        places: Lines of the declarations, by name of the source.
    """

    dataprovider_id: str
    attribute: str
    specs: Sequence[SourceSpec]
    places: Mapping[str, Place | None] = field(default_factory=dict)

    def finding(self, spec: SourceSpec, error: XinguError) -> Finding:
        """Convert an error of one source to a finding."""
        return finding_of(error, self.dataprovider_id, self.places.get(spec.name))

    def where(self, spec: SourceSpec) -> str:
        """Return the name of the declaration of one source."""
        return f"{self.dataprovider_id}.{self.attribute}[{spec.name!r}]"


Query = tuple[DeclaredSources, SqlSource]


def unknown_databases(declared: Sequence[DeclaredSources], databases: Databases) -> list[Finding]:
    """Return a finding of each source whose database is not in the settings."""
    found = []
    for one in declared:
        for spec in one.specs:
            try:
                databases.check(one.dataprovider_id, one.attribute, [spec])
            except UnknownDatabaseError as error:
                found.append(one.finding(spec, error))
            except XinguError:  # the URL is malformed, which the job of the database reports once
                continue
    return found


def database_jobs(declared: Sequence[DeclaredSources], databases: Databases) -> list[Job]:
    """Return a job per database: connect, run a cheap query, and plan the declared queries."""
    jobs = []
    for nickname in databases.nicknames:
        groups = _groups_on(nickname, declared)
        if groups or nickname != CONTROL:
            run = partial(_try_database, databases, nickname, groups)
            jobs.append(Job(f"database {nickname!r}", run))
    return jobs


def address_jobs(declared: Sequence[DeclaredSources], databases: Databases) -> list[Job]:
    """Return a job per file or address: look whether it is there."""
    users: dict[str, list[tuple[DeclaredSources, UrlSource]]] = {}
    for one in declared:
        for spec in one.specs:
            if isinstance(spec, UrlSource):
                key = repr((spec.url, spec.params.get("storage_options")))
                users.setdefault(key, []).append((one, spec))
    return [
        Job(f"address {using[0][1].label}", partial(_look_at, databases, using))
        for using in users.values()
    ]


def count_queries(declared: Sequence[DeclaredSources]) -> int:
    """Return the number of declared queries."""
    return sum(isinstance(spec, SqlSource) for one in declared for spec in one.specs)


def _groups_on(nickname: str, declared: Sequence[DeclaredSources]) -> list[list[Query]]:
    """Return the queries on a database; those of one connection are together, in their order."""
    groups: dict[object, list[Query]] = {}
    for one in declared:
        for spec in one.specs:
            if isinstance(spec, SqlSource) and spec.database == nickname:
                alone = spec.name if spec.group is None else None
                key = (one.dataprovider_id, one.attribute, spec.group, alone)
                groups.setdefault(key, []).append((one, spec))
                if spec.watermark:
                    mark = (one.dataprovider_id, one.attribute, "watermark", spec.name)
                    groups[mark] = [(one, replace(spec, query=spec.watermark))]
    return list(groups.values())


def _try_database(databases: Databases, nickname: str, groups: list[list[Query]]) -> Steps:
    subject = f"database {nickname!r}"
    users = sorted({one.dataprovider_id for group in groups for one, _ in group})
    yield Doing("connecting")
    try:
        with open_probe(databases, nickname) as probe:
            known: dict[tuple[str, ...], list[tuple[int, str]]] = {}
            for group in groups if probe.plans else ():
                first, spec = group[0]
                yield Doing(f"planning {first.where(spec)}")
                queries = tuple(spec.query for _, spec in group)
                if queries not in known:
                    known[queries] = list(probe.problems(queries))
                for number, reason in known[queries]:
                    yield _refused(*group[number], reason)
    except XinguError as error:
        used = f" It is used by {', '.join(users)}." if users else " No DataProvider uses it."
        finding = finding_of(error, subject, severity="error" if users else "warning")
        yield Finding(finding.severity, subject, finding.text + used)


def _refused(declared: DeclaredSources, spec: SqlSource, reason: str) -> Finding:
    what = "watermark" if spec.query == spec.watermark else "query"
    error = XinguError(
        f"{declared.where(spec)}: the database {spec.database!r} refuses the {what}: "
        f"{reason.rstrip('.')}. Correct the {what}."
    )
    return declared.finding(spec, error)


def _look_at(databases: Databases, users: list[tuple[DeclaredSources, UrlSource]]) -> Steps:
    spec = users[0][1]
    names = ", ".join(dict.fromkeys(one.where(spec) for one, spec in users))
    yield Doing(f"of {names}")
    try:
        look_at_file(spec, databases.home)
    except XinguError as error:
        for one, spec in users:
            yield one.finding(spec, XinguError(f"{one.where(spec)}: {error}"))
