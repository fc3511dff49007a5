"""Files and functions stay small, so that each can be read in one go."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("xingu", "xingu_dagster", "dataproviders", "demo", "benchmarks", "tests")
FILES = sorted(
    path
    for folder in FOLDERS
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


def test_files_have_at_most_400_lines():
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in FILES}
    assert lines
    assert [f"{name}: {count} lines" for name, count in lines.items() if count > MAX_FILE] == []


def test_functions_have_at_most_40_lines_and_6_parameters():
    offenders = []
    for path in FILES:
        for node in functions(path):
            place = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
            if (count := body_lines(node)) > MAX_BODY:
                offenders.append(f"{place}: {count} lines")
            if (count := parameters(node)) > MAX_PARAMETERS:
                offenders.append(f"{place}: {count} parameters")
    assert offenders == []
