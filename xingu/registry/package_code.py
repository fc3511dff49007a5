"""Write what a Model needs of the project's code into its package.

The sources of modules go below ``code/``, by the paths that imports resolve. Classes that no module
declares, because they were defined in a script, a notebook or a function, go into ``classes.pkl``.
"""

import logging
import mmap
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from xingu.errors import PortabilityError
from xingu.model import Model
from xingu.provider.pickles import portable_pickle
from xingu.provider.project_code import PACKAGED, is_project_spec, project_sources
from xingu.registry.packaged_code import PackagedCode, sources_of
from xingu.registry.provider_class import class_in
from xingu.registry.secrets_in_code import find_secrets

logger = logging.getLogger(__name__)

CODE, BY_VALUE, LEGACY_SOURCE = "code", "classes.pkl", "provider.py"


def write_code(model: Model, folder: Path) -> None:
    """Write the code of a Model into a package that has its pickles already.

    Raises:
        PortabilityError: If a class or a module of the project cannot be stored.
    """
    classes: dict[str, type] = {"provider": type(model.dp)}
    if model.estimator is not None:
        classes["estimator"] = type(model.estimator)
    local = {role: cls for role, cls in classes.items() if not _is_importable(cls, model.id)}
    if local:
        (folder / BY_VALUE).write_bytes(_pickled(local, model.id))
    modules = {base.__module__ for cls in classes.values() for base in cls.__mro__}
    modules |= set(_modules_in_pickles(folder))
    root = type(model.dp).__module__.partition(".")[0]
    sources: dict[str, bytes] = {}
    for name in [name for name in modules if name.startswith(PACKAGED)]:
        sources |= sources_of(name)
    sources |= project_sources(modules, {root} - {"__main__", "xingu"})
    for path, source in sources.items():
        file = folder / CODE / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(source)
        _warn_of_secrets(model.id, path, source)
    if local:
        _warn_of_secrets(model.id, BY_VALUE, (folder / BY_VALUE).read_bytes())


def read_code(folder: Path, place: str, module: str) -> PackagedCode | None:
    """Return the code of a package; None if it has none.

    Args:
        folder: Local folder of the package.
        place: Folder or URL of the package, for tracebacks.
        module: Module of the DataProvider, which older packages hold as ``provider.py``.
    """
    code = folder / CODE
    sources = {
        path.relative_to(code).as_posix(): path.read_bytes() for path in sorted(code.rglob("*.py"))
    }
    if not sources and (folder / LEGACY_SOURCE).is_file():
        sources = {f"{module.replace('.', '/')}.py": (folder / LEGACY_SOURCE).read_bytes()}
    return PackagedCode(sources, f"{place}/{CODE}") if sources else None


def _is_importable(cls: type, dp_id: str) -> bool:
    """Return whether a module declares a class under its own name."""
    module = sys.modules.get(cls.__module__)
    if module is None or cls.__module__ == "__main__" or getattr(module, "__spec__", None) is None:
        return False
    return getattr(module, cls.__qualname__, None) is cls or (
        class_in(module, cls.__qualname__, dp_id) is cls
    )


def _pickled(classes: Mapping[str, type], dp_id: str) -> bytes:
    try:
        return portable_pickle(classes)
    except Exception as error:
        names = ", ".join(f"{cls.__module__}.{cls.__qualname__}" for cls in classes.values())
        raise PortabilityError(
            f"{dp_id}: {names} cannot be stored with the model ({type(error).__name__}: {error}); "
            "no module declares it under this name. Move it to the top level of a module, or "
            "create what cannot be pickled where it is used.",
            dataprovider_id=dp_id,
        ) from error


def _modules_in_pickles(folder: Path) -> Iterator[str]:
    """Yield the modules of projects, of those loaded, that pickles below a folder refer to."""
    by_root: dict[bytes, list[str]] = {}
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if name.startswith(PACKAGED) or (spec is not None and is_project_spec(spec)):
            by_root.setdefault(name.partition(".")[0].encode(), []).append(name)
    for file in folder.rglob("*"):
        if not file.is_file() or not file.stat().st_size:
            continue
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as m:
            for root, names in by_root.items():
                if m.find(root) >= 0:  # few files do, and some are large
                    yield from (name for name in names if _refers_to(m, name.encode()))


def _refers_to(pickled: mmap.mmap, name: bytes) -> bool:
    # A string of protocol 4 and 5 after its length, and a global of older protocols.
    patterns = (bytes([0x8C, len(name) % 256]) + name, b"c%s\n" % name)
    return any(pickled.find(pattern) >= 0 for pattern in patterns)


def _warn_of_secrets(dp_id: str, path: str, source: bytes) -> None:
    for line, kind in find_secrets(source):
        place = path if path == BY_VALUE else f"{path}, line {line}"
        logger.warning(
            "%s: a text in %s looks like %s, and the package of the model holds it; read it from a "
            "setting, and replace the secret",
            dp_id,
            place,
            kind,
        )
