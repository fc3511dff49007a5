"""Databases of sources: URLs by nickname, and connections to them.

Messages and logs contain the address of a database: the part of its URL that may be shown, with
absolute paths. Its identity is for cache keys, and never shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pandas as pd
from pydantic import SecretStr

from xingu.errors import (
    MissingFileError,
    QueryError,
    SettingsError,
    SourceError,
    UnknownDatabaseError,
    did_you_mean,
)
from xingu.masking import HIDDEN, is_secret, remember_secrets, secrets_of, shown_address
from xingu.sources.connections import AdbcBackend, AlchemyBackend, Backend, DuckDbBackend
from xingu.sources.given import GivenDatabase, is_engine, opened
from xingu.sources.retrying import transient_facts
from xingu.sources.spec import SourceSpec, SqlSource

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_FILE_BACKENDS = ("sqlite", "duckdb")
_MEMORY = ("", ":memory:")
_NO_FILE = (":memory:", "md:", "file:")
"""Prefixes of a database name that is not a path: memory, MotherDuck, URIs of SQLite."""
_ADBC_DRIVERS = {
    "sqlite": ("", "pysqlite"),
    "postgresql": ("", "psycopg", "psycopg2"),
}

_EXTRAS = {"awsathena": "athena", "databricks": "databricks", "postgresql": "postgres"}
"""Extras with the drivers of databases, by the first part of a URL."""


class Connection:
    """An open connection to one database."""

    def __init__(self, backend: Backend, nickname: str, address: str) -> None:
        self._backend = backend
        self._nickname = nickname
        self._address = address

    def query(self, sql: str) -> pd.DataFrame:
        """Run `sql` as given, without a commit (a writable DuckDB commits).

        Returns:
            The rows; a frame without columns for a statement that returns none.

        Raises:
            QueryError: If the database rejects it.
        """
        try:
            return self._backend.run(sql)
        except Exception as error:  # noqa: BLE001 - raised again without the driver's error, which may hold a password
            reason = _message(error)
            raise QueryError(
                f"the database {self._nickname!r} ({self._address}) refused the query: "
                f"{reason}\nCorrect the query:\n{sql}",
                database=self._nickname,
                query=sql,
                reason=reason,
                **transient_facts(error),
            ) from None

    def cancel(self) -> None:
        """Cancel the query of another thread, if the driver supports it."""
        with suppress(Exception):  # best effort: it may be closed by now
            self._backend.cancel()


class Databases:
    """Databases by nickname.

    Args:
        urls: SQLAlchemy URLs by nickname.
        home: Folder that relative paths are relative to.
        adbc: Use ADBC where a driver is installed; the frames are the same without.
        given: Engines, or functions that connect, by nickname; see `xingu.sources.given`.
    """

    def __init__(
        self,
        urls: Mapping[str, str | SecretStr],
        home: Path,
        *,
        adbc: bool = True,
        given: Mapping[str, GivenDatabase] | None = None,
    ) -> None:
        self._given = dict(given or {})
        self._urls = {
            nickname: url.get_secret_value() if isinstance(url, SecretStr) else url
            for nickname, url in urls.items()
            if nickname not in self._given
        }
        for url in self._urls.values():
            remember_secrets(secrets_of(url))
        self.home = home.absolute()
        self._adbc = adbc

    def __repr__(self) -> str:
        return f"Databases({', '.join(sorted(self._names))})"

    @property
    def _names(self) -> set[str]:
        return {*self._urls, *self._given}

    @property
    def nicknames(self) -> list[str]:
        """All nicknames, sorted."""
        return sorted(self._names)

    def without_adbc(self) -> "Databases":
        """Return the same databases, read by their usual drivers."""
        return Databases(self._urls, self.home, adbc=False, given=self._given)

    def check(self, provider_id: str, attribute: str, specs: Sequence[SourceSpec]) -> None:
        """Check that the databases of `specs` are known, without connecting to them.

        Raises:
            UnknownDatabaseError: If a nickname is unknown.
            SettingsError: If its URL is malformed.
        """
        for spec in specs:
            if isinstance(spec, SqlSource):
                self._require(spec.database, f"{provider_id}.{attribute}[{spec.name!r}]: ")
                self.address(spec.database)

    def address(self, nickname: str) -> str:
        """Return what may be shown of the URL, with an absolute path; without one, a text."""
        if self._has_no_url(nickname):
            return f"a connection that the project calls {nickname}"
        url = self.url(nickname)
        # SQLAlchemy knows where an unquoted password ends, and its host is the one that is called.
        host = f"[{url.host}]" if ":" in (url.host or "") else url.host or ""
        user, port = HIDDEN if url.username else "", f":{url.port}" if url.port else ""
        query = f"?{urlencode(url.query, doseq=True, safe='/:')}" if url.query else ""
        place = f"{user}{'@' if user else ''}{host}{port}{query}"
        server, mark, shown = shown_address(f"{url.drivername}://{place}").partition("?")
        name = f"/{url.database}" if url.database else ""
        return f"{server}{name}{mark}{shown}"

    def identity(self, nickname: str) -> str:
        """Return the URL without its password and secret parameters; to compare, not to show."""
        if self._has_no_url(nickname):
            return f"connection {nickname}"
        url = self.url(nickname)
        server = url.create(url.drivername, url.username, None, url.host, url.port)
        kept = [(name, value) for name, value in url.query.items() if not is_secret(name)]
        # Paths are not quoted here: SQLAlchemy's quoting differs between versions.
        name = f"/{url.database}" if url.database else ""
        return f"{server}{name}{'?' if kept else ''}{urlencode(kept, doseq=True, safe='/')}"

    def file(self, nickname: str) -> Path | None:
        """Return the file of a SQLite or DuckDB database; None for any other database."""
        if self._has_no_url(nickname):
            return None
        url = self.url(nickname)
        name = url.database or ""
        if not _is_file(url.get_backend_name(), name):
            return None
        return Path(name)

    def backend(self, nickname: str) -> str:
        """Return the first part of the URL of a database; empty if it is not known or malformed."""
        try:
            return self.url(nickname).get_backend_name()
        except SettingsError:
            return ""

    def engine(self, nickname: str) -> "Engine":
        """Return a SQLAlchemy engine, for users' own SQL.

        Raises:
            UnknownDatabaseError: If the nickname is unknown.
            SettingsError: If its URL is malformed.
        """
        if is_engine(self._given.get(nickname)):
            return self._given[nickname]
        from sqlalchemy import create_engine

        return create_engine(self.url(nickname))

    @contextmanager
    def connect(self, nickname: str) -> Iterator[Connection]:
        """Open a connection, and close it at the end of the block without a commit.

        Raises:
            UnknownDatabaseError: If the nickname is unknown.
            MissingFileError: If the database is a file that does not exist.
            SourceError: If the database cannot be reached.
        """
        self._require(nickname)
        address, path = self.address(nickname), self.file(nickname)
        if path is not None and not path.is_file():
            raise MissingFileError(
                f"the database {nickname!r} ({address}): there is no such file; create it, or "
                "correct the URL (a relative path starts at the project's home).",
                database=nickname,
            )
        with ExitStack() as stack:
            try:
                backend = stack.enter_context(self._opened(nickname))
            except Exception as error:  # noqa: BLE001 - raised again
                advice = " Check its resource." if self._has_no_url(nickname) else ""
                raise SourceError(
                    f"the database {nickname!r} ({address}) cannot be reached: "
                    f"{_message(error).rstrip('.')}."
                    f"{advice or _advice(error, self.url(nickname))}",
                    database=nickname,
                    **transient_facts(error),
                ) from None
            yield Connection(backend, nickname, address)

    def _opened(self, nickname: str) -> AbstractContextManager[Backend]:
        if nickname in self._given:
            return opened(self._given[nickname])
        return closing(_open(self.url(nickname), adbc=self._adbc))

    def _has_no_url(self, nickname: str) -> bool:
        return nickname in self._given and not is_engine(self._given[nickname])

    def _require(self, nickname: str, where: str = "") -> None:
        if nickname not in self._names:
            known = ", ".join(sorted(self._names)) or "none"
            raise UnknownDatabaseError(
                f"{where}no database is called {nickname!r}; known: {known}."
                f"{did_you_mean(nickname, self._names)}",
                nickname=nickname,
            )

    def url(self, nickname: str) -> "URL":
        """Return the URL, which may hold a password; the path of a file is absolute.

        Raises:
            UnknownDatabaseError: If the nickname is unknown.
            SettingsError: If the URL is malformed.
        """
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        self._require(nickname)
        if nickname in self._given:
            return self._url_of_engine(nickname)
        text = self._urls[nickname]
        if text.startswith("postgres://"):  # as libpq and many hosts write it
            text = text.replace("postgres", "postgresql", 1)
        try:
            url = make_url(text)
        except (ArgumentError, ValueError):
            raise SettingsError(
                f"The URL of the database {nickname!r} is malformed (it is not shown, "
                f"because it may hold a password); write it like "
                f"postgresql://user:{HIDDEN}@host/name or sqlite:///file.db.",
                nickname=nickname,
            ) from None
        name = url.database or ""
        if _is_file(url.get_backend_name(), name):
            return url.set(database=str(self.home / name))
        return url

    def _url_of_engine(self, nickname: str) -> "URL":
        if not is_engine(self._given[nickname]):
            raise SettingsError(
                f"The database {nickname!r} is given as a function that connects, so it has no "
                "URL; give a SQLAlchemy engine or a URL, to write into it.",
                nickname=nickname,
            )
        return self._given[nickname].url


def _is_file(backend: str, name: str) -> bool:
    return backend in _FILE_BACKENDS and name not in _MEMORY and not name.startswith(_NO_FILE)


def _open(url: "URL", *, adbc: bool) -> Backend:
    backend = url.get_backend_name()
    if backend == "duckdb":
        return _open_duckdb(url)
    drivers = _ADBC_DRIVERS.get(backend, ())
    driver = url.drivername.partition("+")[2]
    usable = adbc and driver in drivers and not (backend == "sqlite" and url.query)
    if usable and find_spec(f"adbc_driver_{backend}") and find_spec("pyarrow"):
        try:
            return _open_adbc(url)
        except Exception as error:
            if "invalid URI query parameter" not in str(error):
                raise
    return AlchemyBackend(url)


def _open_duckdb(url: "URL") -> Backend:
    config: dict[str, Any] = dict(url.query)
    name = url.database or ":memory:"
    read_only = _is_file("duckdb", name)
    if "read_only" in config:
        read_only = str(config.pop("read_only")).lower() not in ("false", "0", "no", "off")
    return DuckDbBackend(name, read_only=read_only, config=config)


def _open_adbc(url: "URL") -> Backend:
    if url.get_backend_name() == "sqlite":
        name = url.database or ":memory:"
        # "rw": SQLite must not create a missing file.
        uri = name if name in _MEMORY else f"file:{quote(name)}?mode=rw"
        return AdbcBackend("sqlite", uri, lambda: AlchemyBackend(url))
    return AdbcBackend("postgresql", _libpq_uri(url), lambda: AlchemyBackend(url))


def _libpq_uri(url: "URL") -> str:
    """Return the URL for libpq; SQLAlchemy does not quote spaces in passwords."""
    user = quote(url.username or "", safe="")
    password = f":{quote(url.password, safe='')}" if url.password else ""
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host or ""
    port = f":{url.port}" if url.port else ""
    query = urlencode(url.query, doseq=True, quote_via=quote, safe="")
    name = quote(url.database or "", safe="")
    return f"postgresql://{user}{password}{'@' if user else ''}{host}{port}/{name}?{query}"


def _message(error: Exception) -> str:
    """Return the message of the database, without the SQL that SQLAlchemy appends."""
    original = getattr(error, "orig", None) or error
    return str(original).strip() or type(original).__name__


def _advice(error: Exception, url: "URL") -> str:
    if isinstance(error, ImportError) or type(error).__name__ == "NoSuchModuleError":
        extra = _EXTRAS.get(url.drivername.partition("+")[0])
        hint = f": pip install 'xingu[{extra}]'" if extra else ""
        return f" Install the Python driver of this database{hint}."
    if "different configuration" in str(error):
        return " This process has it open for writing: add ?read_only=false to its URL."
    return " Check that it runs, and its URL, user and network."
