"""Notes on variables that Xingu does not read, though people may think that it does."""

from difflib import get_close_matches
from functools import cache

from xingu.config.fields import GROUPS
from xingu.config.lookup import Lookup
from xingu.config.targets import notes_on_targets

DVC_VARIABLES = (
    "DVC",
    "DVC_DATASOURCE_CACHE_PATH",
    "DVC_QUERY_CACHE_PATH",
    "DVC_TRAINED_MODELS_PATH",
)
"""Settings of Xingu 2.0 that are accepted and have no effect."""

VARIABLES = frozenset(str(field.alias) for group in GROUPS for field in group.model_fields.values())

_SIMILAR, _SIMILAR_IF_OURS = 0.88, 0.75
"""Similarity, between 0 and 1, from which a name counts as misspelt; of a name with our prefix."""
_WORDS = {"DEBUG", "HOSTNAME", "TRAIN", "USERNAME"}
"""Variables whose names are too usual to be what somebody misspelt."""


def notes_on(lookup: Lookup) -> list[str]:
    """Return a sentence for each variable that has no effect, and one for all settings of DVC."""
    names = {
        name: origin
        for origin in (".env", "environment", "command line")
        for name in lookup.layers[origin]
    }
    notes = [
        f"{name} ({names[name]}) is no setting of Xingu. Did you mean {nearest}?"
        for name, nearest in misspelt(frozenset(names)).items()
    ]
    if dvc := [name for name in DVC_VARIABLES if name in names]:
        notes.append(
            f"{', '.join(dvc)}: Xingu no longer uses DVC. Every train is stored under a name of "
            "its own and never overwritten; remove what is set for DVC."
        )
    return [*notes, *notes_on_targets(lookup)]


@cache
def misspelt(names: frozenset[str]) -> dict[str, str]:
    """Return the setting that each misspelt name is close to; other names are left out."""
    known = [name for name in sorted(VARIABLES - _WORDS) if not name.startswith("GITHUB_")]
    found = {}
    for name in sorted(names):
        # NAME__TARGET is a setting of a target: see `notes_on_targets`.
        if name in DVC_VARIABLES or name in VARIABLES or "__" in name or "GITHUB" in name:
            continue
        cutoff = _SIMILAR_IF_OURS if name.startswith("XINGU_") else _SIMILAR
        for nearest in get_close_matches(name.upper(), known, n=1, cutoff=cutoff):
            found[name] = nearest
    return found
