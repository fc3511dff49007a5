"""DeclaredProvider: a DataProvider that needs no code, and classes that are made from plain data.

A class of plain data gets a module of its own, whose source is written here: packages of its Models
hold that source, so they load without the file that the data came from.
"""

import ast
import sys
from collections.abc import Mapping
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from xingu.errors import DeclarationError
from xingu.names import key_part
from xingu.provider.base import DataProvider
from xingu.provider.columns import require_columns

PACKAGE = "xingu_declared"
"""Package of the modules that are made here."""


class DeclaredProvider(DataProvider):
    """A DataProvider whose usual hooks are declarations, too."""

    row_index: str | None = None
    """Column of the sources that identifies a row; it becomes the index."""
    split_by: str | None = None
    """Column, of times or numbers, whose last rows become `val` and `test`; None: at random."""
    estimated_columns: Mapping[str, str] = {}
    """`{prerequisite: column}`: columns with the estimations of the Models of prerequisites."""

    def clean_data_for_train(self, datasets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Concatenate the sources, set the index, and add the estimations of prerequisites."""
        data = super().clean_data_for_train(datasets)
        if self.row_index is not None:
            require_columns(data, [self.row_index], f"{self.id}.row_index", "the sources")
            data = data.set_index(self.row_index)
        for dp_id, column in self.estimated_columns.items():
            estimations = self.pre_req_model[dp_id].predict(data)["estimation"]
            data = data.assign(**{column: estimations})
        return data

    def data_split_for_train(self, data: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
        """Split by `split_by`, else as every DataProvider does."""
        if self.split_by is None:
            return super().data_split_for_train(data)
        require_columns(data, [self.split_by], f"{self.id}.split_by", "the data to split")
        data = data.sort_values(self.split_by, kind="stable")
        rows = self._set_rows(data)
        first_test = len(data) - rows["test_size"]
        first_val = first_test - rows["val_size"]
        sets = {
            "train": data.iloc[:first_val],
            "val": data.iloc[first_val:first_test],
            "test": data.iloc[first_test:],
        }
        return {name: rows for name, rows in sets.items() if len(rows)}


class _Source(InspectLoader):
    """Loads one module from its source."""

    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        return self._source

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, f"<{module.__name__}>", "exec"), vars(module))  # noqa: S102


def define_provider(
    name: str,
    declared: Mapping[str, Any],
    origin: Path,
    base: str | None = None,
    doc: str = "",
) -> type[DataProvider]:
    """Return a DataProvider class made of plain data.

    Args:
        name: Name of its module, unique in the process.
        declared: Attributes of the class: texts, numbers, lists, dictionaries, and the like.
        origin: File that the data came from.
        base: Dotted name of the base class; None: `DeclaredProvider`.
        doc: Docstring of the class.

    Raises:
        DeclarationError: If an attribute is no plain data, or the base class is not found.
    """
    dp_id = declared.get("id")
    class_name = "".join(part.title() for part in key_part(str(dp_id)).split("_")) or "Model"
    class_name = class_name if class_name.isidentifier() else f"Model{class_name}"
    module_name, _, base_name = (base or f"{__name__}.DeclaredProvider").rpartition(".")
    lines = [
        f'"""Made from {origin.name}."""',
        "",
        f"from {module_name} import {base_name}",
        "",
        "",
    ]
    lines += [f"class {class_name}({base_name}):", f"    {(doc or f'The model {dp_id!r}.')!r}", ""]
    lines += [f"    {one} = {_literal(f'{dp_id}.{one}', value)}" for one, value in declared.items()]
    spec = ModuleSpec(f"{PACKAGE}.{name}", _Source("\n".join(lines) + "\n"), origin=str(origin))
    spec.has_location = True
    module = module_from_spec(spec)
    _package()
    try:
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    except (ImportError, AttributeError, TypeError) as error:
        raise DeclarationError(
            f"{dp_id}.base: {base} cannot be the base class: {error}", dataprovider_id=dp_id
        ) from error
    sys.modules[spec.name] = module
    cls = getattr(module, class_name)
    if not issubclass(cls, DataProvider):
        raise DeclarationError(
            f"{dp_id}.base: {base} is no DataProvider; name a subclass of xingu.DataProvider.",
            dataprovider_id=dp_id,
        )
    return cls


def _package() -> None:
    """Let Python know the package of the modules that are made here."""
    if PACKAGE not in sys.modules:
        spec = ModuleSpec(PACKAGE, None, is_package=True)
        sys.modules[PACKAGE] = module_from_spec(spec)


def _literal(where: str, value: Any) -> str:
    """Return a value as Python source."""
    text = repr(value)
    try:
        same = ast.literal_eval(text) == value
    except (ValueError, SyntaxError):
        same = False
    if not same:
        raise DeclarationError(
            f"{where} holds a {type(value).__name__} that is no plain data ({text}); write texts, "
            "numbers, lists and mappings."
        )
    return text
