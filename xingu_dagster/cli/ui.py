"""The command `xingu ui`: start Dagster's UI and daemon for the project."""

import os
import socket
import sys
from typing import Any

import click

from xingu.config import Settings
from xingu.errors import SettingsError
from xingu_dagster.cli.settings import SettingsCommand, use_flags


@click.command(cls=SettingsCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True,
              help="Port to listen on.")  # fmt: skip
@click.pass_context
def ui(context: click.Context, /, host: str, port: int, **flags: Any) -> None:
    """Open the Dagster UI of the project.

    It shows the runs of the command and of `Coach`, and runs schedules and sensors. Ctrl-C ends it.
    This is `dagster dev` on the instance of the project.
    """
    use_flags(context, flags)
    home = Settings.load().project_home.resolve()
    _check_port(host, port)
    from xingu_dagster.instance import instance_folder

    folder = instance_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(folder)
    os.chdir(home)
    project = [] if (home / "workspace.yaml").exists() else ["-m", "xingu_dagster.definitions"]
    arguments = ["dev", *project, "--host", host, "--port", str(port)]
    click.echo(f"Dagster UI of {home}: http://{host}:{port}", err=True)
    sys.stderr.flush()
    quiet = "ignore:Function `dev_command` is superseded"  # `dg` is not required
    os.execv(sys.executable, [sys.executable, "-W", quiet, "-m", "dagster", *arguments])  # noqa: S606


def _check_port(host: str, port: int) -> None:
    """Refuse a port that cannot be used; Dagster would log that after seconds, and go on without.

    Raises:
        SettingsError: If nothing can listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            raise SettingsError(
                f"Port {port} of {host} cannot be used ({error.strerror or error}); is the UI open "
                "already? Else give another --port."
            ) from None
