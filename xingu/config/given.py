"""Settings that a caller gives as values: nothing is read from the environment or from `.env`."""

from typing import Any

from pydantic_settings import PydanticBaseSettingsSource, SettingsConfigDict

from xingu.config.settings import Settings


class GivenSettings(Settings):
    """Settings of a project, by the names of the fields; the rest are defaults."""

    model_config = SettingsConfigDict(extra="forbid")

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls,
        _settings_cls: Any,
        init_settings: PydanticBaseSettingsSource,
        **_: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the only source: the arguments."""
        return (init_settings,)
