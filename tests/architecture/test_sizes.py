"""Files and functions stay small, so that each can be read in one go."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("xingu", "xingu_dagster", "dataproviders", "demo", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "results" not in path.parts
)
MAX_FILE, MAX_BODY, MAX_PARAMETERS = 400, 40, 6


def functions(path):
    return [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def body_lines(function):
    """Lines of the body without its docstring."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def parameters(function):
    names = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([name for name in names if name.arg not in ("self", "cls")])


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_file_has_at_most_400_lines(path):
    assert len(path.read_text().splitlines()) <= MAX_FILE


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_function_has_at_most_40_lines_and_6_parameters(path):
    long = [node.name for node in functions(path) if body_lines(node) > MAX_BODY]
    wide = [node.name for node in functions(path) if parameters(node) > MAX_PARAMETERS]
    assert (long, wide) == ([], [])
