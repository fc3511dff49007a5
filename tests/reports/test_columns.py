"""Texts in columns of a terminal: words stay whole wherever they fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.reports.columns import column_widths, wrap

TEXTS = st.text(st.sampled_from("ab1-_/. \n"), max_size=40)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("sage-velociraptor-from-nibiru", 20, ["sage-velociraptor-", "from-nibiru"]),
        ("departure_delay_of_flights", 18, ["departure_delay_", "of_flights"]),
        ("late among the riskiest tenth", 12, ["late among", "the riskiest", "tenth"]),
        ("models/houses/trains", 15, ["models/houses/", "trains"]),
        ("2026-11-28 15:30", 12, ["2026-11-28", "15:30"]),  # no break within dates and numbers
        ("-2.27e-07 1,234.5", 10, ["-2.27e-07", "1,234.5"]),
        ("0123456789abcdef", 10, ["0123456789", "abcdef"]),  # it cannot be avoided
        ("select *\nfrom houses", 20, ["select *", "from houses"]),
        ("", 5, [""]),
    ],
)  # fmt: skip
def test_a_text_is_broken_at_spaces_and_within_names(text, width, lines):
    assert wrap(text, width).split("\n") == lines


def test_lines_that_are_begun_can_be_indented():
    assert wrap(" late among them", 11, 2).split("\n") == [" late among", "  them"]


@given(TEXTS, st.integers(3, 30))
def test_a_wrapped_text_is_narrow_and_loses_no_character(text, width):
    wrapped = wrap(text, width)
    assert max(map(len, wrapped.split("\n"))) <= width
    assert "".join(wrapped.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("available", "whole", "widths"),
    [
        (99, (), [11, 9]),  # no wrapping
        (18, (), [10, 8]),
        (18, (0,), [11, 7]),
        (14, (0,), [7, 7]),  # words are more important than whole texts
        (19, (1, 0), [10, 9]),  # the first one is the most important
        (8, (), [4, 4]),
        (1, (), [1, 1]),
    ],
)
def test_widths_keep_whole_texts_then_words(available, whole, widths):
    assert column_widths([["session-one", "another b"]], available, whole) == widths


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1), st.integers(9, 80))
def test_widths_are_what_is_available_at_most(rows, available):
    assert sum(column_widths(rows, available)) <= available
