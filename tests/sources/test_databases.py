"""Databases by nickname: identity, and what can be wrong before a query runs."""

import socket

import pytest
from pydantic import SecretStr

from xingu.errors import MissingFileError, SettingsError, SourceError, UnknownDatabaseError
from xingu.sources import Databases, parse_sources


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.parametrize("adbc", [True, False])
@pytest.mark.parametrize("url", ["sqlite:///no.db", "duckdb:///no.db"])
def test_a_database_file_that_does_not_exist_is_not_made(tmp_path, url, adbc):
    databases = Databases({"db": url}, tmp_path, adbc=adbc)
    with (
        pytest.raises(MissingFileError, match="there is no such file; create it") as caught,
        databases.connect("db"),
    ):
        pass
    assert str(tmp_path / "no.db") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "a.db").write_bytes(b"no database" * 1000)
    databases = Databases({"s": "sqlite:///a.db", "d": "duckdb:///a.db"}, tmp_path)
    for nickname in "sd":
        with (
            pytest.raises(SourceError, match=f"'{nickname}'.*not a"),
            databases.connect(nickname) as connection,
        ):
            connection.query("SELECT * FROM t")


@pytest.mark.parametrize("adbc", [True, False])
def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path, adbc):
    url = f"postgresql://ann:s3cret@127.0.0.1:{free_port()}/sales"
    databases = Databases({"dw": SecretStr(url)}, tmp_path, adbc=adbc)
    with pytest.raises(SourceError) as caught, databases.connect("dw"):
        pass
    message = str(caught.value)
    assert "the database 'dw' (postgresql://***@127.0.0.1" in message
    assert "cannot be reached" in message
    assert "refused" in message
    assert "s3cret" not in message
    assert caught.value.__cause__ is None


def test_a_database_without_a_driver_says_so(tmp_path):
    databases = Databases({"a": "nosuchdb://host/x", "b": "mysql+pymysql://host/x"}, tmp_path)
    for nickname in "ab":
        with (
            pytest.raises(SourceError, match="Install the Python driver"),
            databases.connect(nickname),
        ):
            pass


def test_a_malformed_url_is_never_shown(tmp_path):
    databases = Databases({"dw": "postgresql//ann:s3cret@host"}, tmp_path)
    specs = parse_sources("p", "a", {"x": {"source": "dw", "query": "SELECT 1"}})
    with pytest.raises(SettingsError) as caught:
        databases.check("p", "a", specs)
    assert "'dw' is malformed" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_an_unknown_nickname_is_refused_before_anything_is_read(tmp_path):
    databases = Databases({"warehouse": "sqlite:///w.db", "xingu": "sqlite:///x.db"}, tmp_path)
    specs = parse_sources("p", "train_dataset_sources", {"x": {"source": "warehose", "query": "q"}})
    with pytest.raises(UnknownDatabaseError) as caught:
        databases.check("p", "train_dataset_sources", specs)
    assert str(caught.value) == (
        "p.train_dataset_sources['x']: no database is called 'warehose'; known: warehouse, xingu. "
        "Did you mean 'warehouse'?"
    )
    with pytest.raises(UnknownDatabaseError, match="known: none"):
        Databases({}, tmp_path).check("p", "a", specs)


def test_the_identity_has_an_absolute_path_and_no_secret(tmp_path):
    urls = {
        "file": "sqlite:///data/a.db",
        "memory": "duckdb:///:memory:",
        "server": "postgresql+psycopg://ann:s3cret@host:5/sales?sslmode=require&sslpassword=s3cret",
        "host": "postgres://ann:s3cret@host/sales",
    }
    databases = Databases(urls, tmp_path)
    assert databases.identity("file") == f"sqlite:///{tmp_path}/data/a.db"
    assert databases.identity("memory") == "duckdb:///:memory:"
    server = "postgresql+psycopg://ann@host:5/sales?sslmode=require"
    assert databases.identity("server") == server
    assert databases.identity("host") == "postgresql://ann@host/sales"
    assert "s3cret" not in repr(databases)


@pytest.mark.parametrize("password", ["s3cret", "x@s3cret", "a/s3cret", "a?s3cret#b", "s3cret%40"])
def test_the_address_shows_no_user_password_or_unknown_parameter(tmp_path, password):
    url = f"postgres://ann:{password}@host:5/sales?sslmode=require&pool=s3cret&sslpassword=s3cret"
    databases = Databases({"server": url, "file": "sqlite:///a@b#1.db"}, tmp_path)
    shown = "postgresql://***@host:5/sales?sslmode=require&pool=***&sslpassword=***"
    assert databases.address("server") == shown
    assert databases.address("file") == f"sqlite:///{tmp_path}/a@b#1.db"
