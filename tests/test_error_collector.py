"""Errors of independent parts are collected and raised together."""

import logging

import pytest

from xingu.error_collector import ErrorCollector
from xingu.errors import DataError, HookError, MissingColumnError, StorageError


def collected(*errors):
    collector = ErrorCollector()
    for error in errors:
        with collector.collect():
            raise error
    return collector


def test_nothing_collected_raises_nothing():
    collector = ErrorCollector()
    with collector.collect(), collector.tolerate("drawing"):
        pass
    collector.raise_collected()
    assert collector.errors == []


@pytest.mark.parametrize("error", [DataError("d"), MissingColumnError("c"), HookError("h")])
def test_the_only_error_is_raised_as_it_is(error):
    with pytest.raises(type(error)) as caught:
        collected(error).raise_collected()
    assert caught.value is error


def test_several_errors_are_listed_in_order_by_one_error():
    first, second = DataError("first"), HookError("second")
    with pytest.raises(HookError) as caught:
        collected(first, second).raise_collected()
    assert str(caught.value) == "2 errors:\n- first\n- second"
    assert caught.value.__cause__ is first


@pytest.mark.parametrize("error", [StorageError("full"), KeyError("x"), KeyboardInterrupt()])
def test_errors_that_are_not_of_data_or_hooks_are_not_collected(error):
    with pytest.raises(type(error)):
        collected(error)


def test_any_exception_is_tolerated_with_a_warning(caplog):
    collector = ErrorCollector()
    with collector.tolerate("plot 'ROC'"):
        raise ZeroDivisionError("by zero")
    (error,) = collector.errors
    assert isinstance(error, DataError)
    assert str(error) == "plot 'ROC': ZeroDivisionError: by zero"
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, str(error))
    ]


def test_an_interrupt_is_not_tolerated():
    with pytest.raises(KeyboardInterrupt), ErrorCollector().tolerate("drawing"):
        raise KeyboardInterrupt
