"""Read settings by the names of their variables, as `get_config` of Xingu 2.0 did."""

from collections.abc import Callable, Mapping
from typing import Any

from xingu.config import ConfigManager, Settings
from xingu.config.kinds import text_of
from xingu.config.manager import converted

UNDEFINED = ConfigManager.undefined


def read_config(
    name: str,
    default: Any = UNDEFINED,
    cast: Callable[[Any], Any] = UNDEFINED,
    given: Mapping[str, Any] | None = None,
) -> Any:
    """Return the value of a variable as text.

    Args:
        name: Name of the variable, for example ``PLOTS_PATH``.
        default: Returned if it is not set; without it, the default of the setting is.
        cast: Converts a text: `bool`, `int` or any other function.
        given: Values by variable that override the environment.

    Raises:
        SettingsError: If it is not set and has no default, or `cast` refuses it.
    """
    options = {} if default is UNDEFINED else {"default": default}
    value = ConfigManager.lookup(given).value(name, **options)
    return value if value is None or value is default else converted(name, text_of(value), cast)


def given_by(settings: Settings) -> dict[str, Any]:
    """Return the settings that are not defaults, by variable."""
    fields = type(settings).model_fields
    return {
        str(fields[name].alias): getattr(settings, name)
        for name in sorted(settings.model_fields_set)
    }
