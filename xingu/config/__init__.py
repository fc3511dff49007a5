"""Settings of a project. Only entry points read them; everybody else receives values."""

from xingu.config.settings import Settings

__all__ = ["Settings"]
