"""Collect the errors of independent parts, so that the other parts still run and are saved.

A caller runs each part in a `with` block of one collector and calls `raise_collected` at the end.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from xingu.errors import DataError, HookError, XinguError, text_of

logger = logging.getLogger(__name__)


class ErrorCollector:
    """Errors of independent parts, raised together at the end.

    Attributes:
        errors: Errors collected so far, in the order in which they were raised.
    """

    def __init__(self) -> None:
        self.errors: list[XinguError] = []

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Collect a `DataError` or `HookError` of the block; other errors propagate."""
        try:
            yield
        except (DataError, HookError) as error:
            self.errors.append(error)

    @contextmanager
    def tolerate(self, where: str) -> Iterator[None]:
        """Collect any exception of the block as a `DataError`, and log it as a warning.

        Args:
            where: Description of the block, the beginning of the error's text.
        """
        try:
            yield
        except Exception as error:
            message = f"{where}: {type(error).__name__}: {text_of(error)}"
            logger.warning("%s", message, exc_info=True)
            self.errors.append(DataError(message))

    def raise_collected(self) -> None:
        """Raise the collected errors, if there are any.

        Raises:
            XinguError: The only error.
            HookError: If there are several; its text lists all of them.
        """
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            lines = "\n".join(f"- {error}" for error in self.errors)
            raise HookError(f"{len(self.errors)} errors:\n{lines}") from self.errors[0]
