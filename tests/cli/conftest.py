"""The command in a project of trained toys."""

import sys

import pytest

from tests.support.trains import train_past, undone
from xingu_dagster.cli.main import main


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    return train_past(tmp_path_factory.mktemp("cli") / "home")


@pytest.fixture
def past(trained, monkeypatch):
    monkeypatch.setenv("PROJECT_HOME", str(trained.project.home))
    monkeypatch.setenv("XINGU_KEEP_VALUES", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with undone(trained.project.home):
        yield trained


@pytest.fixture
def call(capsys, monkeypatch):
    """Call the command in this process; gives the exit code, the output and the errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["xingu", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return call


@pytest.fixture
def output_of(call):
    """Call the command, which succeeds without a warning; gives the output."""

    def output_of(*arguments: str) -> str:
        code, output, errors = call(*arguments)
        assert (code, errors) == (0, "")
        return output

    return output_of
