"""Report code of a project that ends the process of its step, which would look like a success."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from xingu.errors import HookError


@contextmanager
def reported_exits(step: str) -> Iterator[None]:
    """Turn `sys.exit` into an error, and `os._exit(0)` into an exit with a message and code 1.

    Args:
        step: Name of the step that the block executes.

    Raises:
        HookError: If the block calls `sys.exit`.
    """
    leave, owner = os._exit, os.getpid()

    def leave_with_message(status: int) -> None:
        if os.getpid() == owner and status == 0:  # processes that hooks fork end as they like
            caller = sys._getframe(1)
            place = f"{caller.f_code.co_filename}, line {caller.f_lineno}"
            os.write(2, f"{step}: {place}, called os._exit(0); the step has failed.\n".encode())
            status = 1
        leave(status)

    os._exit = leave_with_message  # type: ignore[assignment]
    try:
        yield
    except SystemExit as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise HookError(
            f"{step}: {place.filename}, line {place.lineno}, called sys.exit({error.code!r}); "
            "raise an error instead.",
            step=step,
        ) from error
    finally:
        os._exit = leave
