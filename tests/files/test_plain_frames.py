"""Frames of numbers and texts are stored without a trial; what they are besides comes back."""

import numpy as np
import pandas as pd
import pytest
from upath import UPath

from xingu.files.frames import read_frame, write_frame

PLAIN = pd.DataFrame({"x": [1.0, np.nan], "n": [1, 2], "text": ["a", None]})
FRAMES = {
    "plain": (PLAIN, ".parquet"),
    "no rows": (PLAIN.iloc[:0], ".parquet"),
    "no columns": (PLAIN[[]], ".pkl"),
    "unique labels": (PLAIN.set_flags(allows_duplicate_labels=False), ".pkl"),
    "a missing name": (PLAIN.set_axis(pd.Index(["x", None, "z"], dtype="str"), axis=1), ".pkl"),
    "an index that is sorted": (PLAIN.set_index("n", drop=False).rename_axis(None), ".parquet"),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_it_comes_back_as_it_was(tmp_path, kind):
    frame, suffix = FRAMES[kind]
    written = write_frame(frame, UPath(tmp_path), "frame", "open")
    assert written.file.endswith(suffix)
    back = read_frame(UPath(tmp_path) / written.file)
    pd.testing.assert_frame_equal(back, frame)
    assert back.flags == frame.flags
