"""Version of the code of a DataProvider, for stale assets.

It is a hash of syntax trees, so comments and formatting do not change it. It covers the class, its
base classes in the project, and the code of their modules outside classes; imported modules and
other classes are not covered.
"""

import ast
import hashlib
import inspect
import sys
from functools import cache
from pathlib import Path
from types import FunctionType

from xingu.provider.base import DataProvider


@cache
def code_version(cls: type[DataProvider]) -> str:
    """Return a hash of the code of `cls`: 12 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=6)
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] in {"xingu", "builtins"}:
            continue
        digest.update(_class_code(base).encode())
    return digest.hexdigest()


def source_file(cls: type[DataProvider]) -> Path | None:
    """Return the file that declares `cls`; None for a class made in a notebook or at a prompt."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Path(file) if file and Path(file).is_file() else None


def _class_code(cls: type) -> str:
    file = source_file(cls)
    if file is not None and file.suffix == ".py":  # a class of plain data names another file
        shared, classes = _module_code(file, file.stat().st_mtime_ns)
        if cls.__qualname__ in classes:
            return shared + classes[cls.__qualname__]
    try:
        return ast.dump(ast.parse(inspect.cleandoc(inspect.getsource(cls))))
    except (OSError, TypeError, SyntaxError):
        # A class made by a call of `type()` has no source; its members are hashed.
        return repr(sorted((name, _member(value)) for name, value in vars(cls).items()))


def _member(value: object) -> str:
    if isinstance(value, FunctionType):
        return f"{value.__code__.co_code!r}{value.__code__.co_names}"
    # The address in a default repr would differ in every process.
    return repr(value) if type(value).__repr__ is not object.__repr__ else type(value).__name__


@cache
def _module_code(file: Path, _modified: int) -> tuple[str, dict[str, str]]:
    """Return dumps of the code of a module outside classes, and of each top-level class by name."""
    tree = ast.parse(file.read_bytes())
    classes = {node.name: ast.dump(node) for node in tree.body if isinstance(node, ast.ClassDef)}
    shared = [ast.dump(node) for node in tree.body if not isinstance(node, ast.ClassDef)]
    return "".join(shared), classes
