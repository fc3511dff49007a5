"""Settings of deploys, and settings of single targets: ``<SETTING>__<TARGET>``.

The name of a target is in capitals in variables, and what is no letter or digit is ``_`` there:
``XINGU_DB_URL__EMEA_STAGING`` is the control DB of the target ``emea-staging``.
"""

import re
from collections import Counter
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator

from xingu.config.declare import setting
from xingu.config.kinds import Flag
from xingu.names import key_part
from xingu.options import Names, split_names

TARGETS = "DEPLOY_TARGETS"
NAME = r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*"
SOURCE = "source"
"""Name in variables of the storage that ``xingu deploy --pull`` reads; no target has it."""


def variable_of(variable: str, target: str) -> str:
    """Return the variable that holds a setting of one target."""
    return f"{variable}__{suffix_of(target)}"


def suffix_of(target: str) -> str:
    """Return the name of a target as variables have it."""
    return key_part(target).upper()


def parse_chains(value: Any) -> Any:
    """Return the chains in a text: targets separated by commas, chains by semicolons.

    Raises:
        ValueError: If a name cannot be used, or two targets would share their variables.
    """
    if not isinstance(value, str):
        return value
    chains = tuple(filter(None, map(split_names, value.split(";"))))
    names = [name for chain in chains for name in chain]
    if wrong := [name for name in names if not re.fullmatch(NAME, name)]:
        raise ValueError(
            f"{wrong[0]!r} is no name of a target: it begins with a letter, and has letters "
            "and digits, with single - or _ between them"
        )
    counts = Counter(map(suffix_of, names))
    if shared := [name for name in names if counts[suffix_of(name)] > 1]:
        raise ValueError(f"{', '.join(shared)} are the same target in names of variables")
    if SOURCE.upper() in counts:
        raise ValueError(f"no target may be called {SOURCE!r}, which `xingu deploy --pull` uses")
    return chains


Chains = Annotated[tuple[tuple[str, ...], ...], BeforeValidator(parse_chains)]


class DeployFields(BaseModel):
    """Deploys."""

    deploy_targets: Chains = setting(
        (),
        TARGETS,
        "Targets in the order in which models pass through them, separated by commas; several "
        "such chains are separated by semicolons.",
    )
    deploy_trusted_keys: Names = setting(
        (),
        "DEPLOY_TRUSTED_KEYS",
        "Files of public keys, separated by commas; a package must be signed with one of them. "
        "Empty: packages need no signature.",
    )
    deploy_approvals: int = setting(
        0, "DEPLOY_APPROVALS", "Approvals by different people that a deploy needs.", ge=0
    )
    deploy_approvers: Names = setting(
        (),
        "DEPLOY_APPROVERS",
        "Users who may approve, separated by commas; empty: everyone but the user who trained.",
    )
    deploy_approval_days: float = setting(
        7, "DEPLOY_APPROVAL_DAYS", "Days after which an approval expires.", gt=0
    )
    deploy_require_clean_git: Flag = setting(
        False,
        "DEPLOY_REQUIRE_CLEAN_GIT",
        "Refuse trains of code that was not committed.",
    )


NEEDED = {"models": "model storage", "control_db": "a control database"}
"""Settings that a target does not take from the project."""

OF_TARGETS = (
    *("control_db", "table_prefix", "models"),
    *(name for name in DeployFields.model_fields if name != "deploy_targets"),
)
"""Settings that a target may have of its own."""
