"""Settings of a project. Only entry points read them and pass values on."""

from xingu.config.settings import Settings

__all__ = ["Settings"]
