"""Tests of shortened tracebacks: the lines of the user's code stay, those of Xingu go."""

import traceback

import pytest

from tests.support.toys import Houses, houses
from xingu.errors import DataError, HookError, XinguError
from xingu.provider.hooks import call_hook
from xingu_dagster.phases.tracebacks import OWN_CODE, shorten


class Careless(Houses):
    id = "careless"

    def feature_engineering_for_train(self, data):
        return data[["nosuch"]]


def shown_text(error: XinguError) -> str:
    return "".join(traceback.format_exception(shorten(error)))


def test_the_lines_of_the_user_s_hook_remain_and_those_of_xingu_do_not():
    with pytest.raises(HookError) as raised:
        call_hook(Careless(), "feature_engineering_for_train", houses(5))
    shown = shown_text(raised.value)
    assert 'return data[["nosuch"]]' in shown
    assert "careless.feature_engineering_for_train raised KeyError" in shown
    assert "KeyError: \"None of [Index(['nosuch']" in shown
    assert not any(folder in shown for folder in OWN_CODE)


def raise_in_layers() -> None:
    try:
        raise DataError("inner") from OSError(28, "the cause")
    except DataError as error:
        raise DataError("outer: inner") from error


def raise_alone() -> None:
    try:
        raise OSError(28, "no user needs this")
    except OSError:
        raise DataError("said in full") from None


def test_errors_of_xingu_that_led_to_an_error_of_xingu_are_dropped_their_causes_are_not():
    with pytest.raises(DataError) as raised:
        raise_in_layers()
    shown = shown_text(raised.value)
    assert "outer: inner" in shown
    assert "DataError: inner" not in shown
    assert "the cause" in shown


def test_a_suppressed_cause_stays_suppressed():
    with pytest.raises(DataError) as raised:
        raise_alone()
    assert "no user needs this" not in shown_text(raised.value)
