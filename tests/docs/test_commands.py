"""Commands on the pages exist, with the options that the pages give them."""

import json
import re
import shlex
import tomllib
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise

import click
import pytest
from dagster._cli import create_dagster_cli
from dagster_dg_cli.cli import create_dg_cli

from tests.docs.pages import PAGES, ROOT, blocks, prose
from xingu_dagster.cli.main import xingu
from xingu_dagster.cli.settings import settings_options
from xingu_dagster.scaffold import TEMPLATES

PROGRAMS = {"xingu": xingu, "dagster": create_dagster_cli(), "dg": create_dg_cli()}
OTHERS = {".", "cd", "export", "curl", "cp", "docker", "openssl", "uvicorn"}
"""Programs whose arguments are not looked at."""
EXTRAS = {
    extra
    for path in (ROOT / "pyproject.toml", ROOT / "core" / "pyproject.toml")
    if path.exists()
    for extra in tomllib.loads(path.read_text())["project"]["optional-dependencies"]
}
MAKEFILES = (ROOT / "Makefile", TEMPLATES / "project" / "Makefile")
TARGETS = {
    target
    for path in MAKEFILES
    for target in re.findall(r"^([\w-]+):", path.read_text(), re.MULTILINE)
}
"""Of this repository, and of a project that `xingu init` makes."""


def commands(text: str) -> list[list[str]]:
    """Return the words of each command of a block; settings before it are left out."""
    text = text.replace("\\\n", " ").replace(" && ", "\n")
    lines = (shlex.split(line, comments=True) for line in text.splitlines())
    found = []
    for words in lines:
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        if words:
            found.append([words[0].removeprefix(".venv/bin/"), *words[1:]])
    return found


def parse(program: str, arguments: list[str]) -> click.Context:
    """Parse a command line down to its last sub-command, without doing anything."""
    command = PROGRAMS[program]
    path = program
    rest = list(arguments)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        if path == "dg scaffold defs":  # its sub-commands are the components of a project
            module, _, name = rest[0].rpartition(".")
            assert hasattr(import_module(module), name), rest[0]
            return click.Context(command)
        path = f"{path} {rest[0]}"
        command = command.get_command(click.Context(command), rest.pop(0))
        assert command is not None, f"there is no command {path}"
    if isinstance(command, click.Group):
        assert command.invoke_without_command, f"{path} needs a sub-command"
    return command.make_context(path, rest)


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_commands_of_a_block_can_be_parsed(block):
    for program, *arguments in commands(block.text):
        if program in PROGRAMS:
            check(parse(program, arguments))
        elif program == "make":
            assert set(arguments) <= TARGETS
        elif program == "python":
            name = arguments[1] if arguments[0] == "-m" else arguments[0]
            assert find_spec(name) if arguments[0] == "-m" else (ROOT / name).exists()
        elif program == "pip":
            assert arguments[0] == "install"
        else:
            assert program in OTHERS, block


def check(context: click.Context) -> None:
    """Modules that a command names exist, and what is JSON is JSON."""
    for value in context.params.values():
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and text.startswith("xingu_dagster."):
                assert find_spec(text)
            if isinstance(text, str) and text.startswith("{"):
                json.loads(text)


COMMAND = re.compile(r"`((?:xingu|dagster|make) [^`]*)`")
OPTION = re.compile(r"`(--[a-z-]+)")
EXTRA = re.compile(r"xingu(?:-core)?\[([\w,]+)\]['`\"]")


@pytest.mark.parametrize("pattern", [COMMAND, OPTION, EXTRA])
def test_the_pages_have_what_these_tests_look_for(pattern):
    assert sum(len(pattern.findall(page.read_text())) for page in PAGES.values()) >= 5


@pytest.mark.parametrize("page", PAGES)
def test_commands_within_a_sentence_name_what_exists(page):
    for code in COMMAND.findall(prose(page)):
        program, *words = " ".join(code.split()).split()
        if program == "make":
            assert set(words) <= TARGETS, code
            continue
        command = PROGRAMS[program]
        for before, word in pairwise(["", *words]):
            if word.startswith("--"):
                assert word in options(command), code
            elif isinstance(command, click.Group) and "-" not in (before[:1], word[:1]):
                command = command.get_command(click.Context(command), word)
                assert command is not None, code


@pytest.mark.parametrize("page", PAGES)
def test_options_within_a_sentence_exist_in_some_command(page):
    known = set().union(*map(options, every(xingu)))
    known |= {"--config-json", "--workers"}  # of dagster, of uvicorn
    for option in OPTION.findall(prose(page)):
        assert option in known, option


def options(command: click.Command) -> set[str]:
    """Return the options of a command; those of `xingu` that are settings are made on demand."""
    lazy = settings_options() if command is xingu else []
    return {name for one in [*command.params, *lazy] for name in (*one.opts, *one.secondary_opts)}


def every(command: click.Command):
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if found := command.get_command(context, name):
                yield from every(found)


@pytest.mark.parametrize("page", PAGES)
def test_extras_that_a_page_installs_are_declared(page):
    for names in EXTRA.findall(PAGES[page].read_text()):
        assert set(names.split(",")) <= EXTRAS
