"""Settings of a project. Only entry points read them and pass values on."""

from xingu.config.manager import ConfigManager
from xingu.config.settings import Settings, read_settings

__all__ = ["ConfigManager", "Settings", "read_settings"]
