"""`xingu explain`: what a DataProvider overrides, reads, makes and checks."""

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from xingu.logs import silenced
from xingu_dagster.cli.output import JSON, print_json, print_section, shown_place

SCHEMA = "xingu.explain/1"
TITLES = {
    "dataprovider": "DataProvider",
    "methods": "Metric and plot methods",
    "gates": "Quality gates",
    "by_itself": "What happens by itself",
    "pre_reqs": "Prerequisites",
    "settings": "Settings that change it",
}
HIDDEN = {"sources": {"database"}, "assets": {"checks"}, "checks": {"severity", "title"}}
"""Parts of records that only the JSON has."""


@click.command(short_help="Show what a DataProvider overrides, reads, makes and checks.")
@click.argument("dp")
@JSON
def explain(dp: str, as_json: bool) -> None:
    """Show what DP overrides and where, what it reads and makes, and what applies to it.

    Hooks are listed in calling order, with the class (a base class or a mixin, too) and the line
    that declares them; then declarations, sources, assets with their phase, checks and gates,
    metrics and plots, the search space, prerequisites, and settings. Nothing is read or trained.
    """
    from xingu.compat.factory import factory_of
    from xingu.config import Settings
    from xingu_dagster.inspection.explain import explain_provider

    settings = Settings.load(dataproviders=())
    # What is wrong with other DataProviders is the subject of `check`.
    with redirect_stdout(sys.stderr), silenced("xingu"):
        factory = factory_of(settings)
        cls = type(factory.create(dp))
        explained = explain_provider(cls, factory.known, settings)
    if as_json:
        print_json({"schema": SCHEMA, **explained})
        return
    home = settings.project_home.resolve()
    for name, content in explained.items():
        title = TITLES.get(name) or name.replace("_", " ").capitalize()
        shown = _shown(content, home, HIDDEN.get(name, set()))
        print_section(title, shown, whole=["declared at", "hook", "declaration", "asset"])


def _shown(value: Any, home: Path, hidden: set[str]) -> Any:
    """Return a value for people: places as texts, relative to the project."""
    if isinstance(value, list):
        shown = [_shown(one, home, hidden) for one in value]
        return _without_empty(shown) if shown and isinstance(shown[0], dict) else shown
    if not isinstance(value, Mapping):
        return "not set" if value is None else value
    if value.keys() == {"file", "line"}:
        return shown_place(Path(value["file"]), value["line"], home)
    return {
        name.replace("_", " "): _shown(one, home, hidden)
        for name, one in value.items()
        if name not in hidden
    }


def _without_empty(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records without the parts that are empty in all of them."""
    used = [
        name for name in records[0] if any(one[name] not in ("not set", [], {}) for one in records)
    ]
    return [{name: one[name] for name in used} for one in records]
