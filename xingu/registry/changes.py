"""Find DataProviders whose code differs from their current train's, and those that need them.

The code of a train is the version of its class (`xingu.provider.code_version`) and the project's
modules in its package. Comments and formatting do not count.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path

from xingu.provider.base import DataProvider
from xingu.provider.code_version import code_version
from xingu.provider.syntax import parse
from xingu.records import TrainRun
from xingu.registry.lifecycle import accept
from xingu.registry.manifest import Manifest
from xingu.registry.package_code import CODE
from xingu.registry.store import ModelStore
from xingu.registry.transfer import copy_package

Classes = Mapping[str, type[DataProvider]]


def changed_dataproviders(classes: Classes, base: ModelStore, home: Path) -> dict[str, str]:
    """Return why DataProviders have to be trained again, by id, prerequisites first.

    Args:
        classes: The DataProviders of the project, prerequisites first.
        base: The model storage whose current trains are compared.
        home: Folder of the project.
    """
    found: dict[str, str] = {}
    for dp_id, cls in classes.items():
        reason = _reason(cls, base, home)
        changed = sorted(found.keys() & set(cls.pre_req))
        if reason is None and changed:
            reason = f"its prerequisite {' and '.join(changed)} changed"
        if reason is not None:
            found[dp_id] = reason
    return found


def borrow_train(base: ModelStore, models: ModelStore, dp_id: str) -> Manifest | None:
    """Copy the current train of another model storage, and make it current here.

    It becomes current unless a newer train is. Repeating it changes nothing.

    Returns:
        Its manifest; None if the other storage has no current train.

    Raises:
        CorruptPackageError: If the package is damaged; nothing was copied.
    """
    train_id = base.current(dp_id)
    if train_id is None:
        return None
    manifest = base.manifest(dp_id, train_id)
    if not models.has(dp_id, train_id):
        copy_package(base.package(dp_id, train_id), models.package(dp_id, train_id), manifest)
        run = TrainRun(dp_id, train_id, manifest.train_session_id, manifest.run_id)
        models.point_session(run)
    accept(models, manifest)
    return manifest


def _reason(cls: type[DataProvider], base: ModelStore, home: Path) -> str | None:
    train_id = base.current(str(cls.id))
    if train_id is None:
        return "it has no current train"
    manifest = base.manifest(str(cls.id), train_id)
    if manifest.provider.code_version != code_version(cls):
        return f"its code differs from that of {train_id}"
    files = list(_changed_files(cls, manifest, base, home))
    return f"{', '.join(files)} changed since {train_id}" if files else None


def _changed_files(
    cls: type[DataProvider], manifest: Manifest, base: ModelStore, home: Path
) -> Iterator[str]:
    """Yield the modules of a package that the project has in another version.

    Files of the class and its bases are left out: the version of the code covers them.
    """
    package = base.package(manifest.dataprovider_id, manifest.train_id)
    own = {_file_of(one) for one in cls.__mro__}
    for name in manifest.files:
        path = name.removeprefix(f"{CODE}/")
        file = home / path
        if path == name or file.suffix != ".py" or file in own or not file.is_file():
            continue
        then, now = (package / name).read_bytes(), file.read_bytes()
        if then != now and ast.dump(parse(then)) != ast.dump(parse(now)):
            yield path


def _file_of(cls: type) -> Path | None:
    try:
        return Path(inspect.getfile(cls))
    except (OSError, TypeError):
        return None
