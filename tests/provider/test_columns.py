"""Frames are checked for declared columns."""

import pandas as pd
import pytest

from xingu.errors import MissingColumnError
from xingu.provider.columns import SHOWN, missing_columns, require_columns

FRAME = pd.DataFrame({"rooms": [1], "area": [2.0], 7: [3]})


@pytest.mark.parametrize("columns", [[], ["rooms"], ["area", "rooms"], [7]])
def test_a_frame_with_the_columns_is_accepted(columns):
    require_columns(FRAME, columns, "houses.x_features", "the frame")


def test_missing_columns_are_named_with_suggestions():
    with pytest.raises(MissingColumnError) as caught:
        require_columns(FRAME, ["romms", "area", "price"], "houses.x_features", "the set 'train'")
    assert str(caught.value) == (
        "houses.x_features names 'romms', 'price': not in the set 'train', which has "
        "rooms, area, 7. Did you mean 'rooms'?"
    )
    assert caught.value.facts == {"missing": ["romms", "price"]}


def test_columns_that_are_declared_are_not_what_was_meant():
    with pytest.raises(MissingColumnError, match=r"rooms, area, 7\.$"):
        require_columns(FRAME, ["room", "rooms"], "houses.x_features", "the frame")
    assert "mean" not in str(missing_columns(FRAME, ["room"], "houses.y", "it", used=["rooms"]))


def test_a_frame_without_columns_is_described_so():
    with pytest.raises(MissingColumnError, match=r"which has no columns\.$"):
        require_columns(pd.DataFrame(), ["x"], "houses.y", "the frame")


@pytest.mark.parametrize(("columns", "ends"), [(SHOWN, "c29."), (SHOWN + 1, "c29 ….")])
def test_only_some_columns_of_a_wide_frame_are_listed(columns, ends):
    frame = pd.DataFrame([[0] * columns], columns=[f"c{at}" for at in range(columns)])
    with pytest.raises(MissingColumnError) as caught:
        require_columns(frame, ["target"], "houses.y", "the frame")
    assert str(caught.value).endswith(ends)
