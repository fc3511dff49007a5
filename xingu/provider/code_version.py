"""Version of the code of a DataProvider, for stale assets.

It is a hash of syntax trees, so comments and formatting do not change it, nor do owners and the
settings of steps. It covers the class, its base classes in the project, and the code of their
modules outside classes; imported modules and other classes are not covered.
"""

import ast
import hashlib
import inspect
from functools import cache
from types import FunctionType

from xingu.provider.base import DataProvider
from xingu.provider.class_source import WITHOUT_EFFECT, code_of, source_of
from xingu.provider.syntax import parse, text_of_class


@cache
def code_version(cls: type[DataProvider]) -> str:
    """Return a hash of the code of `cls`: 12 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=6)
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] in {"xingu", "builtins"}:
            continue
        digest.update(_class_code(base).encode())
    return digest.hexdigest()


def _class_code(cls: type) -> str:
    if found := source_of(cls):
        module, own = found
        return module.shared + own.code
    try:
        tree = parse(inspect.cleandoc(text_of_class(cls))).body[0]
        return code_of(tree) if isinstance(tree, ast.ClassDef) else ast.dump(tree)
    except (OSError, TypeError, SyntaxError):
        # A class made by a call of `type()` has no source; its members are hashed.
        members = {name: one for name, one in vars(cls).items() if name not in WITHOUT_EFFECT}
        return repr(sorted((name, _member(value)) for name, value in members.items()))


def _member(value: object) -> str:
    if isinstance(value, FunctionType):
        return f"{value.__code__.co_code!r}{value.__code__.co_names}"
    # The address in a default repr would differ in every process.
    return repr(value) if type(value).__repr__ is not object.__repr__ else type(value).__name__
