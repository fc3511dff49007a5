"""Find the value of a name: command line over environment over `.env` over default.

A value may hold placeholders: ``{% NAME %}`` is the value of another name, ``{% AWS_PARAM:name %}``
and ``{% AWS_SECRET:name %}`` are read from AWS; ``{% QUOTED:… %}`` is any of them with the special
characters of a URL escaped. They may be nested, in a placeholder and in the values that replace
them. No text of an error holds a value.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from dotenv import dotenv_values
from pydantic import SecretStr

from xingu.config import aws
from xingu.config.fields import variable_defaults
from xingu.config.kinds import text_of
from xingu.errors import SettingsError, did_you_mean

Origin = Literal["command line", "environment", ".env", "default"]
Layers = Mapping[Origin, Mapping[str, Any]]

HOME, QUOTED = "PROJECT_HOME", "QUOTED:"


def read_env_file(file: Path) -> dict[str, str]:
    """Return the variables of a file such as `.env`; a file that is missing has none.

    Raises:
        SettingsError: If it cannot be read.
    """
    try:
        values = dotenv_values(file, encoding="utf-8") if file.is_file() else {}
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(f"{file}, line {line}: it is no UTF-8; save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error
    return {name: value for name, value in values.items() if value is not None}


class Lookup:
    """The values of one reading of command line, environment and `.env`.

    Args:
        given: Values of the command line, by variable; they may be of any type.
        env_file: File that is read as `.env`; None: that in the project's home.

    Attributes:
        home: The project's home.
        layers: Values as they are written, by origin, the strongest first.
        from_aws: Names whose values were read from AWS, in whole or in part.
    """

    def __init__(self, given: Mapping[str, Any], env_file: Path | None = None) -> None:
        self.from_aws: set[str] = set()
        self._values: dict[str, Any] = {}
        self.layers: Layers = {"command line": given, "environment": os.environ}
        self.home = Path(text_of(self.value(HOME, default=None)) or Path.cwd())
        self._values.clear()
        self.layers = {
            **self.layers,
            ".env": read_env_file(env_file or self.home / ".env"),
            "default": {**variable_defaults(), HOME: str(self.home)},
        }

    def origin(self, name: str) -> Origin | None:
        """Return where the value of a name comes from; None if it has none."""
        return next((origin for origin, layer in self.layers.items() if name in layer), None)

    def value(self, name: str, *, resolve: bool = True, **default: Any) -> Any:
        """Return the value of a name.

        Args:
            name: Name of a setting or of any other variable, or ``AWS_PARAM:…``, ``AWS_SECRET:…``.
            resolve: Whether placeholders in it are replaced.
            **default: `default`, if given, is returned for a name that is not set.

        Raises:
            SettingsError: If the name has no value, or a placeholder cannot be replaced.
        """
        if name.startswith((aws.PARAMETER, aws.SECRET)):
            return self._read(name, ())
        if self.origin(name) in (None, "default") and "default" in default:
            return default["default"]
        return self._value(name, ()) if resolve else self._written((name,))

    def _value(self, name: str, path: tuple[str, ...]) -> Any:
        path = _longer(path, name)
        if name not in self._values:
            self._values[name] = self._replaced(self._written(path), path)
        if name in self.from_aws:
            self.from_aws.update(path)
        return self._values[name]

    def _written(self, path: tuple[str, ...]) -> Any:
        """Return the value of the last name of a path, as it is written."""
        name = path[-1]
        origin = self.origin(name)
        if origin is None:
            hint = did_you_mean(name, {key for layer in self.layers.values() for key in layer})
            subject = name if len(path) > 1 else "it"
            raise _error(path, f"{subject} is not set; set it in the environment or in .env.{hint}")
        return self.layers[origin][name]

    def _replaced(self, value: Any, path: tuple[str, ...]) -> Any:
        """Return a value with all placeholders in it replaced, at any depth."""
        if isinstance(value, SecretStr):
            return SecretStr(self._replaced(value.get_secret_value(), path))
        if isinstance(value, Mapping):
            return {key: self._replaced(one, path) for key, one in value.items()}
        if isinstance(value, tuple | list):
            return type(value)(self._replaced(one, path) for one in value)
        if not isinstance(value, str):
            return value
        if value.startswith((aws.PARAMETER, aws.SECRET)):  # Xingu 2.0 has it without the marks
            return self._read(value, path)
        return self._replaced_text(value, path) if "{%" in value else value

    def _replaced_text(self, text: str, path: tuple[str, ...]) -> str:
        # The text before the first mark, then that of each placeholder that is still open.
        open_parts = [""]
        for part in re.split(r"(\{%|%\})", text):
            if part == "{%":
                open_parts.append("")
            elif part == "%}" and len(open_parts) > 1:
                name = open_parts.pop().strip()
                open_parts[-1] += self._read(name, path)
            else:
                open_parts[-1] += part
        if len(open_parts) > 1:
            raise _error(
                path,
                "a placeholder is not closed; write {% NAME %}, and where {% is no placeholder, "
                "in a URL, %7B%25.",
            )
        return open_parts[0]

    def _read(self, name: str, path: tuple[str, ...]) -> str:
        """Return what a placeholder stands for, as text."""
        if name.startswith(QUOTED):
            return quote(self._read(name.removeprefix(QUOTED).strip(), path), safe="")
        if not name.startswith((aws.PARAMETER, aws.SECRET)) or self.origin(name):
            return text_of(self._value(name, path))
        path = _longer(path, name)
        self.from_aws.update(path)
        kind, _, key = name.partition(":")
        try:
            found = aws.parameter(key.strip()) if kind == "AWS_PARAM" else aws.secret(key.strip())
        except (SettingsError, ImportError) as error:
            raise _error(path, str(error)) from error
        # One mark alone may stand in a generated password.
        return self._replaced(found, path) if "{%" in found and "%}" in found else found


def _longer(path: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return the names that led to a value, and its own; a name occurs once only."""
    if name in path:
        cycle = " → ".join((*path[path.index(name) :], name))
        raise _error(path[:1], f"its placeholders form a cycle, {cycle}; remove one of them.")
    return (*path, name)


def _error(path: tuple[str, ...], message: str) -> SettingsError:
    """Return an error that names the setting, and the names that led to the problem."""
    setting = path[0]
    if len(path) > 1:
        message = f"{message.removesuffix('.')} ({' → '.join(path)})."
    return SettingsError(f"{setting}: {message}", setting=setting)
