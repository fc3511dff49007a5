"""Options of the command that are settings: one for each field that has flags.

A flag sets the variable of its setting for as long as the command runs. So it holds in the worker
processes of a run, and in whatever the command starts.
"""

import os
from collections.abc import Collection, Mapping
from typing import Any

import click
from pydantic.fields import FieldInfo

from xingu.config import ConfigManager, Settings
from xingu.config.fields import GROUPS, setting_flags, shown_default
from xingu.config.kinds import text_of

PAIRS = "databases"
"""The setting whose option has two values, nickname and URL, and can be repeated."""

ADDRESSES = "simpledp_train_datasource"
"""The setting whose option can be repeated, once for each address."""

METAVARS = {"dataproviders": "ID,…", PAIRS: "NICK URL", "control_db": "URL"}


def settings_options(without: Collection[str] = ()) -> list[click.Parameter]:
    """Return an option for each setting that has flags.

    Args:
        without: Fields to leave out.
    """
    fields = {name: field for group in GROUPS for name, field in group.model_fields.items()}
    return [
        _option(name, field)
        for name, field in fields.items()
        if setting_flags(field) and name not in without
    ]


class SettingsCommand(click.Command):
    """A command that has options for settings beside its own; its help lists them by group.

    Args:
        without: Fields of the settings that it has no option for.
        **attributes: As of `click.Command`.
    """

    def __init__(self, *, without: Collection[str] = (), **attributes: Any) -> None:
        super().__init__(**attributes)
        self.own = list(self.params)
        self.params = [*self.own, *settings_options(without)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the own options, then those of each group of settings."""
        help_option = self.get_help_option(ctx)
        own = [*self.own, *([help_option] if help_option else [])]
        for title, params in {"Options": own, **by_group(self.params)}.items():
            rows = [row for one in params if (row := one.get_help_record(ctx))]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def by_group(params: Collection[click.Parameter]) -> dict[str, list[click.Parameter]]:
    """Return the options that are settings by the title of their group."""
    by_name = {one.name: one for one in params}
    return {
        f"Settings: {(group.__doc__ or '').rstrip('.')}": [
            by_name[name] for name in group.model_fields if name in by_name
        ]
        for group in GROUPS
    }


def use_flags(context: click.Context, flags: Mapping[str, Any]) -> None:
    """Set the variables of the settings that were given as flags, until `context` is closed.

    Args:
        context: The running command.
        flags: Values by name of the field; None or an empty tuple: not given.
    """
    fields = Settings.model_fields
    given = {
        str(fields[name].alias): value
        for name, value in flags.items()
        if name in fields and value not in (None, ())
    }
    # First, because `.env` is read from the home.
    for variable in sorted(given, key=lambda name: name != "PROJECT_HOME"):
        _set_until_closed(context, variable, _as_text(variable, given[variable]))


def _set_until_closed(context: click.Context, variable: str, text: str) -> None:
    before = os.environ.get(variable)
    ConfigManager.set(variable, text)

    def restore() -> None:
        ConfigManager.set(variable, ConfigManager.undefined if before is None else before)
        ConfigManager.set_cache(variable, ConfigManager.undefined)

    context.find_root().call_on_close(restore)


def _as_text(variable: str, value: Any) -> str:
    """Return a value as its variable holds it; databases are added to those that are set."""
    if variable == Settings.model_fields[PAIRS].alias:
        before = [part.strip() for part in configured(variable).split("|")]
        known = zip(before[::2], before[1::2], strict=False)  # an odd one has an error of its own
        pairs = {nickname: url for nickname, url in (*known, *value) if nickname}
        return "|".join(part for pair in pairs.items() for part in pair)
    return "|".join(value) if isinstance(value, tuple) else text_of(value)


def configured(variable: str) -> str:
    """Return the text of a variable that is set anywhere; empty if it is not."""
    return text_of(ConfigManager.lookup().value(variable, resolve=False, default=""))


def _option(name: str, field: FieldInfo) -> click.Option:
    default = "" if name == PAIRS else shown_default(field)
    notes = "; ".join(filter(None, [str(field.alias), f"default: {default}" if default else ""]))
    text = f"{field.description} [{notes}]"
    attributes: dict[str, Any] = {"help": text, "default": None, "metavar": METAVARS.get(name)}
    if name == PAIRS:
        attributes |= {"nargs": 2, "multiple": True}
        attributes["help"] = f"Name and SQLAlchemy URL of a database. Can be repeated. [{notes}]"
    elif name == ADDRESSES:
        attributes |= {"multiple": True, "metavar": "URL"}
    elif field.annotation in (int, int | None):
        minimum = next((item.ge for item in field.metadata if hasattr(item, "ge")), None)
        attributes["type"] = click.IntRange(minimum)
    if name == "dataproviders":
        attributes["shell_complete"] = _complete_ids
    return click.Option([name, *setting_flags(field)], **attributes)


def _complete_ids(
    ctx: click.Context,  # noqa: ARG001 - click's signature
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[str]:
    """Return ids that files of DataProviders seem to declare; the files are not imported."""
    import re

    settings = Settings.load()
    folder = settings.project_home / settings.dataproviders_folder
    declared = re.compile(r"^\s+id(?:\s*:\s*\w+)?\s*=\s*[\"']([^\"']+)[\"']", re.MULTILINE)
    files = [file for file in folder.rglob("*.py") if not file.name.startswith("_")]
    found = {name for file in files for name in declared.findall(file.read_text(errors="ignore"))}
    before, _, last = incomplete.rpartition(",")
    start = f"{before}," if before else ""
    return [f"{start}{name}" for name in sorted(found) if name.startswith(last)]
