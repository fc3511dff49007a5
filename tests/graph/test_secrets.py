"""The password of a database that answers is nowhere that anybody can read.

A database that cannot be reached is in `test_bad_input`. Here a role of a running PostgreSQL has to
give its password, and gets data, or an error.
"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import dagster as dg
import psycopg
import pytest

from tests.support.leaks import chain, found, told
from tests.support.project import Project
from tests.support.toys import Houses, houses, query
from xingu.errors import SourceError

ALL = ("sources/houses/houses", "sources/houses/visitors", "houses/*")
KINDS = {".parquet", ".pkl", ".json", ".html", ".ipynb", ".py", ".txt", ".db"}
"""What a trained project consists of."""


@dataclass(frozen=True)
class Role:
    """Who may read one schema of a server, and has to say the password for it."""

    name: str
    core: str
    """The part of the password that no way of quoting changes."""
    server: str

    @property
    def password(self) -> str:
        return f"hush +{self.core}/#%@:"

    def url(self, password: str | None = None) -> str:
        secret = quote(self.password if password is None else password, safe="")
        return self.server.replace("postgres:@", f"{self.name}:{secret}@")


@pytest.fixture
def role(postgres_schema: str) -> Role:
    core = uuid4().hex
    role = Role(f"reader_{core[::-1]}", core, postgres_schema)
    rows = list(houses().itertuples(index=False, name=None))
    with psycopg.connect(postgres_schema, autocommit=True) as db:
        db.execute("CREATE TABLE houses (id int8, size float8, town text, price float8)")
        db.cursor().executemany("INSERT INTO houses VALUES (%s, %s, %s, %s)", rows)
        db.execute(f"CREATE ROLE {role.name} LOGIN PASSWORD '{role.password}'")
        (schema,) = db.execute("SELECT current_schema()").fetchone()
        db.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role.name}")
        db.execute(f"GRANT SELECT ON houses TO {role.name}")
        demand_password(db, role)
    return role


def demand_password(db: psycopg.Connection, role: Role) -> None:
    """Let the server, which trusts everybody, refuse a wrong password of `role`."""
    (name,) = db.execute("SHOW hba_file").fetchone()
    rules = [f"local all {role.name} scram-sha-256", f"host all {role.name} all scram-sha-256"]
    Path(name).write_text("\n".join([*rules, Path(name).read_text()]))
    db.execute("SELECT pg_reload_conf()")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            psycopg.connect(role.url("wrong")).close()
        except psycopg.OperationalError as error:
            assert "password authentication failed" in str(error)  # noqa: PT017
            return
        time.sleep(0.05)
    pytest.fail("the server does not ask for a password")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".dagster").mkdir()
    return tmp_path


class Reading(Houses):
    """Its sources come through both drivers: Arrow knows no `inet`, so SQLAlchemy takes over."""

    train_dataset_sources = {
        **query("select * from houses", "pg"),
        "visitors": {"source": "pg", "query": "select '10.0.0.1'::inet as address"},
    }
    batch_predict_dataset_sources = query("select id, size, town from houses", "pg")


class Refused(Reading):
    train_dataset_sources = query("select sice from houses", "pg")


def project_of(home: Path, role: Role, provider: type[Houses]) -> Project:
    """A project that reads from the server as `role`, and keeps what Dagster keeps below `home`."""
    settings = {"databases": {"pg": role.url()}, "datasource_cache": "cache"}
    project = Project(home, [provider], settings)
    project.instance = dg.DagsterInstance.local_temp(str(home / ".dagster"))
    return project


def test_a_password_that_was_used_is_nowhere(home, role, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    project = project_of(home, role, Reading)
    project.run(*ALL)
    assert project.metadata("houses/raw/houses")["dagster/row_count"] == 400
    assert "SQLAlchemy takes over" in caplog.text
    assert {path.suffix for path in home.rglob("*") if path.is_file()} >= KINDS
    texts = told(project, [], caplog, capfd)
    assert found("postgresql://***@", texts)  # where it would be, if it were anywhere
    assert found(role.core, texts) == []


@pytest.mark.parametrize("selection", ["sources/houses/houses", "houses/*"])
def test_a_password_is_nowhere_after_a_query_that_the_server_refuses(
    home, role, caplog, capfd, selection
):
    caplog.set_level(logging.DEBUG)
    project = project_of(home, role, Refused)
    refusal = "'pg'.*//\\*\\*\\*@.*\"sice\" does not exist"
    with pytest.raises(SourceError, match=refusal) as failure:
        project.run(selection)
    texts = told(project, chain(failure.value), caplog, capfd)
    assert found("STEP_FAILURE", texts)
    assert found(role.core, texts) == []
