"""The source of classes: their code as text, and the lines that declare them and their members.

Each file is parsed once. Nested classes, and those of a prompt or a notebook, have no source here.
"""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType

from xingu.provider.project_code import imported_source
from xingu.provider.syntax import parse

WITHOUT_EFFECT = frozenset({"batch_predict_when", "dagster", "golden_rows", "owners", "retrain"})
"""Attributes that change neither a model nor its estimations."""


@dataclass(frozen=True, slots=True)
class ClassSource:
    """A top-level class of a file.

    Attributes:
        code: See `code_of`.
        line: Line of the statement ``class``.
        members: Line of each method and attribute of its body by name, and of each entry of an
            attribute that is a dict: ``checks['leakage']``.
    """

    code: str
    line: int
    members: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ModuleSource:
    """A file: dumps of its code outside classes, and its top-level classes by name."""

    shared: str
    classes: Mapping[str, ClassSource]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; None if only the file is known."""

    file: Path
    line: int | None = None


@cache
def source_file(cls: type) -> Path | None:
    """Return the absolute path of the file that declares `cls`; None for a class of a prompt."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Path(file).absolute() if file and Path(file).is_file() else None


@cache
def source_of(cls: type) -> tuple[ModuleSource, ClassSource] | None:
    """Return the sources of the module of `cls` and of itself; None if it has none."""
    file = source_file(cls)
    if file is None or file.suffix != ".py":  # a class of plain data names another file
        return None
    spec = sys.modules[cls.__module__].__spec__
    module = _module_source((spec and imported_source(spec)) or file.read_bytes())
    found = module.classes.get(cls.__qualname__)
    return (module, found) if found else None


def place_of(cls: type, member: str | None = None, entry: str | None = None) -> Place | None:
    """Return where a class, or the member that instances of it have, is declared.

    Args:
        cls: The class.
        member: Name of a method or attribute, which a base class may declare; None: the class.
        entry: Key of an attribute that is a dict; the line of the attribute if it is not found.
    """
    owner = cls if member is None else owner_of(cls, member)
    file = source_file(owner) if owner else None
    if owner is None or file is None:
        return None
    found, line = source_of(owner), None
    if found:
        lines = found[1].members
        line = lines.get(member) if member else found[1].line
        line = lines.get(f"{member}[{entry!r}]", line) if entry else line
    if line is None and member is not None:
        code = _code_of(vars(owner)[member])
        return Place(Path(code.co_filename), code.co_firstlineno) if code else Place(file)
    return Place(file, line)


def owner_of(cls: type, member: str) -> type | None:
    """Return the first class of the MRO whose body has `member`."""
    return next((base for base in cls.__mro__ if member in vars(base)), None)


def _code_of(member: object) -> CodeType | None:
    member = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return getattr(inspect.unwrap(member), "__code__", None) if callable(member) else None


def code_of(tree: ast.ClassDef) -> str:
    """Return a dump of a class that comments, formatting, and `WITHOUT_EFFECT` do not change."""
    kept = copy(tree)
    kept.body = [one for one in tree.body if not WITHOUT_EFFECT.intersection(_assigned(one))]
    return ast.dump(kept)


def _assigned(node: ast.AST) -> list[str]:
    """Return the names that a statement assigns to."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = (one for target in targets for one in ast.walk(target))
    return [one.id for one in names if isinstance(one, ast.Name)]


@cache
def _module_source(source: bytes) -> ModuleSource:
    tree = parse(source)
    classes = {
        node.name: ClassSource(code_of(node), node.lineno, dict(_members(node)))
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    shared = [ast.dump(node) for node in tree.body if not isinstance(node, ast.ClassDef)]
    return ModuleSource("".join(shared), classes)


def _members(tree: ast.ClassDef) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found = _assigned(node)
            yield from ((name, node.lineno) for name in found)
            if isinstance(node.value, ast.Dict):
                keys = [one for one in node.value.keys if isinstance(one, ast.Constant)]
                yield from ((f"{found[0]}[{one.value!r}]", one.lineno) for one in keys if found)
