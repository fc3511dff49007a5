"""The settings of a project as one validated record.

`Settings.load` reads the command line, the environment and `.env`; ``Settings(…)`` reads nothing.
Relative folders are relative to the project's home, so that every process of a run resolves the
same paths.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ConfigDict, PrivateAttr, SecretStr, ValidationError
from upath import UPath

from xingu.config.alert_fields import AlertFields
from xingu.config.automation_fields import AutomationFields
from xingu.config.deploy_fields import DeployFields, variable_of
from xingu.config.fields import (
    DatabaseFields,
    ParallelFields,
    ProjectFields,
    ProvenanceFields,
    SimpleFields,
    StorageFields,
    TrainFields,
)
from xingu.config.hints import notes_on
from xingu.config.lookup import Lookup
from xingu.config.manager import ConfigManager
from xingu.config.signing_fields import SigningFields
from xingu.config.targets import known_target, target_values
from xingu.config.watch_fields import WatchFields
from xingu.errors import SettingsError, did_you_mean
from xingu.masking import remember_secrets, secrets_of

logger = logging.getLogger(__name__)


class Settings(
    # Pydantic has the fields of the last base first.
    SimpleFields,
    DeployFields,
    SigningFields,
    ProvenanceFields,
    AlertFields,
    AutomationFields,
    ParallelFields,
    TrainFields,
    StorageFields,
    WatchFields,
    DatabaseFields,
    ProjectFields,
):
    """Settings of a project; the alias of a field is the name of its environment variable."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    _given: Mapping[str, Any] | None = PrivateAttr(default_factory=dict)
    """Values of the command line, by variable; None: the environment must not be read."""

    @classmethod
    def load(cls, **overrides: Any) -> "Settings":
        """Read and validate the settings.

        Args:
            overrides: Settings by name of the field, as from a command line; they override the
                environment.

        Raises:
            SettingsError: If any is invalid. The text names the variables of all that are, never
                a value; `facts["problems"]` has the texts by variable.
        """
        reading = read_settings(**overrides)
        for note in notes_on(reading.lookup):
            _warn_once(note)
        _refuse(reading.problems)
        reading.settings._given = reading.lookup.layers["command line"]
        return reading.settings

    @classmethod
    def given(cls, **values: Any) -> "Settings":
        """Validate settings that a caller gives by name of the field; nothing is read.

        Raises:
            SettingsError: As `load`.
        """
        problems: dict[str, str] = {}
        settings = _validated(values, problems)
        _refuse(problems)
        settings._given = None
        return settings

    def target(self, name: str) -> "Settings":
        """Read the settings of a target; what it has none of its own for is that of the project.

        Model storage must be its own. Without a control DB of its own, `control_db` is empty.

        Raises:
            SettingsError: If there is no such target, or a setting of it is missing or invalid.
        """
        known_target(self.deploy_targets, name)
        if self._given is None:
            raise SettingsError(
                f"The target {name} cannot be used: this project does not read the environment."
            )
        home = {"PROJECT_HOME": str(self.project_home)}
        values, problems = target_values(ConfigManager.lookup({**self._given, **home}), name)
        fields = type(self).model_fields.items()
        mine = {str(field.alias): getattr(self, field_name) for field_name, field in fields}
        invalid: dict[str, str] = {}
        settings = _validated({**mine, **values}, invalid)
        _refuse({**problems, **{variable_of(key, name): text for key, text in invalid.items()}})
        settings._given = self._given
        return settings

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002 - pydantic calls it
        """Hide secrets in every text that this process writes."""
        for value in _texts(dict(self)):
            if isinstance(value, SecretStr):
                secret = value.get_secret_value()
                remember_secrets(secrets_of(secret) if "://" in secret else {secret})
            elif "://" in value:
                remember_secrets(secrets_of(value))

    def get(self, variable: str, default: Any = None) -> Any:
        """Return the setting of a variable; for unknown ones, what `ConfigManager` finds."""
        for name, field in type(self).model_fields.items():
            if field.alias == variable:
                return getattr(self, name)
        return ConfigManager.get(variable, default)

    def place(self, path: str) -> UPath:
        """Resolve a folder or URL of the settings; relative to the project's home."""
        place = UPath(path)
        if place.protocol in ("", "file") and not place.is_absolute():
            return UPath(self.project_home.resolve() / path)
        return place

    def source_databases(self) -> dict[str, SecretStr]:
        """Return database URLs by nickname; ``xingu`` is the control DB."""
        return {"xingu": self.control_db, **self.databases}


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings that were read, valid or not.

    Attributes:
        lookup: Where each value comes from.
        settings: The settings; those that are invalid have their defaults.
        problems: What is wrong, by variable; no text has a value.
    """

    lookup: Lookup
    settings: Settings
    problems: Mapping[str, str]


def read_settings(**overrides: Any) -> Reading:
    """Read the settings as `Settings.load` does, without refusing any.

    Args:
        overrides: Settings by name of the field; they override the environment.

    Raises:
        SettingsError: If PROJECT_HOME cannot be read.
    """
    fields = Settings.model_fields
    variables = {name: str(field.alias) for name, field in fields.items()}
    given = {variables.get(name, name): value for name, value in overrides.items()}
    problems = {
        name: f"no setting has this name.{did_you_mean(name, variables)}"
        for name in given
        if name not in variables.values()
    }
    lookup = ConfigManager.lookup(given)
    values: dict[str, Any] = {"PROJECT_HOME": lookup.home}
    for variable in variables.values():
        if lookup.origin(variable) in (None, "default"):
            continue
        try:
            value = lookup.value(variable)
        except SettingsError as error:
            problems[variable] = str(error).removeprefix(f"{variable}: ")
        else:
            # An empty one, as CI systems pass it, must not make "" a folder: that is the project.
            if not isinstance(value, str) or value.strip():
                values[variable] = value
    values["PROJECT_HOME"] = lookup.home
    return Reading(lookup, _validated(values, problems), problems)


def _validated(values: dict[str, Any], problems: dict[str, str]) -> Settings:
    """Return the settings without those that are invalid, which are added to `problems`."""
    while True:
        try:
            return Settings.model_validate(values)
        except ValidationError as error:
            # The input is not in the text: it may contain a password.
            for item in error.errors(include_input=False, include_url=False):
                variable, *inner = map(str, item["loc"])
                text = ".".join([*inner, ""]) + item["msg"].removeprefix("Value error, ")
                problems[variable] = "; ".join(filter(None, [problems.get(variable), text]))
                values.pop(variable, None)


def _refuse(problems: Mapping[str, str]) -> None:
    if problems:
        details = "; ".join(f"{name}: {text}" for name, text in problems.items())
        raise SettingsError(f"Settings cannot be read: {details}", problems=dict(problems))


@cache
def _warn_once(text: str) -> None:
    logger.warning("%s", text)


def _texts(value: Any) -> Iterator[str | SecretStr]:
    """Yield all texts in a value, at any depth."""
    if isinstance(value, str | SecretStr):
        yield value
    elif isinstance(value, Mapping | tuple | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)
