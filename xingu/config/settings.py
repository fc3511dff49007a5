"""Read settings from the environment and from `.env` into one validated record.

The environment overrides `.env`, which overrides defaults. Relative folders are relative to the
project's home, so that every process of a run resolves the same paths.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from upath import UPath

from xingu.errors import SettingsError
from xingu.masking import remember_secrets, secrets_of
from xingu.names import MAX_NAME

ExecutorName = Literal["pool", "in_process", "celery", "dask", "k8s"]


class Settings(BaseSettings):
    """Settings of a project; the alias of a field is the name of its environment variable."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8", extra="ignore", frozen=True, populate_by_name=True
    )

    project_home: Path = Field(default_factory=Path.cwd, alias="PROJECT_HOME")
    dataproviders: Annotated[tuple[str, ...], NoDecode] = Field((), alias="DATAPROVIDER_LIST")
    dataproviders_folder: str = Field("dataproviders", alias="DATAPROVIDER_FOLDER")
    import_seconds: float = Field(120, ge=0, alias="XINGU_IMPORT_SECONDS")
    """Time limit of the import of each file of DataProviders; 0: none."""
    databases: Annotated[Mapping[str, SecretStr], NoDecode] = Field({}, alias="DATABASES")
    control_db: SecretStr = Field(SecretStr("sqlite:///.xingu/control.db"), alias="XINGU_DB_URL")
    table_prefix: str = Field("", alias="XINGU_DB_TABLE_PREFIX", pattern=r"^[A-Za-z0-9_]*$")
    save_sets: bool = Field(True, alias="SAVE_SETS")
    save_estimations: bool = Field(False, alias="BATCH_PREDICT_SAVE_ESTIMATIONS")
    datasource_cache: str | None = Field(None, alias="DATASOURCE_CACHE_PATH")
    datasource_workers: int = Field(0, ge=0, alias="PARALLEL_DATASOURCE_MAX_WORKERS")
    models: str = Field("models", alias="TRAINED_MODELS_PATH")
    verify_packages: bool = Field(True, alias="XINGU_VERIFY_PACKAGES")
    """Refuse to save a model that does not load without the project."""
    plots: str = Field("plots", alias="PLOTS_PATH")
    plots_format: Annotated[tuple[Literal["html", "png", "svg"], ...], NoDecode] = Field(
        ("html",), alias="PLOTS_FORMAT"
    )
    """Formats in which each plot is saved; HTML always is."""
    values: str = Field(".xingu/values", alias="XINGU_VALUES_PATH")
    keep_values: int = Field(3, ge=1, alias="XINGU_KEEP_VALUES")
    train_session_id: str | None = Field(None, max_length=MAX_NAME, alias="TRAIN_SESSION_ID")
    preferred_trains: Annotated[tuple[str, ...], NoDecode] = Field(
        (), alias="PRE_REQ_TRAIN_OR_SESSION_IDS"
    )
    """Trains or sessions of prerequisites, in order of preference."""
    hyperopt_strategy: str = Field("last", min_length=1, alias="HYPEROPT_STRATEGY")
    """``last``, ``self``, ``dp``, a train id or a session id."""
    hyperopt_workers: int = Field(0, ge=0, alias="PARALLEL_HYPEROPT_MAX_WORKERS")
    commit_inventory: bool = Field(False, alias="COMMIT_INVENTORY")
    post_process: bool = Field(True, alias="POST_PROCESS")
    batch_predict: bool = Field(True, alias="BATCH_PREDICT")
    load_workers: int = Field(0, ge=0, alias="PARALLEL_POST_PROCESS_MAX_WORKERS")
    executor: ExecutorName = Field("pool", alias="XINGU_EXECUTOR")
    max_steps: int = Field(0, ge=0, alias="XINGU_MAX_STEPS")
    """Maximum number of concurrent steps of a run; 0: number of cores."""
    worker_memory_mb: int = Field(2048, ge=0, alias="XINGU_WORKER_MEMORY_MB")
    """Memory above which a worker of the pool is replaced between two steps; 0: no limit."""
    worker_steps: int = Field(0, ge=0, alias="XINGU_WORKER_STEPS")
    """Steps after which a worker of the pool is replaced; 0: no limit."""

    @field_validator("dataproviders", "preferred_trains", "plots_format", mode="before")
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(name.strip() for name in value.split(",") if name.strip())

    @field_validator("databases", mode="before")
    @classmethod
    def _pair_databases(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split("|")] if value.strip() else []
        if len(parts) % 2:
            raise ValueError(
                f"it has {len(parts)} parts; write pairs, as in nick|url|nick|url (no part is "
                "shown here, because a URL may hold a password)"
            )
        return dict(zip(parts[::2], parts[1::2], strict=True))

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
