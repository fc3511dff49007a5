"""Parse Python code, one thread at a time.

CPython before 3.11.8 and 3.12.2 counts the recursion of `ast.parse` once for all threads, so two
that parse at the same time fail with a SystemError (python/cpython, issue 106905).
"""

import ast
import inspect
import threading

_parsing = threading.RLock()


def parse(source: str | bytes) -> ast.Module:
    """Return the syntax tree of a module.

    Raises:
        SyntaxError: If it is no Python code.
    """
    with _parsing:
        return ast.parse(source)


def text_of_class(cls: type) -> str:
    """Return the text that declares a class, which `inspect` finds by parsing its module.

    Raises:
        OSError: If there is no such text.
        TypeError: If the class is built in.
    """
    with _parsing:
        return inspect.getsource(cls)
