"""Settings of a run: defaults of its options, and settings in force, as a train records them."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from xingu.config.settings import Settings
from xingu.masking import masked, shown_address
from xingu.options import SETTINGS, InForce, RunOptions


def default_options(settings: Settings) -> RunOptions:
    """Return the options of a run that gives none."""
    values = {option: getattr(settings, name) for option, name in _fields().items()}
    return RunOptions(**{option: value for option, value in values.items() if value is not None})


def effective_settings(settings: Settings, used: Mapping[str, Mapping[str, Any]]) -> InForce:
    """Return the settings, and the options that a train used, with their origins and no secrets.

    Args:
        settings: The settings of the project.
        used: Options as of `ResolvedOptions.used`. They may be of earlier runs, which made values
            that this train was made of.
    """
    in_force = {
        str(field.alias or name): {
            "value": _shown(getattr(settings, name)),
            "from": "given" if name in settings.model_fields_set else "default",
        }
        for name, field in type(settings).model_fields.items()
    }
    variables = {option: option.upper() for option in _fields()}
    for option, one in used.items():
        variable, value, origin = variables.get(option, option), _shown(one["value"]), one["from"]
        known = in_force.get(variable, {"value": None, "from": "default"})
        if origin == SETTINGS and (known["value"] or None) == (value or None):
            origin = known["from"]
        in_force[variable] = {"value": value, "from": origin}
    return in_force


def _fields() -> dict[str, str]:
    """Return the field of `Settings` by option, of options that have a setting."""
    fields = {str(field.alias).lower(): name for name, field in Settings.model_fields.items()}
    return {option: fields[option] for option in RunOptions.model_fields if option in fields}


def _shown(value: Any) -> Any:
    """Return a value as JSON has it, without secrets."""
    if isinstance(value, SecretStr):
        return masked(shown_address(value.get_secret_value()))
    if isinstance(value, Mapping):
        return {str(name): _shown(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(one) for one in value]
    return value if isinstance(value, bool | int | float | None) else masked(str(value))
