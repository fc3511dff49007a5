"""Logger of a class: a name below `xingu`, so that its lines are in the log of the run."""

import logging


class ClassLogger:
    """Descriptor of a logger that is called as the class through which it is accessed.

    The logger is no attribute of the instance, so it is not part of what is saved.
    """

    def __get__(self, instance: object, owner: type) -> logging.Logger:
        """Return the logger of `owner`."""
        name = f"{owner.__module__}.{owner.__qualname__}"
        return logging.getLogger(name if name.startswith("xingu.") else f"xingu.{name}")


def level_number(level: int | str) -> int:
    """Return the number of a level that is given as number or name."""
    return logging.getLevelName(level.upper()) if isinstance(level, str) else level
