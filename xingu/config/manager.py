"""Settings and other variables by name, as projects of Xingu 2.0 read them."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from xingu.config import aws
from xingu.config.kinds import parse_bool, text_of
from xingu.config.lookup import Lookup
from xingu.errors import SettingsError


class _Undefined:
    """The type of `ConfigManager.undefined`."""

    def __repr__(self) -> str:
        return "undefined"


class ConfigManager:
    """Read and set the settings of this process. The class and its instances do the same.

    Args:
        envfile: File that this process reads in place of the `.env` of the project's home.

    Attributes:
        undefined: Stands for "no value" in arguments.
        cache: Values that the program has set. They override the environment, also for
            `xingu.config.Settings`.

    Raises:
        SettingsError: If `envfile` does not exist.
    """

    undefined: Final[Any] = _Undefined()
    cache: ClassVar[dict[str, Any]] = {}
    env_file: ClassVar[Path | None] = None

    def __init__(self, envfile: str | Path | None = None) -> None:
        if envfile is None:
            return
        if not Path(envfile).is_file():
            raise SettingsError(f"ConfigManager: there is no file {envfile}.")
        type(self).env_file = Path(envfile)

    @classmethod
    def get(
        cls,
        config_item: str,
        default: Any = undefined,
        cast: Callable[[Any], Any] = undefined,
        resolve: bool = True,
    ) -> Any:
        """Return the value of a setting or of any other variable.

        Args:
            config_item: Name of the variable, or ``AWS_PARAM:name``, ``AWS_SECRET:name``.
            default: Returned if it is not set. Without it, the default of the setting is returned.
            cast: Converts a text: `bool`, `int`, `json.loads` or any other function.
            resolve: Whether placeholders are replaced.

        Raises:
            SettingsError: If it is not set and has no default, a placeholder cannot be replaced,
                or `cast` refuses the value, which is never in the text.
        """
        given = {} if default is cls.undefined else {"default": default}
        value = cls.lookup().value(config_item, resolve=resolve, **given)
        return converted(config_item, value, cast) if isinstance(value, str) else value

    @classmethod
    def set(
        cls, config_item: str | Iterable[str] | Mapping[str, Any], value: Any = undefined
    ) -> None:
        """Set variables for this process, and in the environment for those that it starts.

        Args:
            config_item: A name; several names, which all get `value`; or a dict of values by name.
            value: The value; `ConfigManager.undefined` unsets the names.
        """
        if isinstance(config_item, str):
            config_item = {config_item: value}
        elif not isinstance(config_item, Mapping):
            config_item = dict.fromkeys(config_item, value)
        for name, one in config_item.items():
            cls.set_cache(name, one)
            if one is cls.undefined:
                os.environ.pop(name, None)
            else:
                os.environ[name] = text_of(one)

    @classmethod
    def set_cache(cls, config_item: str, value: Any) -> Any:
        """Set the value of a name for this process, and return it.

        Args:
            config_item: Name of the variable.
            value: The value; `ConfigManager.undefined` removes it, and lets AWS be asked again.
        """
        if value is cls.undefined:
            cls.cache.pop(config_item, None)
            aws.forget()
        else:
            cls.cache[config_item] = value
        return value

    @classmethod
    def lookup(cls, given: Mapping[str, Any] | None = None) -> Lookup:
        """Return the values of this moment.

        Args:
            given: Values by variable that override all others.
        """
        return Lookup({**cls.cache, **(given or {})}, cls.env_file)


def converted(name: str, value: str, cast: Callable[[Any], Any]) -> Any:
    """Return the value of a variable as `cast` converts it, if there is one.

    Raises:
        SettingsError: If `cast` refuses the value, which is never in the text.
    """
    if cast is ConfigManager.undefined:
        return value
    try:
        return parse_bool(value) if cast is bool else cast(value)
    except Exception:  # noqa: BLE001 - whatever the function of the caller raises
        expected = _EXPECTED.get(cast, f"what {getattr(cast, '__name__', cast)} accepts")
        raise SettingsError(f"{name}: it must be {expected}.") from None


_EXPECTED: dict[Any, str] = {
    bool: "true, false, yes, no, 1, 0, on or off",
    int: "a whole number",
    float: "a number",
}
