"""Read the settings of one target, and point out variables of targets that have no effect.

The values of a target are looked up when it is used, not when a project is loaded, so that a train
needs no access to the secrets of other environments.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import SecretStr

from xingu.config.deploy_fields import (
    NEEDED,
    OF_TARGETS,
    SOURCE,
    TARGETS,
    parse_chains,
    suffix_of,
    variable_of,
)
from xingu.config.kinds import text_of
from xingu.config.lookup import Lookup, Origin
from xingu.errors import SettingsError

VARIABLES = {
    "control_db": "XINGU_DB_URL",
    "table_prefix": "XINGU_DB_TABLE_PREFIX",
    "models": "TRAINED_MODELS_PATH",
    **{name: name.upper() for name in OF_TARGETS if name.startswith("deploy_")},
}
"""Variables of the settings that a target may have of its own, by field."""


def target_values(lookup: Lookup, target: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values that a target has of its own, by variable of the project.

    Args:
        lookup: Where values are found.
        target: Name of the target.

    Returns:
        The values, and what is wrong by variable of the target. A target without a control DB has
        an empty URL.
    """
    values: dict[str, Any] = {"XINGU_DB_URL": SecretStr("")}
    problems: dict[str, str] = {}
    for field, variable in VARIABLES.items():
        own = variable_of(variable, target)
        try:
            found = lookup.value(own, default="")
        except SettingsError as error:
            problems[own] = str(error).removeprefix(f"{own}: ")
            continue
        if text_of(found).strip():
            values[variable] = found
        elif field == "models":
            problems[own] = f"it is not set; {_owner(target)} needs {NEEDED[field]} of its own"
    return values, problems


def known_target(chains: tuple[tuple[str, ...], ...], target: str) -> None:
    """Refuse a target that is in no chain.

    Raises:
        SettingsError: If there is no such target; the text names those that there are.
    """
    names = [name for chain in chains for name in chain]
    if target not in (*names, SOURCE):
        known = f"targets are {', '.join(names)}" if names else "it is not set"
        raise SettingsError(f"{TARGETS}: there is no target {target!r}; {known}.", target=target)


def variables_of(lookup: Lookup, target: str) -> Iterator[tuple[str, str, Origin | None]]:
    """Yield field, variable and origin of the settings of a target: given or missing ones."""
    for field, variable in VARIABLES.items():
        own = variable_of(variable, target)
        origin = lookup.origin(own)
        if origin is not None or field in NEEDED:
            yield field, own, origin


def targets_of(lookup: Lookup) -> list[str]:
    """Return the names of the targets; none if the setting is invalid."""
    try:
        chains = parse_chains(lookup.value(TARGETS, default=""))
    except (SettingsError, ValueError):
        return []
    return [name for chain in chains for name in chain]


def notes_on_targets(lookup: Lookup) -> Iterator[str]:
    """Yield a sentence for each variable of a target that has no effect."""
    targets = targets_of(lookup)
    if not targets:
        return
    known = {variable_of(one, name) for name in [*targets, SOURCE] for one in VARIABLES.values()}
    suffixes = {suffix_of(name) for name in targets}
    for layer in ("command line", "environment", ".env"):
        for name in lookup.layers[layer]:
            base, mark, suffix = name.partition("__")
            if not mark or name in known:
                continue
            close = get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.88)
            if close:
                yield f"{name} ({layer}) is no setting of a target. Did you mean {close[0]}?"
            elif base in VARIABLES.values() or (suffix in suffixes and base.startswith("XINGU_")):
                yield f"{name} ({layer}) is no setting of a target of {TARGETS}."


def _owner(target: str) -> str:
    return "`xingu deploy --pull`" if target == SOURCE else f"the target {target}"
