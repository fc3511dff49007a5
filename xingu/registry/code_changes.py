"""Compare the code that two model packages hold: files, and the classes and hooks in them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from upath import UPath

from xingu.provider.syntax import parse
from xingu.registry.package_code import CODE

Kind = Literal["added", "removed", "changed", "comments only"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs.

    Attributes:
        file: Path in the project.
        kind: How it differs; ``comments only``: nothing that is executed does.
        members: Functions, classes, hooks (``Class.hook``) and other names that differ; each with
            a sign before it: ``+`` added, ``-`` removed, ``~`` changed.
    """

    file: str
    kind: Kind
    members: list[str] = field(default_factory=list)


def code_changes(before: UPath, after: UPath) -> list[FileChange]:
    """Return the files that differ between the code of two packages, sorted."""
    old, new = _sources_in(before), _sources_in(after)
    return [
        _change(file, old.get(file), new.get(file))
        for file in sorted(old.keys() | new.keys())
        if old.get(file) != new.get(file)
    ]


def _sources_in(package: UPath) -> dict[str, bytes]:
    folder = package / CODE
    return {
        path.path.removeprefix(folder.path).strip("/"): path.read_bytes()
        for path in folder.rglob("*.py")
    }


def _change(file: str, old: bytes | None, new: bytes | None) -> FileChange:
    if old is None or new is None:
        return FileChange(file, "added" if old is None else "removed")
    before, after = (dict(_members(parse(source).body)) for source in (old, new))
    members = [
        f"{'~' if name in before and name in after else '+' if name in after else '-'} {name}"
        for name in dict.fromkeys([*after, *before])
        if before.get(name) != after.get(name)
    ]
    return FileChange(file, "changed" if members else "comments only", members)


def _members(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, str]]:
    """Yield dumps of the parts of a module or a class, by name."""
    rest = []
    for node in body:
        if isinstance(node, ast.ClassDef) and not owner:
            yield from _members(node.body, f"{node.name}.")
            yield node.name, ast.dump(ast.ClassDef(node.name, node.bases, node.keywords, [], []))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{owner}{node.name}", ast.dump(node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield f"{owner}{node.targets[0].id}", ast.dump(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield f"{owner}{node.target.id}", ast.dump(node)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            rest.append(ast.dump(node))  # a docstring is no code
    if rest:
        yield f"{owner}(other statements)", "".join(rest)
