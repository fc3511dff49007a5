"""The command `xingu config`: every setting, where its value comes from, and what is wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from xingu_dagster.cli.output import JSON, print_json, print_section, print_table

if TYPE_CHECKING:
    from xingu.config import Reading

VERSION = 1
"""Version of the document of ``--json``; it grows when a field is removed or changes."""


@dataclass(frozen=True)
class Row:
    """One setting, as JSON has it; secrets are masked."""

    variable: str
    group: str
    value: Any
    origin: str
    aws: bool
    default: str
    flags: list[str]
    description: str
    problem: str | None


@click.command(short_help="Show settings, and where they come from.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--describe", is_flag=True, help="Show the meaning and the flags of each setting.")
@JSON
def config(names: tuple[str, ...], describe: bool, as_json: bool) -> None:
    """Show every setting: its value, where it comes from, and its default.

    With NAMEs, show these settings and what they mean. Secrets are masked. If a setting is invalid,
    the others are shown all the same, and the exit code is 1.
    """
    from xingu.config import read_settings
    from xingu.config.hints import notes_on
    from xingu_dagster.engine.environment import notes_on_precedence

    reading = read_settings()
    rows = _chosen([*_rows(reading), *_rows_of_targets(reading)], names)
    notes = [*notes_on(reading.lookup), *notes_on_precedence(reading.lookup)]
    problems = {row.variable: row.problem for row in rows if row.problem}
    if as_json:
        home = str(reading.settings.project_home.resolve())
        content = [vars(row) for row in rows]
        print_json({"version": VERSION, "home": home, "settings": content, "notes": notes})
    else:
        _print(rows, describe=describe or bool(names))
        tables = {"Invalid settings": [*problems.items()], "Notes": [("", note) for note in notes]}
        for title, lines in tables.items():
            if lines:
                click.echo()
                print_table(title, ["", ""], lines, header=False)
    if problems:
        click.get_current_context().exit(1)


def _rows(reading: "Reading") -> list[Row]:
    from xingu.config.effective import shown_value
    from xingu.config.fields import GROUPS, setting_flags, shown_default

    rows = []
    for group in GROUPS:
        for name, field in group.model_fields.items():
            variable = str(field.alias)
            problem = reading.problems.get(variable)
            is_given = problem or name in reading.settings.model_fields_set
            rows.append(
                Row(
                    variable=variable,
                    group=(group.__doc__ or "").rstrip("."),
                    value=None if problem else shown_value(getattr(reading.settings, name)),
                    origin=(is_given and reading.lookup.origin(variable)) or "default",
                    aws=variable in reading.lookup.from_aws,
                    default=shown_default(field),
                    flags=setting_flags(field),
                    description=field.description or "",
                    problem=problem,
                )
            )
    return rows


def _rows_of_targets(reading: "Reading") -> Iterator[Row]:
    """Yield the settings of targets as they are written: placeholders in them stay.

    Whoever looks at the settings needs no access to the secrets of all targets.
    """
    from pydantic import SecretStr

    from xingu.config import Settings
    from xingu.config.effective import shown_value
    from xingu.config.kinds import text_of
    from xingu.config.targets import targets_of, variables_of

    for target in targets_of(reading.lookup):
        for name, variable, origin in variables_of(reading.lookup, target):
            value = text_of(reading.lookup.value(variable, resolve=False, default=""))
            yield Row(
                variable=variable,
                group=f"Target {target}",
                value=shown_value(SecretStr(value)) if name == "control_db" else shown_value(value),
                origin=origin or "not set",
                aws=False,
                default="",
                flags=[],
                description=Settings.model_fields[name].description or "",
                problem=None,
            )


def _chosen(rows: list[Row], names: tuple[str, ...]) -> list[Row]:
    from xingu.errors import did_you_mean

    known = {row.variable: row for row in rows}
    for name in names:
        if name.upper() not in known:
            raise click.UsageError(f"There is no setting {name}.{did_you_mean(name, known)}")
    return [known[name.upper()] for name in names] or rows


def _text(value: Any) -> str:
    """Return a shown value as the text of a cell."""
    from xingu.config.kinds import text_of

    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_text(one)}" for name, one in value.items())
    return text_of(value)


def _print(rows: list[Row], *, describe: bool) -> None:
    if describe:
        for row in rows:
            origin, value, default = _cells(row)
            facts = {
                "value": value, "from": origin, "default": default,
                "flags": ", ".join(row.flags), "meaning": row.description,
            }  # fmt: skip
            print_section(row.variable, facts)
        return
    lines: list[list[str]] = []
    for row in rows:
        if [row.group] not in lines:
            lines.append([row.group])
        origin, value, default = _cells(row)
        lines.append([row.variable, value, origin, default if origin != "default" else ""])
    print_table("", ["setting", "value", "from", "default"], lines, whole=[0, 2])


def _cells(row: Row) -> tuple[str, str, str]:
    origin = f"{row.origin}, AWS" if row.aws else row.origin
    value = "invalid" if row.problem else _text(row.value)
    return origin, value, row.default or "none"
