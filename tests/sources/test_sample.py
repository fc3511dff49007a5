"""Samples of the rows of a source."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from xingu.sources.sample import sample_of


@given(size=st.integers(0, 200), rows=st.integers(0, 200))
def test_a_sample_is_the_same_in_every_run_and_keeps_the_order(size, rows):
    frame = pd.DataFrame({"a": range(size)}, index=range(size, 0, -1))
    one, other = sample_of(frame, rows), sample_of(frame.copy(), rows)
    pd.testing.assert_frame_equal(one, other)
    assert len(one) == (min(size, rows) if rows else size)
    assert one["a"].is_monotonic_increasing
