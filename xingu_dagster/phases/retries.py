"""Errors that another attempt of a step would meet again, so that its retry policy is not used."""

import sys

import dagster as dg

from xingu.errors import (
    ConcurrentTrainError,
    DataError,
    DeclarationError,
    MissingExtraError,
    SettingsError,
    XinguError,
)

PERMANENT = (ConcurrentTrainError, DataError, DeclarationError, MissingExtraError, SettingsError)


def final(error: XinguError, step: str) -> Exception:
    """Return an error to raise in place of `error`: the wrapper that ends a step without retries.

    Dagster makes the same one of an error in a step without a retry policy.
    """
    if not isinstance(error, PERMANENT):
        return error
    wrapper = dg.DagsterExecutionStepExecutionError(
        f'Error occurred while executing op "{step}"; it is not tried again:',
        user_exception=error, original_exc_info=sys.exc_info(),
        step_key=step, op_name=step, op_def_name=step,
    )  # fmt: skip
    wrapper.__cause__ = error
    return wrapper
