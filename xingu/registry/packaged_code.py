"""Import the project's modules that a model package holds, apart from all others of their names.

The modules of a package are imported below a name that their content decides, as
``xingu_package_<digest>.dataproviders.one``. Packages of different commits therefore never share a
module, and packages with the same code share all of them. Absolute imports in their source
(``from dataproviders._shared import f``) are resolved in the package first: CPython calls the
`__import__` of a module's own `__builtins__`. Pickles name modules as the project did; `aliased`
resolves these names while they are read.
"""

import ast
import builtins
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any, ClassVar

from xingu.provider.project_code import PACKAGED, find_module, imported_source
from xingu.provider.syntax import parse
from xingu.registry.missing_modules import MissingModule

_lock = threading.RLock()


class PackagedCode(Loader):
    """The modules of one package.

    Args:
        sources: Sources by relative path, for example ``dataproviders/_shared.py``.
        place: Folder or URL of these files, for tracebacks.

    Attributes:
        sources: The sources.
        prefix: Name of the package that its modules are imported below.
    """

    def __init__(self, sources: Mapping[str, bytes], place: str) -> None:
        self.sources = dict(sources)
        self._place = place
        digest = blake2b(digest_size=8)
        for path, source in sorted(self.sources.items()):
            digest.update(b"%s\0%d\0%s" % (path.encode(), len(source), source))
        self.prefix = PACKAGED + digest.hexdigest()
        self._paths = {_module_name(path): path for path in self.sources}
        self._packages = {""}
        for name, path in self._paths.items():
            parts = name.split(".")
            end = len(parts) + path.endswith("__init__.py")
            self._packages |= {".".join(parts[:count]) for count in range(1, end)}
        _finder.codes.setdefault(self.prefix, self)

    @property
    def modules(self) -> list[str]:
        """Names of the modules in the project."""
        return list(self._paths)

    def __contains__(self, name: str) -> bool:
        return name in self._paths or (name in self._packages and name != "")

    def load(self, name: str) -> ModuleType:
        """Import the module that the project calls `name`."""
        return import_module(f"{self.prefix}.{name}")

    def changed_modules(self, *known: str) -> list[str]:
        """Return modules whose code in the project differs, without comments; `known` are not."""
        changed = []
        for name, path in self._paths.items():
            spec = find_module(name)
            source = imported_source(spec) if spec and name not in known else None
            trained = self.sources[path]
            if source not in (None, trained) and _dump(source) != _dump(trained):
                changed.append(name)
        return changed

    @contextmanager
    def aliased(self) -> Iterator[None]:
        """Resolve the project's names of the modules in the package, for all threads."""
        with _lock:
            hidden = {name: sys.modules.pop(name) for name in [*sys.modules] if name in self}
            finder = _AliasFinder(self)
            sys.meta_path.insert(0, finder)
            try:
                yield
            finally:
                sys.meta_path.remove(finder)
                for name in [name for name in sys.modules if name in self]:
                    del sys.modules[name]
                sys.modules.update(hidden)

    # -- import protocol ----------------------------------------------------------------------

    def spec(self, name: str) -> ModuleSpec | None:
        """Return the spec of a module of the package, by the project's name of it."""
        if name not in self and name != "":
            return None
        full = f"{self.prefix}.{name}".rstrip(".")
        spec = spec_from_loader(full, self, is_package=name in self._packages)
        if spec is not None and name in self._paths:
            spec.origin = f"{self._place}/{self._paths[name]}"
            spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Execute the source of a module."""
        name = module.__name__[len(self.prefix) + 1 :]
        path = self._paths.get(name)
        if path is None:
            return
        tree = parse(self.sources[path])
        importer = partial(self._import, str(module.__file__), _optional_imports(tree.body))
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": importer}
        exec(compile(tree, str(module.__file__), "exec", dont_inherit=True), vars(module))  # noqa: S102

    def get_source(self, fullname: str) -> str | None:
        """Return the source of a module, for tracebacks and `inspect`."""
        path = self._paths.get(fullname[len(self.prefix) + 1 :])
        return self.sources[path].decode() if path else None

    def _import(
        self,
        file: str,
        optional: frozenset[int],
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002
        *others: Any,
        **named: Any,
    ) -> Any:
        """Do what the statement `import` asks for in a module of the package."""
        _, wanted, level = _arguments(*others, **named)
        if level == 0 and name in self:
            module = self.load(name)
            for item in wanted:
                if f"{name}.{item}" in self and not hasattr(module, item):
                    self.load(f"{name}.{item}")
            return module if wanted else self.load(name.partition(".")[0])
        try:
            return builtins.__import__(name, globals, None, wanted, level)
        except ImportError as error:
            line = sys._getframe(1).f_lineno
            if level or "*" in wanted or line not in optional:
                raise
            bound = name if wanted else name.partition(".")[0]
            return MissingModule(bound, f"{file}, line {line},", str(error))


class _Finder(MetaPathFinder):
    """Finds the modules of all packages that this process has loaded."""

    codes: ClassVar[dict[str, PackagedCode]] = {}

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        prefix, _dot, name = fullname.partition(".")
        return self.codes[prefix].spec(name) if prefix in self.codes else None


class _AliasFinder(MetaPathFinder, Loader):
    """Finds modules of a package under the names that they have in the project."""

    def __init__(self, code: PackagedCode) -> None:
        self._code = code

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in self._code else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._code.load(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        # The import system has set the spec of the alias.
        module.__spec__ = self._code.spec(module.__name__.partition(".")[2])


_finder = _Finder()
sys.meta_path.append(_finder)


def original_name(module: str) -> str:
    """Return the project's name of a module, also of one that a package was the source of."""
    return module.partition(".")[2] if module.startswith(PACKAGED) else module


def sources_of(module: str) -> Mapping[str, bytes]:
    """Return all sources of the package that a module was imported from."""
    return _finder.codes[module.partition(".")[0]].sources


def _dump(source: bytes) -> str:
    return ast.dump(parse(source))


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _arguments(
    locals: Any = None,  # noqa: A002
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> tuple[Any, Sequence[str], int]:
    return locals, fromlist or (), level


def _optional_imports(body: Sequence[ast.stmt]) -> frozenset[int]:
    """Return the lines of imports at the top of a module, without those whose failure is caught."""
    lines = set[int]()
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines.add(node.lineno)
        elif isinstance(node, ast.If):
            lines |= _optional_imports(node.body) | _optional_imports(node.orelse)
    return frozenset(lines)
