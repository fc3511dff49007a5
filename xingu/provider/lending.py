"""Call code of users with frames that it cannot change for anybody else.

A frame is lent as a copy that shares memory until it is written to: pandas copies what is assigned
(copy-on-write), and the arrays are locked, so that `X["a"].array[0] = 1` raises. Cells
that can be changed in place, as lists, are copied. Blocks of a frame are internal to pandas; no
other module touches them. A pandas without them gets copies of whole frames with shared cells.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd


def _blocks(frame: pd.DataFrame) -> Sequence[Any]:
    return getattr(getattr(frame, "_mgr", None), "blocks", ())


COPY_ON_WRITE = bool(_blocks(pd.DataFrame({"a": [1]})))
HELD_BY_MODELS = ("sets", "sets_estimations", "batch", "batch_estimations")
"""Attributes of Models with frames, which hooks read and must not change."""
MUTABLE_CELLS = (list, dict, set, bytearray, tuple, np.ndarray, pd.Series, pd.DataFrame)
"""Types of cells that are copied; a tuple may hold one of the others."""


def call_lent(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call `function` with lent frames, and return its result.

    Frames, dicts of frames, and those that a Model among the arguments holds are lent. Frames of
    the result are new objects, so that later changes of a frame that `function` keeps do not reach
    them.
    """
    models = [
        one
        for one in (*arguments, *named.values())
        if not isinstance(one, pd.DataFrame) and getattr(one, "sets", None) is not None
    ]
    held = [(model, _lend_attributes(model)) for model in models]
    try:
        result = function(
            *map(_lent, arguments), **{name: _lent(one) for name, one in named.items()}
        )
    finally:
        for model, attributes in held:
            _take_back(model, attributes)
    return reclaim(result)


def lend(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of `frame`, of which no change reaches `frame`."""
    lent = frame.copy(deep=not COPY_ON_WRITE)
    if not COPY_ON_WRITE:
        lent.index, lent.columns = lent.index.copy(deep=True), lent.columns.copy(deep=True)
    for block in _blocks(lent):
        values = block.values
        if values.dtype == object and (own := _own_cells(values)) is not values:
            block.values = own
        elif COPY_ON_WRITE:
            _set_writeable(values, False)
    return lent


def reclaim(result: Any) -> Any:
    """Return the result of lent code; its frames are new objects that are not locked."""
    if isinstance(result, pd.DataFrame):
        return _unlocked(result)
    if isinstance(result, tuple):
        return tuple(map(reclaim, result))
    if isinstance(result, Mapping) and any(
        isinstance(one, pd.DataFrame) for one in result.values()
    ):
        return {name: reclaim(one) for name, one in result.items()}
    return result


def _unlocked(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the content of `frame` and arrays that are not locked."""
    frame = frame.copy(deep=not COPY_ON_WRITE)
    if COPY_ON_WRITE:
        for block in _blocks(frame):
            _set_writeable(block.values, True)
    return frame


def _set_writeable(values: Any, writeable: bool) -> None:
    """Lock or unlock an array, which is a view of its own."""
    if not isinstance(values, np.ndarray):
        values._readonly = not writeable
    elif values.flags.writeable != writeable:
        try:
            values.flags.writeable = writeable
        except ValueError:  # the memory itself is read-only, for example a mapped file
            return


def _own_cells(values: np.ndarray) -> np.ndarray:
    """Return `values` of type object with copies of mutable cells; `values` if it has none."""
    if pd.api.types.infer_dtype(values.ravel(order="K")) not in {"mixed", "mixed-integer"}:
        return values
    return np.frompyfunc(_own_cell, 1, 1)(values)


def _own_cell(cell: Any) -> Any:
    return copy.deepcopy(cell) if isinstance(cell, MUTABLE_CELLS) else cell


def _lent(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return lend(value)
    if isinstance(value, Mapping):
        return {name: _lent(one) for name, one in value.items()}
    return value


def _lend_attributes(model: Any) -> Mapping[str, tuple[Any, Any]]:
    """Replace the frames of a Model by lent ones; return both by name of the attribute."""
    attributes = {}
    for name in HELD_BY_MODELS:
        value = vars(model).get(name)
        if value is not None and len(value):
            lent = _lent(value)
            lent = MappingProxyType(lent) if isinstance(lent, dict) else lent
            attributes[name] = value, lent
            setattr(model, name, lent)
    return attributes


def _take_back(model: Any, attributes: Mapping[str, tuple[Any, Any]]) -> None:
    """Undo `_lend_attributes`, except for attributes that were assigned meanwhile."""
    for name, (value, lent) in attributes.items():
        if vars(model).get(name) is lent:
            setattr(model, name, value)
