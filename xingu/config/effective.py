"""Settings of a run: defaults of its options, and settings in force, as a train records them."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from xingu.config.settings import Settings
from xingu.masking import HIDDEN, is_secret, masked, shown_address
from xingu.options import SETTINGS, InForce, RunOptions


def default_options(settings: Settings) -> RunOptions:
    """Return the options of a run that gives none."""
    fields = {str(field.alias).lower(): name for name, field in Settings.model_fields.items()}
    options = RunOptions.model_fields.keys() & fields
    values = {option: getattr(settings, fields[option]) for option in options}
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
            "value": shown_value(getattr(settings, name)),
            "from": "given" if name in settings.model_fields_set else "default",
        }
        for name, field in type(settings).model_fields.items()
    }
    for option, one in used.items():
        variable = option.upper() if option.upper() in in_force else option
        value, origin = shown_value(one["value"]), one["from"]
        known = in_force.get(variable, {"value": None, "from": "default"})
        if origin == SETTINGS and (known["value"] or None) == (value or None):
            origin = known["from"]
        in_force[variable] = {"value": value, "from": origin}
    return in_force


def shown_value(value: Any) -> Any:
    """Return the value of a setting as JSON has it, without secrets."""
    if isinstance(value, SecretStr):
        return masked(shown_address(value.get_secret_value()))
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN if isinstance(one, str) and is_secret(str(name)) else shown_value(one)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [shown_value(one) for one in value]
    return value if isinstance(value, bool | int | float | None) else masked(str(value))
