"""Threads of a Coach parse the code of their DataProviders at the same time."""

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xingu.provider import base
from xingu.provider.syntax import parse, text_of_class

SOURCE = Path(base.__file__).read_text()


def test_threads_that_parse_at_the_same_time_get_the_tree():
    expected = ast.dump(ast.parse(SOURCE))
    with ThreadPoolExecutor(8) as pool:
        trees = [*pool.map(parse, [SOURCE] * 40)]
        texts = [*pool.map(text_of_class, [base.DataProvider] * 40)]
    assert {ast.dump(tree) for tree in trees} == {expected}
    assert set(texts) == {text_of_class(base.DataProvider)}


def test_what_is_no_code_is_a_syntax_error():
    with pytest.raises(SyntaxError):
        parse("class :")


class Declared:
    """A class with a text."""


@pytest.fixture
def disturbed(monkeypatch):
    """The first calls of `ast.parse` fail, as beside another thread under CPython 3.11.7."""
    left, undisturbed = [True, True], ast.parse

    def fail(*arguments, **named):
        if left:
            left.pop()
            raise SystemError("AST constructor recursion depth mismatch (before=75, after=137)")
        return undisturbed(*arguments, **named)

    monkeypatch.setattr(ast, "parse", fail)


@pytest.mark.usefixtures("disturbed")
def test_a_module_is_parsed_again():
    assert isinstance(parse("1 + 1").body[0], ast.Expr)


@pytest.mark.usefixtures("disturbed")
def test_the_text_of_a_class_is_looked_for_again():
    assert text_of_class(Declared).startswith("class Declared")
