"""Hook of mkdocs: fill the generated parts of pages from the code, so that they cannot drift.

A page holds a marker, ``<!-- generated: NAME -->``; the function of that name in `GENERATORS`
returns the Markdown in its place. In all other text, ``{{ Name }}`` becomes the dotted path of a
public name, because mkdocstrings needs to know the module. Only the names imported here, and those
in `PATHS`, say where things are in the code.
"""

import ast
import inspect
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import griffe

import xingu
import xingu_dagster
from xingu.checks.catalog import built_in_checks
from xingu.config.fields import GROUPS, setting_flags, shown_default
from xingu.options import RunOptions
from xingu.provider.hooks import HOOKS
from xingu.provider.methods import FAMILIES
from xingu_dagster.options import OF_THE_RUN, USED_BY

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

PATHS = {
    **{
        name: f"{module}.{name}"
        for package in (xingu, xingu_dagster)
        for name, module in package._MODULES.items()
    },
    "SearchPlan": "xingu.tuning.plan.SearchPlan",
    "impact_of": "xingu.impact.impact_of",
    "command_line": "xingu_dagster.cli.main",
    "errors": "xingu.errors",
}
"""Dotted paths of what the reference shows, by the names that pages use."""

NOT_OVERRIDDEN = {
    "make_estimator", "is_classifier", "log", "logger", "get_logger", "pre_req_model",
    "batch_partition", "random_data_split", "time_data_split", "get_metrics_computers",
    "get_plot_renderers",
}  # fmt: skip
"""Public members of a DataProvider that are not meant to be overridden."""

PHASES = {
    "prepare": "`prepare`: from sources to sets",
    "any": "Any phase: overridden declarations",
    "tune": "`tune`: hyperparameters",
    "fit": "`fit`: the estimator",
    "predict": "Prediction: in `evaluate`, in `batch` and in `Model.predict`",
    "evaluate": "`evaluate`: metrics and plots of the sets",
    "batch": "`batch_raw` and `batch`",
}
"""Headings of the tables of hooks, in the order of the run."""

