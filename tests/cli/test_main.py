"""The command itself: help, sub-commands, completion, and settings as flags."""

import os
import socket
import subprocess
import sys

import click
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from xingu.config import ConfigManager, Settings
from xingu.config.fields import setting_flags
from xingu.errors import SettingsError
from xingu.version import __version__
from xingu_dagster.cli import train
from xingu_dagster.cli.main import COMMANDS, xingu
from xingu_dagster.cli.settings import settings_options

HEAVY = ("dagster", "pandas", "numpy", "pydantic", "rich", "sqlalchemy")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(monkeypatch):
    """Call the command; gives the settings that it would run with, and the command."""
    seen = []
    monkeypatch.setattr(
        train, "execute", lambda command, *_, **__: seen.append((command, Settings.load()))
    )

    def run(*arguments: str) -> tuple[str, Settings]:
        result = CliRunner().invoke(xingu, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return seen[-1]

    return run


def invoke(*arguments: str):
    return CliRunner().invoke(xingu, arguments, prog_name="xingu")


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(argument):
    code = (
        "import sys\nfrom xingu_dagster.cli.main import xingu\n"
        f"xingu([{argument!r}], standalone_mode=False)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert __version__ in done.stdout or "Commands:" in done.stdout


def test_the_help_has_every_command_with_its_own_short_help():
    context = click.Context(xingu)
    text = invoke("--help").output
    for name, (_, short) in COMMANDS.items():
        command = xingu.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(200).rstrip(".") == short.rstrip(".")
        assert f"\n  {name}" in text


def test_the_help_has_its_examples_as_lines():
    lines = [" ".join(line.split()) for line in invoke("--help").output.splitlines()]
    assert "xingu train --dps a,b train these" in lines


@pytest.mark.parametrize(
    ("wrong", "right"),
    [(["trian"], "train"), (["--dsp", "a"], "--dps"), (["tune", "--jsonn"], "--json")],
)
def test_a_wrong_name_is_a_usage_error_that_suggests_the_nearest(wrong, right):
    result = invoke(*wrong)
    assert result.exit_code == 2
    assert f"Did you mean '{right}'?" in result.output


def test_every_flag_of_a_setting_is_an_option():
    flags = {flag for field in Settings.model_fields.values() for flag in setting_flags(field)}
    options = settings_options()
    assert {part for flag in flags for part in flag.split("/")} == {
        name for option in options for name in (*option.opts, *option.secondary_opts)
    }


def test_the_line_of_xingu_2_has_no_sub_command(run):
    command, settings = run(
        *("--dps", "a,b", "--databases", "athena", "sqlite:///a.db", "--query-cache-path", "data"),
        *("--trained-models-path", "packages", "--no-batch-predict", "--hyperopt-strategy", "self"),
        *("--parallel-train-max-workers", "3", "--save-sets", "--commit-inventory"),
    )
    assert command == "default"
    assert settings.dataproviders == ("a", "b")
    assert settings.databases["athena"].get_secret_value() == "sqlite:///a.db"
    assert (settings.datasource_cache, settings.models) == ("data", "packages")
    assert (settings.batch_predict, settings.save_sets, settings.commit_inventory) == (
        False, True, True)  # fmt: skip
    assert (settings.hyperopt_strategy, settings.train_workers) == ("self", 3)


def test_a_flag_wins_over_the_environment_and_ends_with_the_command(run, project, monkeypatch):
    monkeypatch.setenv("TRAINED_MODELS_PATH", "of_the_environment")
    (project / ".env").write_text("PLOTS_PATH=of_the_file\n")
    _, settings = run("train", "--trained-models-path", "a", "--plots-path", "b")
    assert (settings.models, settings.plots) == ("a", "b")
    after = Settings.load()
    assert (after.models, after.plots) == ("of_the_environment", "of_the_file")
    assert "TRAINED_MODELS_PATH" not in ConfigManager.cache


def test_databases_of_flags_are_added_to_those_of_the_environment(run, project):
    (project / ".env").write_text("DATABASES=a|sqlite:///old.db|b|sqlite:///b.db\n")
    _, settings = run("train", "--database", "a", "sqlite:///new.db", "--databases", "c", "x://")
    urls = {name: url.get_secret_value() for name, url in settings.databases.items()}
    assert urls == {"a": "sqlite:///new.db", "b": "sqlite:///b.db", "c": "x://"}


def test_the_files_of_a_model_without_code_are_all_kept_if_the_flag_is_repeated(run):
    line = ("--simpledp-id", "prices", "--simpledp-train-datasource", "a.csv")
    _, settings = run(*line, "--simpledp-train-datasource", "b.parquet|c.json")
    assert settings.simpledp_train_datasource == ("a.csv", "b.parquet", "c.json")


def test_settings_before_the_sub_command_hold_for_it(run):
    command, settings = run("--dps", "a", "--debug", "tune")
    assert (command, settings.dataproviders, settings.debug) == ("tune", ("a",), True)


def test_without_arguments_it_trains_only_what_the_settings_name(run, monkeypatch):
    assert "Commands:" in invoke().output
    monkeypatch.setenv("DATAPROVIDER_LIST", "a")
    assert run()[0] == "default"


@pytest.mark.parametrize("number", ["-1", "many"])
def test_a_number_out_of_range_is_a_usage_error(number):
    assert invoke("train", "--parallel-train-max-workers", number).exit_code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_a_script_that_completes(shell, monkeypatch):
    monkeypatch.setattr(BashComplete, "_check_version", staticmethod(lambda: None))
    assert "_XINGU_COMPLETE" in invoke("completion", shell).output


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        ([], "tr", ["train"]),
        (["train"], "--hyperopt-s", ["--hyperopt-strategy"]),
        (["--debug"], "--dps-f", ["--dps-folder"]),
        (["train", "--dps"], "a,", ["a,a", "a,b"]),
    ],
)
def test_commands_flags_and_ids_are_completed(words, incomplete, expected, project):
    folder = project / "dataproviders"
    folder.mkdir()
    folder.joinpath("m.py").write_text("class A:\n    id = 'a'\nclass B:\n    id: str = \"b\"\n")
    found = BashComplete(xingu, {}, "xingu", "_XINGU_COMPLETE").get_completions(words, incomplete)
    assert [item.value for item in found] == expected


def test_a_port_that_is_used_is_an_error_before_the_ui_starts(project, monkeypatch):
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("it was started"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = invoke("ui", "--port", str(port), "--project-home", str(project))
    assert isinstance(result.exception, SettingsError)
    assert f"Port {port} of 127.0.0.1 cannot be used" in str(result.exception)


def test_the_ui_is_that_of_the_project_and_of_its_runs(project, monkeypatch):
    started = []
    monkeypatch.setattr(os, "execv", lambda program, words: started.append(words))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    invoke("ui", "--port", "3131", "--project-home", str(project))
    assert started[0][started[0].index("-m") + 1 :] == [
        *("dagster", "dev", "-m", "xingu_dagster.definitions"),
        *("--host", "127.0.0.1", "--port", "3131"),
    ]
    assert os.environ.pop("DAGSTER_HOME") == str(project / ".dagster")
