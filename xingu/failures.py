"""Errors of parts that do not need each other: the others go on, and are saved.

Its one idea: what failed is kept until everything else is done, and is then raised as one error.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from xingu.errors import DataError, HookError, XinguError

logger = logging.getLogger(__name__)


class Failures:
    """Errors in the order in which they were raised.

    Attributes:
        errors: What was raised so far.
    """

    def __init__(self) -> None:
        self.errors: list[XinguError] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the error of data or of a hook that the block raises, and go on behind the block."""
        try:
            yield
        except (DataError, HookError) as error:
            self.errors.append(error)

    @contextmanager
    def survived(self, where: str) -> Iterator[None]:
        """Keep any error that the block raises, with a warning: what is there is worth more.

        Args:
            where: What the block does, for the text of the error.
        """
        try:
            yield
        except Exception as error:
            text = f"{where}: {type(error).__name__}: {error}"
            logger.warning("%s", text, exc_info=True)
            self.errors.append(DataError(text))

    def check(self) -> None:
        """Raise what was kept, if anything: one error as it is, several as one that names all.

        Raises:
            XinguError: The only error.
            HookError: If there are several.
        """
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            lines = "\n".join(f"- {error}" for error in self.errors)
            raise HookError(f"{len(self.errors)} errors:\n{lines}") from self.errors[0]