FAMILY_CALLS = {
    "trainsets": ("XY, Y_pred, model", "each set of the split"),
    "batch": ("XY, Y_pred, model", "the batch"),
    "global": ("model", "the whole Model"),
    "estimation": ("XY, Y_pred, model", "the batch, row by row"),
}
"""Arguments of the methods found by name, and what they are called for, by the scope in it."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the page with its generated parts."""
    markdown = re.sub(r"\{\{ (\w+) \}\}", lambda match: PATHS[match[1]], markdown)
    markdown = re.sub(r"<!-- generated: (\w+) -->", lambda match: GENERATORS[match[1]](), markdown)
    # GitHub needs \| inside of code in a table; Python-Markdown shows the backslash.
    return re.sub(r"`[^`\n]+`", lambda code: code[0].replace(r"\|", "|"), markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Return the page without the name that mkdocs-click 0.9 prints for "no default"."""
    return html.replace("<code>Sentinel.UNSET</code>", "")


# -- the DataProvider -----------------------------------------------------------------------------


@cache
def provider_class() -> griffe.Class:
    """Return the class DataProvider as its source has it, with docstrings of attributes."""
    module, _, name = PATHS["DataProvider"].rpartition(".")
    found = griffe.load(module, search_paths=[ROOT])[name]
    assert isinstance(found, griffe.Class)  # noqa: S101
    return found


def declaration_names() -> list[str]:
    """Return the names of all declarations, in the order of the source."""
    return [name for name in provider_class().attributes if _is_public(name)]


def hook_names() -> list[str]:
    """Return the names of all methods that may be overridden, in the order of the source."""
    return [name for name in provider_class().functions if _is_public(name)]


def declarations() -> str:
    """Return a table of the declarations: type, default, meaning."""
    rows = []
    for name in declaration_names():
        attribute = provider_class().attributes[name]
        meaning = _one_line(attribute.docstring.value) if attribute.docstring else ""
        kind = re.sub(r"ClassVar\[(.*)\]$", r"\1", str(attribute.annotation)).replace('"', "")
        rows.append([_link(name), _code(kind), _code(attribute.value), meaning])
    return _table(["declaration", "type", "default", "meaning"], rows)


def hooks() -> str:
    """Return a table of hooks for each phase: signature and default."""
    names = hook_names()
    parts = []
    for phase, title in PHASES.items():
        rows = [
            [_link(name, _signature(name)), _returns(name), _summary(name)]
            for name in names
            if (HOOKS[name].stage if name in HOOKS else "any") == phase
        ]
        parts += [f"### {title}", _table(["hook", "returns", "default, or purpose"], rows)]
    return "\n\n".join(parts)


def families() -> str:
    """Return a table of the patterns of metric and plot methods."""
    rows = []
    for family in FAMILIES:
        arguments, scope = FAMILY_CALLS[family.split("_")[1]]
        if "estimation" in family:
            returns = "a frame indexed as `XY`: `name`, `value_number`, `value_text`"
        elif family.startswith("render"):
            returns = "`{plot name: figure}`, of plotly or matplotlib"
        else:
            returns = "`{metric: number or text}`"
        rows.append([f"`{family}_{{NAME}}({arguments})`", scope, returns])
    return _table(["method", "called for", "returns"], rows)


def _is_public(name: str) -> bool:
    return not name.startswith("_") and name not in NOT_OVERRIDDEN


def _link(name: str, text: str | None = None) -> str:
    return f"[`{text or name}`][{PATHS['DataProvider']}.{name}]"


def _signature(name: str) -> str:
    """The parameters without their types, which the entry below the tables has."""
    parameters = list(inspect.signature(getattr(xingu.DataProvider, name)).parameters.values())[1:]
    return f"{name}({', '.join(str(one.replace(annotation=one.empty)) for one in parameters)})"


def _returns(name: str) -> str:
    return _code(str(provider_class().functions[name].returns).replace("pd.", ""))


def _summary(name: str) -> str:
    return _one_line(inspect.getdoc(getattr(xingu.DataProvider, name)) or "")


# -- checks ---------------------------------------------------------------------------------------


def checks() -> str:
    """Return a table of the built-in checks: assets, severity, limits, statement."""
    rows = []
    for check in built_in_checks().values():
        assets = ", ".join(_code("/".join(path)) for path in check.assets)
        severity = f"{check.severity}, refuses" if check.refuses else check.severity
        limits = [_code(name) + _limit(value) for name, value in check.limits.items()]
        rows.append([_code(check.name), assets, severity, ", ".join(limits), check.title])
    return _table(["check", "assets", "severity", "limits", "statement"], rows)


def _limit(default: Any) -> str:
    return "" if isinstance(default, tuple) else f" {default:,g}"


# -- settings -------------------------------------------------------------------------------------


def settings() -> str:
    """Return a table of settings for each group: variable and flags, default, meaning."""
    parts = []
    for group in GROUPS:
        rows = [
            [
                "<br>".join(map(_code, [field.alias, *setting_flags(field)])),
                _code(shown_default(field)) if shown_default(field) else "none",
                _one_line(field.description or ""),
            ]
            for field in group.model_fields.values()
        ]
        title = (group.__doc__ or "").rstrip(".")
        parts += [f"### {title}", _table(["variable and flags", "default", "meaning"], rows)]
    return "\n\n".join(parts)


# -- options --------------------------------------------------------------------------------------


def run_options() -> str:
    """Return a table of the options of a run: default, phases whose steps have it, meaning."""
    rows = []
    for name, option in RunOptions.model_fields.items():
        of_steps = [] if name in OF_THE_RUN else [p for p in USED_BY if name in USED_BY[p]]
        default = json.dumps(option.default) if option.default not in ("", ()) else ""
        phases = ", ".join(map(_code, of_steps))
        rows.append([_code(name), default.strip('"'), phases, str(option.description)])
    return _table(["option", "default", "steps", "meaning"], rows)


# -- architecture ---------------------------------------------------------------------------------


def layers() -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each package with its layers, from above, as import-linter's contracts have them."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    for contract in config["contracts"]:
        if contract["type"] == "layers":
            rooms = [
                [room.strip(" ()") for room in re.split("[:|]", layer)]
                for layer in contract["layers"]
            ]
            yield rooms[0][0].partition(".")[0], rooms


def rooms() -> str:
    """Return a table of the rooms with the first sentence of their docstrings."""
    parts = []
    for package, rows in sorted(layers(), reverse=True):
        table = [[f"`{room}`", _module_summary(room)] for row in rows for room in row]
        parts += [f"### `{package}`", _table(["module", "content"], table)]
    return "\n\n".join(parts)


def layer_diagram() -> str:
    """Return a picture of the layers as inline SVG: a room imports only from rooms below it."""
    shapes, y, width = [], 0, 760
    for package, rows in sorted(layers(), reverse=True):
        shapes.append(f'<text x="0" y="{y + 18}" font-weight="bold">{escape(package)}</text>')
        y += 28
        for row in rows:
            for line in _lines([room.removeprefix(f"{package}.") for room in row], width):
                x = 0
                for room in line:
                    shapes.append(_box(room, x, y))
                    x += _box_width(room) + 8
                y += 34
            shapes.append(f'<path d="M0 {y} H{width}" stroke="currentColor" opacity=".2"/>')
            y += 8
        y += 12
    return (
        f'<svg class="rooms" role="img" aria-label="Layers of the packages, the highest first" '
        f'viewBox="-1 0 {width + 2} {y}" width="{width}" font-size="13" fill="currentColor" '
        f'font-family="monospace">{"".join(shapes)}</svg>'
    )


def _box_width(room: str) -> int:
    return 8 * len(room) + 20


def _box(room: str, x: int, y: int) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{_box_width(room)}" height="26" rx="4" fill="#00948522" '
        f'stroke="#009485"/><text x="{x + 10}" y="{y + 17}">{escape(room)}</text>'
    )


def _lines(rooms: list[str], width: int) -> list[list[str]]:
    lines: list[list[str]] = [[]]
    for room in rooms:
        if lines[-1] and sum(_box_width(one) + 8 for one in [*lines[-1], room]) > width:
            lines.append([])
        lines[-1].append(room)
    return lines


def _module_summary(name: str) -> str:
    path = ROOT.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return _one_line(ast.get_docstring(ast.parse(file.read_text())) or "")


# -- decisions ------------------------------------------------------------------------------------


def decisions() -> str:
    """Return a table of the ADRs with their status."""
    rows = []
    for path in sorted((DOCS / "adr").glob("0*.md")):
        text = path.read_text()
        number, title = re.match(r"# (\d+)\. (.*)", text).groups()  # type: ignore[union-attr]
        status = re.search(r"^Status: (.*)$", text, re.MULTILINE)
        rows.append([number, f"[{title}]({path.name})", status[1] if status else ""])
    return _table(["number", "decision", "status"], rows)


# -- Markdown -------------------------------------------------------------------------------------


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(text: object) -> str:
    return f"`{text}`"


def _one_line(docstring: str) -> str:
    """The first paragraph, as one line of a table."""
    first = docstring.strip().split("\n\n")[0]
    return " ".join(first.split()).replace("|", r"\|").replace("``", "`")


GENERATORS = {
    one.__name__: one
    for one in (
        *(declarations, hooks, families, checks, settings, run_options),
        *(layer_diagram, rooms, decisions),
    )
}
