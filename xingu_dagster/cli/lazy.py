"""The group `xingu`: its sub-commands are imported when they are called, not when they are listed.

Importing Dagster, pandas and pydantic takes seconds, and neither help nor the completion of names
may wait for it. Therefore this module imports click alone.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from xingu.errors import did_you_mean

Commands = Mapping[str, tuple[str, str]]
"""Module and short help of each sub-command; the module has the command under its own name."""

SETTINGS = "xingu_dagster.cli.settings"
"""Module of the options that are settings."""


class LazyGroup(click.Group):
    """A group that imports sub-commands on first use, and whose options are settings.

    The options are created, which imports pydantic, if one is given before the sub-command.

    Args:
        lazy: The sub-commands, in the order of the help.
        **attributes: As of `click.Group`.
    """

    def __init__(self, *, lazy: Commands, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.lazy = lazy
        self._settings: list[click.Parameter] = []

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the sub-commands, in the order of the help."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a sub-command; None if there is none of this name."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _ = self.lazy[cmd_name]
        return getattr(import_module(module), cmd_name.replace("-", "_"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sub-commands with their short helps, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.lazy[name][1]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Return the sub-commands and options that begin so, without importing sub-commands."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=text)
            for name, (_, text) in self.lazy.items()
            if name.startswith(incomplete)
        ]
        if incomplete.startswith("-"):
            self._make_settings()
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options; settings are among them once one is given."""
        return [*self._settings, *super().get_params(ctx)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the sub-command."""
        own = {name for one in super().get_params(ctx) for name in one.opts}
        if args and args[0].startswith("-") and args[0] not in own:
            self._make_settings()
        return super().parse_args(ctx, args)

    def _make_settings(self) -> None:
        self._settings = self._settings or import_module(SETTINGS).settings_options()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the sub-command; of an unknown one, suggest the nearest name."""
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            ctx.fail(f"No such command {args[0]!r}.{did_you_mean(args[0], self.lazy)}")
        return super().resolve_command(ctx, args)
