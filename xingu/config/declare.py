"""Declare a setting as a field of a group."""

from typing import Any

from pydantic import Field


def setting(default: Any, variable: str, description: str, *flags: str, **limits: Any) -> Any:
    """Return the field of a setting.

    Args:
        default: Its default.
        variable: Name of its environment variable.
        description: Its meaning, for people.
        *flags: Its flags on the command line.
        **limits: Constraints of pydantic, such as `ge`.
    """
    extra: dict[str, Any] = {"flags": list(flags)}
    return Field(
        default, alias=variable, description=description, json_schema_extra=extra, **limits
    )
