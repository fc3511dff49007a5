"""Read settings from the environment and from `.env` into one validated record.

The environment overrides `.env`, which overrides defaults. Relative folders are relative to the
project's home, so that every process of a run resolves the same paths.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from upath import UPath

from xingu.config.fields import (
    DatabaseFields,
    ParallelFields,
    ProjectFields,
    ProvenanceFields,
    SimpleFields,
    StorageFields,
    TrainFields,
)
from xingu.errors import SettingsError
from xingu.masking import remember_secrets, secrets_of


class Settings(  # type: ignore[misc]
    # Pydantic has the fields of the last base first.
    SimpleFields,
    ProvenanceFields,
    ParallelFields,
    TrainFields,
    StorageFields,
    DatabaseFields,
    ProjectFields,
    BaseSettings,
):
    """Settings of a project; the alias of a field is the name of its environment variable."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8", extra="ignore", frozen=True, populate_by_name=True
    )

    @classmethod
    def load(cls, **overrides: Any) -> "Settings":
        """Read and validate the settings.

        Args:
            overrides: Settings by name of the field; they override the environment.

        Raises:
            SettingsError: If one is invalid; the text names the variable, never its value.
        """
        home = Path(overrides.get("project_home") or os.environ.get("PROJECT_HOME") or Path.cwd())
        try:
            return cls(_env_file=home / ".env", **overrides)  # type: ignore[call-arg]
        except ValidationError as error:
            # The input is not in the text: it may contain a password.
            details = "; ".join(
                f"{'.'.join(map(cls._variable, item['loc']))}: {item['msg']}"
                for item in error.errors(include_input=False, include_url=False)
            )
            raise SettingsError(f"Settings cannot be read: {details}") from None

    @classmethod
    def _variable(cls, name: str | int) -> str:
        """Return the variable of a field; other names as they are."""
        field = cls.model_fields.get(str(name))
        return field.alias if field and field.alias else str(name)

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002 - pydantic calls it
        """Hide secrets in every text that this process writes."""
        values = [getattr(self, name) for name in type(self).model_fields]
        nested = [item for value in values if isinstance(value, Mapping) for item in value.values()]
        for value in (*values, *nested):
            if isinstance(value, SecretStr):
                secret = value.get_secret_value()
                remember_secrets(secrets_of(secret) if "://" in secret else {secret})

    def get(self, variable: str, default: Any = None) -> Any:
        """Return the setting of a variable; for unknown ones, the environment variable itself."""
        for name, field in type(self).model_fields.items():
            if field.alias == variable:
                return getattr(self, name)
        return os.environ.get(variable, default)

    def place(self, path: str) -> UPath:
        """Resolve a folder or URL of the settings; relative to the project's home."""
        place = UPath(path)
        if place.protocol in ("", "file") and not place.is_absolute():
            return UPath(self.project_home.resolve() / path)
        return place

    def source_databases(self) -> dict[str, SecretStr]:
        """Return database URLs by nickname; ``xingu`` is the control DB."""
        return {"xingu": self.control_db, **self.databases}
