"""Report code of a project that ends the process of its step, which would look like a success."""

from collections.abc import Iterator
from contextlib import contextmanager

from xingu.errors import HookError
from xingu.provider.exits import no_silent_exit, place_of_exit


@contextmanager
def reported_exits(step: str) -> Iterator[None]:
    """Turn `sys.exit` and `os._exit(0)` into an error.

    Args:
        step: Name of the step that the block executes.

    Raises:
        HookError: If the block calls one of them.
    """
    try:
        with no_silent_exit():
            yield
    except SystemExit as error:
        raise HookError(
            f"{step}: {place_of_exit(error)}; raise an error instead.", step=step
        ) from error
