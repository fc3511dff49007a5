"""Hatchling metadata hook of the distribution `xingu`."""

from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class PinCore(MetadataHookInterface):
    """Set the dependencies: those declared for the hook, and `xingu-core` of the same version."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `project.dependencies`."""
        core = f"xingu-core[{self.config['core-extra']}]=={metadata['version']}"
        metadata["dependencies"] = [core, *self.config["dependencies"]]
