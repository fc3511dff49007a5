"""Find the DataProvider class of a saved Model, in the project's code or else in the package.

The project's code wins, so that a fix in a predict hook applies to saved Models too; a warning
tells when it differs from the code that was trained with.
"""

import logging
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from xingu.errors import UntrainedModelError
from xingu.provider.base import DataProvider
from xingu.provider.code_version import code_version
from xingu.registry.manifest import ProviderRecord

logger = logging.getLogger(__name__)


def load_provider_class(record: ProviderRecord, dp_id: str, source: Path) -> type[DataProvider]:
    """Import the class that `record` names.

    Args:
        record: Name and code version of the class, from the manifest.
        dp_id: Id of the DataProvider.
        source: Packaged copy of its module, used if the module cannot be imported.

    Raises:
        UntrainedModelError: If neither the module nor the copy has the class.
    """
    try:
        module = import_module(record.module)
    except ModuleNotFoundError as error:
        if not source.is_file():
            raise UntrainedModelError(
                f"{dp_id}: its class {record.module}.{record.name} cannot be imported ({error}), "
                "and the package has no copy of it; put the project's root on PYTHONPATH.",
                dataprovider_id=dp_id,
            ) from error
        logger.warning("%s: %s; using the code in the package", dp_id, error)
        module = _import_file(record.module, source)
    cls = _class_in(module, record, dp_id)
    if code_version(cls) != record.code_version:
        logger.warning(
            "%s: the code of %s.%s has changed since this Model was trained",
            dp_id,
            record.module,
            record.name,
        )
    return cls


def _class_in(module: ModuleType, record: ProviderRecord, dp_id: str) -> type[DataProvider]:
    # A class that `type()` created may be bound to another name than its own.
    for value in [getattr(module, record.name, None), *vars(module).values()]:
        if (
            isinstance(value, type)
            and issubclass(value, DataProvider)
            and (value.__qualname__, value.id) == (record.name, dp_id)
        ):
            return value
    raise UntrainedModelError(
        f"{dp_id}: module {record.module} ({module.__file__}) has no DataProvider {record.name} "
        "with this id; check out the commit that the manifest names, or replace the module by the "
        "packaged provider.py.",
        dataprovider_id=dp_id,
    )


def _import_file(name: str, source: Path) -> ModuleType:
    spec = spec_from_file_location(name, source)
    assert spec is not None  # noqa: S101
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    sys.modules[name] = module  # pickled objects refer to it by this name
    spec.loader.exec_module(module)
    return module
