"""Settings of a project. Only entry points read them and pass values on."""

from xingu.config.manager import ConfigManager
from xingu.config.settings import Reading, Settings, read_settings

__all__ = ["ConfigManager", "Reading", "Settings", "read_settings"]
