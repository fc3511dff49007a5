"""Valid values of `batch_partitions`, and errors for all others."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xingu.errors import DeclarationError
from xingu.names import key_part, partition_part
from xingu.provider.partitions import StaticPartitions, TimePartitions, parse_partitions

NEW_YEAR = dt.datetime(2026, 1, 1)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (None, None),
        ({"daily": "2026-01-01"}, TimePartitions("daily", NEW_YEAR)),
        ({"monthly": dt.date(2026, 1, 1)}, TimePartitions("monthly", NEW_YEAR)),
        (
            {"hourly": "2026-01-01T00:00", "timezone": "Europe/Paris", "end_offset": 1},
            TimePartitions("hourly", NEW_YEAR, "Europe/Paris", 1),
        ),
        (
            {"static": ["north", "south"], "backfill": "one_run"},
            StaticPartitions(("north", "south"), one_run=True),
        ),
    ],
)
def test_partitions_are_periods_or_keys(declared, expected):
    assert parse_partitions("dp", declared) == expected


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("daily", r"dp.batch_partitions is 'daily'; give a dict"),
        ({}, "needs one of hourly, daily"),
        ({"daily": "2026-01-01", "static": ["a"]}, "needs one of"),
        ({"dayly": "2026-01-01"}, "'dayly' is not known.*Did you mean 'daily'"),
        ({"daily": "soon"}, r"\['daily'\] is 'soon'; give the start"),
        ({"daily": 20260101}, "give the start"),
        ({"daily": "2026-01-01", "timezone": "Mars"}, "'Mars'; give the name of a time zone"),
        ({"daily": "2026-01-01", "end_offset": True}, "give a number of periods"),
        ({"daily": "2026-01-01", "backfill": "all"}, "known: one_run, run_each"),
        ({"static": "north"}, "give a list of keys"),
        ({"static": []}, "give a list of keys"),
        ({"static": ["a/b"]}, "'a/b' is no key"),
        ({"static": [".."]}, "'..' is no key"),
        ({"static": ["North", "north"]}, "a key is there twice"),
        ({"static": ["a"], "timezone": "UTC"}, "'timezone' is not known beside static"),
    ],
)
def test_anything_else_is_an_error_that_says_what_to_write(declared, text):
    with pytest.raises(DeclarationError, match=text):
        parse_partitions("dp", declared)


def test_all_problems_are_reported_at_once():
    with pytest.raises(DeclarationError) as caught:
        parse_partitions("dp", {"daily": "soon", "timezone": "Mars", "end_offset": "x"})
    assert len(str(caught.value).splitlines()) == 3


@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=9, unique=True))
def test_different_partitions_are_stored_in_different_folders(keys):
    parts = {partition_part(key).lower() for key in keys}
    assert len(parts) == len(keys)
    assert all(part == key_part(part) for part in parts)
