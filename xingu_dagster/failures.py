"""Failures of steps, as people are told: the error of Xingu that says where, else the innermost."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import dagster as dg

from xingu import errors
from xingu.alerts.cause import foreign_cause, own_cause
from xingu_dagster.engine.runs import INTERRUPTIONS

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_LIBRARY = re.compile(r"[/\\](?:(?:site|dist)-packages|lib[/\\]python[\d.]+)[/\\]")


@dataclass(frozen=True)
class Failure:
    """Why a step failed.

    Attributes:
        step: The step.
        error: Name of the class of the error.
        text: What it says.
        trace: Its traceback.
        cause: The exception of the user's code in one line; empty: none.
    """

    step: str
    error: str
    text: str
    trace: str
    cause: str = ""


def failure_of(event: dg.DagsterEvent) -> Failure:
    """Return why a step failed: the error of Xingu that says where, else the innermost one."""
    error: Any = event.step_failure_data.error
    trace = error.to_string() if error else ""
    error = _telling(error)
    name = (error.cls_name if error else None) or "Exception"
    text = _text_of(error) if error else "no reason was given"
    cause = error.cause if error and _is_ours(name) else None
    if name in INTERRUPTIONS:
        text = "it was interrupted"
    return Failure(str(event.step_key), name, text, trace, _in_one_line(cause))


def first_cause(error: Any) -> str:
    """Return the first cause of an error, as an alert tells it; see `xingu.alerts.cause`.

    Args:
        error: Dagster's record of an exception.
    """
    told = _telling(error)
    name = told.cls_name or "Exception"
    if not _is_ours(name):
        return foreign_cause(name, _text_of(told)) + _place(told)
    causes = [one for one in _causes(told.cause) if not _is_ours(one.cls_name)]
    if not causes:
        return own_cause(_text_of(told))
    first, last = causes[0], causes[-1]
    text = own_cause(_text_of(told), _text_of(first), first.cls_name or "Exception")
    deepest = foreign_cause(last.cls_name or "Exception", _text_of(last))
    return f"{text}{'' if deepest in text else f' First cause: {deepest}'}{_place(last)}"


def is_refusal(failure: Failure) -> bool:
    """Return whether a check or a gate refused, and nothing broke."""
    return failure.error == errors.CheckFailedError.__name__


def is_interruption(failure: Failure) -> bool:
    """Return whether a signal ended the step."""
    return failure.error in INTERRUPTIONS


def _telling(error: Any) -> Any:
    """Return the error to tell. Errors of Xingu say where and what to do; their causes do not."""
    while error is not None and error.cause is not None and not _is_ours(error.cls_name):
        error = error.cause
    return error


def _causes(error: Any) -> Iterator[Any]:
    while error is not None:
        yield error
        error = error.cause


def _text_of(error: Any) -> str:
    """Return what an error says, without its class."""
    name = error.cls_name or "Exception"
    return re.sub(rf"^(?:[\w.]+\.)?{re.escape(name)}:\s", "", error.message.strip())


def _in_one_line(error: Any) -> str:
    """Return what an error of the user's code says, and where; empty for none."""
    if error is None:
        return ""
    text = " ".join(error.message.split())
    place = _FRAME.search(error.stack[-1]) if error.stack else None
    return f"{text} ({place[1]}:{place[2]})" if place else text


def _place(error: Any) -> str:
    """Return the last line of the user's code in a traceback, without folders; empty: none."""
    frames = filter(None, map(_FRAME.search, error.stack))
    own = [frame for frame in frames if not _LIBRARY.search(frame[1])]
    return f" ({PurePath(own[-1][1]).name}:{own[-1][2]})" if own else ""


def _is_ours(class_name: str | None) -> bool:
    """Return whether an error class of Xingu has this name."""
    return issubclass(getattr(errors, class_name or "", Exception), errors.XinguError)
