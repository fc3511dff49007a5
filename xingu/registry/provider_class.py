"""Find the classes of a saved Model, in the project's code or else in the package.

The project's code wins, so that a fix in a predict hook applies to saved Models too; a warning
tells when it differs from the code that was trained with.
"""

import logging
import pickle
import platform
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from xingu.errors import PortabilityError, UntrainedModelError
from xingu.provider.base import DataProvider
from xingu.provider.code_version import code_version
from xingu.provider.estimator import Estimator, resolve_estimator_class
from xingu.provider.simple import MODULE as MADE_OF_VALUES
from xingu.registry.manifest import Manifest, ProviderRecord
from xingu.registry.packaged_code import PackagedCode

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PackagedClasses:
    """The classes and modules of the project in a package.

    Attributes:
        code: Its modules; None: it has none.
        by_value: File with a pickle of classes that no module declares, by role.
        record: Name and code version of the DataProvider class.
        dp_id: Id of the DataProvider.
        python: Version of Python that wrote the package.
    """

    code: PackagedCode | None
    by_value: Path
    record: ProviderRecord
    dp_id: str
    python: str

    def provider_of_project(self) -> type[DataProvider] | None:
        """Return the class of the DataProvider in the project; None if it is not there.

        Raises:
            UntrainedModelError: If the package has no copy of it either.
        """
        record, has_copy = self.record, self.code is not None or self.by_value.is_file()
        if record.module == MADE_OF_VALUES:
            return None
        try:
            module = import_module(record.module)
        except ModuleNotFoundError as error:
            if not has_copy:
                raise UntrainedModelError(
                    f"{self.dp_id}: its class {record.module}.{record.name} cannot be imported "
                    f"({error}), and the package has no copy of it; put the project's root on "
                    "PYTHONPATH.",
                    dataprovider_id=self.dp_id,
                ) from error
            logger.warning("%s: %s; using the code in the package", self.dp_id, error)
            return None
        cls = class_in(module, record.name, self.dp_id)
        if cls is None and not has_copy:
            raise _no_class(module, record, self.dp_id)
        if cls is None:
            text = "%s: module %s has no such DataProvider %s; using the code in the package"
            logger.warning(text, self.dp_id, record.module, record.name)
        else:
            self._warn_of_changes(cls)
        return cls

    @contextmanager
    def imported(self) -> Iterator[type[DataProvider]]:
        """Yield the packaged class; pickles that are read meanwhile get the packaged code.

        Raises:
            PortabilityError: If the packaged code cannot be executed here.
        """
        with self.code.aliased() if self.code else nullcontext():
            try:
                cls = self._by_value("provider") or self._declared()
            except (UntrainedModelError, PortabilityError):
                raise
            except Exception as error:
                raise PortabilityError(
                    f"{self.dp_id}: the code in its package cannot be imported here: "
                    f"{type(error).__name__}: {error}",
                    dataprovider_id=self.dp_id,
                ) from error
            yield cls

    def estimator(self, name: str, *, of_project: bool) -> type[Estimator]:
        """Return the class of the Estimator.

        Args:
            name: Its dotted name.
            of_project: Whether the class of the DataProvider comes from the project.

        Raises:
            DeclarationError: If it cannot be imported.
        """
        found = self._by_value("estimator")
        if found is not None:
            return found
        module, _, _ = name.rpartition(".")
        if self.code is not None and not of_project and module in self.code:
            return resolve_estimator_class(f"{self.code.prefix}.{name}", self.dp_id)
        return resolve_estimator_class(name, self.dp_id)

    def _declared(self) -> type[DataProvider]:
        assert self.code  # noqa: S101
        module = self.code.load(self.record.module)
        cls = class_in(module, self.record.name, self.dp_id)
        if cls is None:
            raise _no_class(module, self.record, self.dp_id)
        return cls

    def _by_value(self, role: str) -> Any:
        if not self.by_value.is_file():
            return None
        wrote, runs = (text.split(".")[:2] for text in (self.python, platform.python_version()))
        if wrote != runs:
            raise PortabilityError(
                f"{self.dp_id}: it was defined in a script or a notebook, so its package holds "
                f"byte code, which Python {'.'.join(wrote)} alone can read; this is "
                f"{'.'.join(runs)}. Use that version, or move the class to a module and train.",
                dataprovider_id=self.dp_id,
            )
        return pickle.loads(self.by_value.read_bytes()).get(role)

    def _warn_of_changes(self, cls: type[DataProvider]) -> None:
        changed = self.code.changed_modules(self.record.module) if self.code else []
        if code_version(cls) != self.record.code_version:
            changed = [f"{self.record.module}.{self.record.name}", *changed]
        if changed:
            logger.warning(
                "%s: the code of %s has changed since this Model was trained",
                self.dp_id,
                ", ".join(changed),
            )


def packaged_classes(
    manifest: Manifest, code: PackagedCode | None, pickled: Path
) -> PackagedClasses:
    """Return what the package of `manifest` holds of the project."""
    python = str(manifest.provenance.get("python", ""))
    return PackagedClasses(code, pickled, manifest.provider, manifest.dataprovider_id, python)


def class_in(module: ModuleType, name: str, dp_id: str) -> type[DataProvider] | None:
    """Return the DataProvider of a module with a qualified name and an id; None: it has none."""
    # A class that `type()` created may be bound to another name than its own.
    for value in [getattr(module, name, None), *vars(module).values()]:
        if (
            isinstance(value, type)
            and issubclass(value, DataProvider)
            and (value.__qualname__, value.id) == (name, dp_id)
        ):
            return value
    return None


def _no_class(module: ModuleType, record: ProviderRecord, dp_id: str) -> UntrainedModelError:
    return UntrainedModelError(
        f"{dp_id}: module {record.module} ({getattr(module, '__file__', None)}) has no "
        f"DataProvider {record.name} with this id; check out the commit that the manifest names.",
        dataprovider_id=dp_id,
    )
