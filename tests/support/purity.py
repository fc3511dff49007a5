"""Functions that must not write into the Model they are given."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pandas as pd
from pandas.testing import assert_frame_equal


@contextmanager
def unchanged(model: Any, *frames: pd.DataFrame) -> Iterator[None]:
    """Fail if the block changes `frames`, or attributes or frames of the Model or its provider."""
    owners = [(owner, dict(vars(owner))) for owner in (model, model.dp)]
    held = [*frames, *_frames(value for _, attributes in owners for value in attributes.values())]
    assert len(held) > len(frames), "the Model has no frame"
    copies = [frame.copy() for frame in held]
    yield
    for owner, attributes in owners:
        assert vars(owner).keys() == attributes.keys()
        assert all(vars(owner)[name] is value for name, value in attributes.items())
    for frame, copied in zip(held, copies, strict=True):
        assert_frame_equal(frame, copied, check_exact=True)


def _frames(values: Iterable[Any]) -> Iterator[pd.DataFrame]:
    for value in values:
        if isinstance(value, pd.DataFrame):
            yield value
        elif isinstance(value, Mapping):
            yield from _frames(value.values())
