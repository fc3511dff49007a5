"""Parse Python code, also in several threads at once.

CPython before 3.11.8 and 3.12.2 counts the recursion of `ast.parse` once for all threads, so two
that parse at the same time fail with a SystemError (python/cpython, issue 106905). Our own threads
take turns. Libraries parse, too, while they are imported in another thread: then we parse again.
"""

import ast
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any

ATTEMPTS = 20
_parsing = threading.RLock()


def parse(source: str | bytes) -> ast.Module:
    """Return the syntax tree of a module.

    Raises:
        SyntaxError: If it is no Python code.
    """
    return _undisturbed(ast.parse, source)


def text_of_class(cls: type) -> str:
    """Return the text that declares a class, which `inspect` finds by parsing its module.

    Raises:
        OSError: If there is no such text.
        TypeError: If the class is built in.
    """
    return _undisturbed(inspect.getsource, cls)


def _undisturbed(function: Callable[..., Any], argument: Any) -> Any:
    with _parsing:
        for _ in range(ATTEMPTS - 1):
            try:
                return function(argument)
            except SystemError:
                time.sleep(0.01)
        return function(argument)
