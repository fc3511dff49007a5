"""Shorten the tracebacks of errors that a user can act on.

An error of Xingu says where, what and what to do. What remains of its traceback are the lines of
the user's code; the whole traceback is logged at the level DEBUG.
"""

from pathlib import Path
from types import TracebackType

import xingu
from xingu.errors import XinguError

OWN_CODE = (str(Path(str(xingu.__file__)).parent), str(Path(__file__).parents[1]))


def shorten(error: XinguError) -> XinguError:
    """Remove the frames of Xingu from the traceback of an error and of its causes.

    Causes that are errors of Xingu are dropped: the error that was raised from them says the same.
    """
    error.__cause__ = _first_foreign(_cause_of(error))  # this suppresses the context, too
    return error.with_traceback(_without_own_frames(error.__traceback__))


def _cause_of(error: BaseException) -> BaseException | None:
    return error.__cause__ if error.__suppress_context__ else error.__context__


def _first_foreign(cause: BaseException | None) -> BaseException | None:
    while isinstance(cause, XinguError):
        cause = _cause_of(cause)
    return cause and cause.with_traceback(_without_own_frames(cause.__traceback__))


def _without_own_frames(trace: TracebackType | None) -> TracebackType | None:
    if trace is None:
        return None
    rest = _without_own_frames(trace.tb_next)
    if trace.tb_frame.f_code.co_filename.startswith(OWN_CODE):
        return rest
    return TracebackType(rest, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
